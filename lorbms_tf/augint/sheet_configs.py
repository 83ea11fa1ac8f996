"""The flags of the pictures of `lorbms_tf.render` for AugIntAE."""

from dataclasses import dataclass, replace

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.data import comma_lists
from lorbms_tf.errors import UserError
from lorbms_tf.training.sheet_config import SheetConfig


@dataclass(frozen=True, kw_only=True)
class ModelsConfig(SheetConfig):
    """One run, and others beside it."""

    others: str = setting("", "Further run directories that are shown below, joined by commas.")
    cell: int = setting(56, "Side of one image in the picture, pixels.")
    seed: int = setting(0, "Seed of what is drawn: photos, noise, weights.")
    refining_steps: int = setting(
        1000, "Steps of descent on the codes of a run of wgan_gp, after its encoder's guess."
    )

    def validate(self) -> None:
        """As `SheetConfig.validate`."""
        super().validate()
        require("seed", self.seed, minimum=0)
        require("refining_steps", self.refining_steps, minimum=0)

    @property
    def run_dirs(self) -> list[str]:
        """All runs, the first one first."""
        return [self.run_dir, *comma_lists.paths(self.others)]


@dataclass(frozen=True, kw_only=True)
class PhotosSheetConfig(ModelsConfig):
    """Which photos."""

    photos: str = setting(
        "", "Held-out photos, named as --eval_photos of training are; empty: those of the run."
    )
    rows: int = setting(8, "Pairs, photos or classes that are shown.")

    def validate(self) -> None:
        """As `ModelsConfig.validate`."""
        super().validate()
        require("rows", self.rows, minimum=1)


@dataclass(frozen=True, kw_only=True)
class PathsConfig(PhotosSheetConfig):
    """Interpolations between pairs of photos."""

    steps: int = setting(8, "Pictures between the two ends.")
    same_class: bool = setting(False, "Both photos of a pair are of one class.")
    pixel_fade: bool = setting(True, "A first row lays both photos over each other.")

    def validate(self) -> None:
        """As `PhotosSheetConfig.validate`."""
        super().validate()
        require("steps", self.steps, minimum=1, below=101)


@dataclass(frozen=True, kw_only=True)
class FewShotConfig(PhotosSheetConfig):
    """Pictures out of the simplex of some seeds."""

    shots: int = setting(5, "Seed images of a class.")
    samples: int = setting(10, "Pictures that are made of them.")

    def validate(self) -> None:
        """As `PhotosSheetConfig.validate`."""
        super().validate()
        require("shots", self.shots, minimum=1, below=101)
        require("samples", self.samples, minimum=1, below=101)


@dataclass(frozen=True, kw_only=True)
class NoiseConfig(ModelsConfig):
    """Noise of some frequencies."""

    frequencies: tuple[int, ...] = setting(
        (1, 2, 4, 6, 8, 12, 16, 20, 24, 28),
        "Sides of the resolutions at which noise is drawn and then scaled up, 1 to the image's.",
    )

    def validate(self) -> None:
        """As `ModelsConfig.validate`."""
        super().validate()
        if not self.frequencies or min(self.frequencies) < 1:
            shown = ",".join(map(str, self.frequencies))
            raise UserError(f"--frequencies={shown} is not valid: whole numbers from 1 on")


@dataclass(frozen=True, kw_only=True)
class NoiseCurveConfig(NoiseConfig):
    """The error of reconstructed noise over its frequency."""

    frequencies: tuple[int, ...] = setting(
        tuple(range(1, 29)), "Frequencies that are measured, 1 to the image's side."
    )
    trials: int = setting(1000, "Images of noise at each frequency, and photos for the line.")
    photos: str = setting(
        "",
        "Photos of the novel domain, for the dotted line; empty: --eval_photos of each run.",
    )
    table: str = setting("", "Also write the numbers to this file, as CSV.")

    def validate(self) -> None:
        """As `NoiseConfig.validate`."""
        super().validate()
        require("trials", self.trials, minimum=1)


@dataclass(frozen=True, kw_only=True)
class InversionConfig(SheetConfig):
    """A generator of somebody else's, and photos whose codes are looked for."""

    generator: str = setting("", "SavedModel that turns codes [B, D] into images [B, S, S, C].")
    photos: str = setting("", "Photos, named as --photos of training are; without a split test.")
    rows: int = setting(8, "Photos that are shown.")
    cell: int = setting(96, "Side of one image in the picture, pixels.")
    seed: int = setting(0, "Seed of the network and of the codes that it learns.")
    unit_codes: bool = setting(
        True, "The generator's codes have length one; else they are standard normal."
    )
    inversion_steps: int = setting(6400, "Steps in which a network learns to tell codes.")
    inversion_rate: float = setting(
        1e-4, "Its rate at the start; to a tenth after each 1,280 steps."
    )
    refining_steps: int = setting(1000, "Steps of descent on the codes that it tells.")

    def validate(self) -> None:
        """As `SheetConfig.validate`, but there may be no run."""
        SheetConfig.validate(replace(self, run_dir=self.run_dir or "none"))
        for name in ("generator", "photos"):
            if not getattr(self, name):
                raise UserError(f"--{name} is required")
        require("rows", self.rows, minimum=1)
        for name in ("seed", "inversion_steps", "inversion_rate", "refining_steps"):
            require(name, getattr(self, name), minimum=0)
