"""The settings of `lorbms_tf.render upscale`."""

from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.data import comma_lists
from lorbms_tf.training.sheet_config import SheetConfig


@dataclass(frozen=True, kw_only=True)
class UpscaleConfig(SheetConfig):
    """Which photos are enlarged, and by which runs."""

    photos: str = setting(
        "", "Photos of any size, named as --eval_photos of training are; empty: those of the run."
    )
    other_runs: str = setting("", "Further run directories, joined by commas, a column each.")
    rows: int = setting(6, "Photos, the first ones.")
    side: int = setting(
        96, "Side of the central square of each photo that is shown, pixels; 0: all of it."
    )
    cell: int = setting(256, "Side of one image in the picture, pixels.")

    @property
    def run_dirs(self) -> list[str]:
        """All runs, the first one first."""
        return [self.run_dir, *comma_lists.paths(self.other_runs)]

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        super().validate()
        require("rows", self.rows, minimum=1)
        require("side", self.side, minimum=0)
