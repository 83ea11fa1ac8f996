"""Distances by name, and the settings that they read; it loads no TensorFlow.

`lorbms_tf.features.named_distances` makes them.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError

TAPS = "taps:"  # what the names of distances by layers of any network begin with
RAW = "raw:"  # the same, of maps as they are
_FORMS = tuple(f"{kind}NETWORK:LAYER+LAYER" for kind in (TAPS, RAW))
NAMES = (
    "l1",
    "l2",
    "mmd",
    "mmd++",
    "mmd_no_dc",
    "mmd_exact",
    "nngp",
    "scnn",
    "vgg16",
    "vgg16_random",
    "vgg16_first",
    "vgg19",
    "squeezenet",
    "lpips_squeeze",
    "lpips_vgg",
    "lpips_alex",
)
# What people train by, for measuring speed; VGG-16 to conv2_2 is what patch MMD is compared with.
TO_CONV2_2 = "taps:vgg16:conv1_2+conv2_2"
USUAL = ("l2", "mmd", "mmd_no_dc", "mmd++", TO_CONV2_2, "vgg16", "vgg16_random")


@dataclass(frozen=True, kw_only=True)
class DistanceConfig:
    """What distances by name need to know beside their names."""

    mmd_sigma: float = setting(
        0.6, "Width of the kernel of patch MMD, on patches of [-1, 1] pixels as vectors."
    )
    mmd_patch: int = setting(3, "Pixels a side of a patch (mmd..., nngp, scnn).")
    mmd_window: int = setting(32, "Pixels a side of a window (mmd..., nngp, scnn).")
    mmd_stride: int = setting(16, "Pixels from window to window (mmd..., nngp, scnn).")
    mmd_features: int = setting(512, "Random features of a draw (mmd, mmd++, mmd_no_dc).")
    vgg16_weights: str = setting(
        "imagenet",
        "VGG-16's weights: imagenet (a download), a file of Keras, .npz or .caffemodel, or none.",
    )
    vgg19_weights: str = setting("imagenet", "VGG-19's weights, likewise.")
    squeezenet_weights: str = setting(
        "", "SqueezeNet's weights: an .npz or .caffemodel file, or none."
    )
    alexnet_weights: str = setting(
        "", "AlexNet's weights: an .npz file of torchvision's, a file written here, or none."
    )
    lpips_heads: str = setting(
        "", "LPIPS's heads: an .npz file of arrays named vgg/lin0 and so on."
    )

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        if not (self.mmd_sigma > 0 and math.isfinite(self.mmd_sigma)):
            raise UserError(f"--mmd_sigma={self.mmd_sigma} is not valid: a number above 0")
        if self.mmd_patch < 1 or self.mmd_patch % 2 == 0:
            raise UserError(f"--mmd_patch={self.mmd_patch} is not valid: an odd number")
        for name in ("mmd_window", "mmd_stride", "mmd_features"):
            require(name, getattr(self, name), minimum=1)


def check_names(names: Iterable[str], flag: str, others: Iterable[str] = ()) -> None:
    """Raises UserError for a name of no distance, and of none of the `others` either."""
    valid = (*NAMES, *others)
    for name in names:
        parts = name.split(":")
        with_taps = name.startswith((TAPS, RAW)) and len(parts) >= 3 and all(parts)
        if name not in valid and not with_taps:
            shown = ", ".join((*valid, *_FORMS))
            raise UserError(f"--{flag}: no distance {name!r}; valid names: {shown}")
