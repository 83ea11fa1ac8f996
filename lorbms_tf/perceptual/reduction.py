"""Photos made small as papers on super-resolution make them, and enlarged again without learning.

Images are float32 [B, H, W, 3] in [-1, 1], of a known H and W.
"""

from typing import Any

from keras import ops

from lorbms_tf.data import bicubic

_MIDDLE = 127.5  # of 0 to 255


def reduced(images: Any, factor: int) -> Any:
    """Bicubic [B, H / factor, W / factor, 3], in 8 bits.

    Raises ValueError where the sides are no multiples of the factor.
    """
    height, width = images.shape[1:3]
    if height % factor or width % factor:
        raise ValueError(f"sides of {width}x{height} pixels are no multiples of {factor}")
    return rounded(_resized(images, height // factor, width // factor))


def enlarged(images: Any, factor: int) -> Any:
    """Bicubic [B, H * factor, W * factor, 3], in 8 bits."""
    height, width = images.shape[1:3]
    return rounded(_resized(images, height * factor, width * factor))


def rounded(images: Any) -> Any:
    """Clipped to [-1, 1] and rounded to the 256 values of 8 bits, as `bicubic.rounded`."""
    grey = ops.floor((ops.clip(images, -1.0, 1.0) + 1.0) * _MIDDLE + 0.5)
    return grey / _MIDDLE - 1.0


def _resized(images: Any, height: int, width: int) -> Any:
    down = bicubic.matrix(images.shape[1], height)
    across = bicubic.matrix(images.shape[2], width)
    lines = ops.einsum("hy,byxc->bhxc", down, images)
    return ops.einsum("wx,bhxc->bhwc", across, lines)
