"""The flags of the pictures of `lorbms_tf.render` for DeePSiM."""

from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.data import comma_lists
from lorbms_tf.errors import UserError
from lorbms_tf.training.sheet_config import SheetConfig


@dataclass(frozen=True, kw_only=True)
class InversionsConfig(SheetConfig):
    """Which photos, and by which runs."""

    photos: str = setting(
        "", "Held-out photos, named as --eval_photos of training are; empty: those of the run."
    )
    other_runs: str = setting("", "Further run directories, joined by commas.")
    rows: int = setting(8, "Photos that are shown, evenly out of all.")
    cell: int = setting(96, "Side of one image in the picture, pixels.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        super().validate()
        require("rows", self.rows, minimum=1)

    @property
    def run_dirs(self) -> list[str]:
        """All runs, the first one first."""
        return [self.run_dir, *comma_lists.paths(self.other_runs)]


@dataclass(frozen=True, kw_only=True)
class ReencodingsConfig(InversionsConfig):
    """Photos that go through encoder and generator again and again."""

    iterations: tuple[int, ...] = setting(
        (1, 2, 4, 6, 8, 12, 16, 20), "Passes after which pictures are shown."
    )
    measured: int = setting(64, "Photos over which the curves of the drift are taken.")
    table: str = setting("", "Also write the curves to this file, as CSV.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        super().validate()
        require("measured", self.measured, minimum=2)
        if not self.iterations or min(self.iterations) < 1:
            shown = ",".join(map(str, self.iterations))
            raise UserError(f"--iterations={shown} is not valid: whole numbers from 1 on")


@dataclass(frozen=True, kw_only=True)
class FeaturePathsConfig(InversionsConfig):
    """Interpolations between the features of two photos."""

    rows: int = setting(4, "Pairs of photos.")
    steps: int = setting(6, "Pictures between the two ends.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        super().validate()
        require("steps", self.steps, minimum=1, below=101)


@dataclass(frozen=True, kw_only=True)
class PreservationConfig(InversionsConfig):
    """Discs on photos, and what the inversions keep of them."""

    measured: int = setting(64, "Photos over which the errors are taken.")
    table: str = setting("", "Also write the errors to this file, as CSV.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        super().validate()
        require("measured", self.measured, minimum=1)


@dataclass(frozen=True, kw_only=True)
class NeighboursConfig(InversionsConfig):
    """Inversions beside the training photos that are nearest to the photo."""

    among: int = setting(5000, "Training photos to search, evenly out of all.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        super().validate()
        require("among", self.among, minimum=1)


@dataclass(frozen=True, kw_only=True)
class SamplesConfig(InversionsConfig):
    """Pictures of random codes."""

    rows: int = setting(4, "Rows of a run.")
    columns: int = setting(8, "Pictures in a row.")
    measured: int = setting(256, "Photos whose codes tell how codes lie, where it is no vae.")
    seed: int = setting(0, "Of the random codes.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        super().validate()
        require("columns", self.columns, minimum=1)
        require("measured", self.measured, minimum=2)
        require("seed", self.seed, minimum=0)
