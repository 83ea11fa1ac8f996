"""Brightness and contrast of the pictures on a path, made alike before they are compared.

Laine (seed 002) compares features after this, so that a path is not drawn out by changes of light
alone. His text gives no formula; this one is ours. Only keras.ops.

All pictures of a path are brought to one mean and one deviation, those in the middle between the
path's two ends. So a change of brightness alone has no length, and each picture is looked at once.
(Values that went from one end's to the other's would make light itself a part of the length.)
"""

from typing import Any

from keras import ops

from lorbms_tf.latent_paths.config import WAYS

LUMA = (0.299, 0.587, 0.114)
_LEAST_VARIANCE = 1e-8  # of a picture of one colour, whose gradient is kept finite


def equalised(pictures: Any, ends: Any, way: str = "channels") -> Any:
    """The pictures of paths, with brightness and contrast of the mean of both ends.

    Args:
      pictures: [P, K, H, W, C], K pictures on each of P paths.
      ends: [P, 2, H, W, C], the first and the last picture of each path.
      way: channels (each by itself), luma (all by that of their luma), or none.

    Returns:
      pictures [P, K, H, W, C], with gradients through mean and deviation.

    Raises ValueError for another way.
    """
    if way not in WAYS:
        raise ValueError(f"no way {way!r} to equalise; valid: {', '.join(WAYS)}")
    if way == "none":
        return pictures
    mean, deviation = (ops.mean(part, axis=1, keepdims=True) for part in _moments(ends, way))
    own_mean, own_deviation = _moments(pictures, way)
    return (pictures - own_mean) / own_deviation * deviation + mean


def luma(pictures: Any) -> Any:
    """The luma of pictures [..., 3]: [..., 1]; of others the pictures as they are."""
    if pictures.shape[-1] != 3:
        return pictures
    return ops.sum(pictures * ops.convert_to_tensor(LUMA, pictures.dtype), axis=-1, keepdims=True)


def _moments(pictures: Any, way: str) -> tuple[Any, Any]:
    """Mean and deviation of pictures [P, K, H, W, C], each [P, K, 1, 1, C or 1]."""
    pictures = luma(pictures) if way == "luma" else pictures
    mean = ops.mean(pictures, axis=(2, 3), keepdims=True)
    variance = ops.mean(ops.square(pictures - mean), axis=(2, 3), keepdims=True)
    return mean, ops.sqrt(variance + _LEAST_VARIANCE)
