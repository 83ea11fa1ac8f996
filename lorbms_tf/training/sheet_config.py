"""What every picture of `lorbms_tf.render` has: the model, the file, and the size of a cell."""

from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError


@dataclass(frozen=True, kw_only=True)
class SheetConfig:
    """With which model a picture is drawn, and where it goes."""

    run_dir: str = setting("", "Run directory, or pretrained:NAME.")
    checkpoint: str = setting("latest", "Which one of the run: latest, best, or a step.")
    out: str = setting("", "The picture to write, a .png.")
    cell: int = setting(128, "Side of one image in the picture, pixels.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        for name in ("run_dir", "out"):
            if not getattr(self, name):
                raise UserError(f"--{name} is required")
        if not self.out.lower().endswith(".png"):
            raise UserError(f"--out={self.out} is not valid: the name must end in .png")
        require("cell", self.cell, minimum=16, below=2049)
