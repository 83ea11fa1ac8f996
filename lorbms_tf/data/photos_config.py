"""Which photos a run reads, and what it cuts out of them."""

from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.data import photo_names
from lorbms_tf.errors import UserError

OWN_SIZE = -1  # of `short_side`


@dataclass(frozen=True, kw_only=True)
class PhotosConfig:
    """The settings of a run that learns from photos (`lorbms_tf.data.photos`)."""

    photos: str = setting(
        "",
        "What to learn from, joined by commas: folders of photos (their sub-folders are classes), "
        "keras:mnist, keras:cifar10, keras:cifar100, tfds:NAME. keras:mnist:test names a split; "
        "without it --photos takes train.",
        may_change=True,
    )
    eval_photos: str = setting(
        "",
        "Held-out photos, for pictures and scores, named as --photos are; without a split test.",
        may_change=True,
    )
    image_size: int = setting(64, "Side of the images in pixels.")
    channels: int = setting(3, "Colours of the images: 3, or 1 for grey.", choices=(1, 3))
    short_side: int = setting(
        0,
        "Pixels of a photo's shorter side when the square of --image_size is cut from it; 0: as "
        "many as the square has, so that it is as large as can be; -1: the photo's own.",
    )
    crop: str = setting(
        "center",
        "Where training cuts the square from a photo; held-out photos are cut at the center.",
        choices=("center", "random"),
    )
    flip: bool = setting(False, "Training mirrors every second photo, left to right, at random.")
    white_ink: bool = setting(
        False,
        "Make negatives of photos with a bright edge, so that all characters are white on black; "
        "needs --channels=1.",
    )

    def validate_photos(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        require("image_size", self.image_size, minimum=4)
        require("short_side", self.short_side, minimum=OWN_SIZE)
        if 0 < self.short_side < self.image_size:
            raise UserError(
                f"--short_side={self.short_side} is not valid: at least "
                f"--image_size={self.image_size}, 0 or {OWN_SIZE}"
            )
        if self.white_ink and self.channels != 1:
            raise UserError("--white_ink needs --channels=1")
        for flag in ("photos", "eval_photos"):
            photo_names.sources(getattr(self, flag), flag)
