"""Brightness and contrast of the pictures on a path, made alike before they are compared.

Laine (seed 002) compares features after this, so that a path is not drawn out by changes of light
alone. His text gives no formula; this one is ours. Only keras.ops.

Two neighbours on a path are brought to one mean and one deviation, those that lie between the
values of the path's two ends at the neighbours' place. So the values go from one end's to the
other's along the path, and a change of brightness alone has no length.
"""

from keras import ops

WAYS = ("none", "channels", "luma")
_LUMA = (0.299, 0.587, 0.114)
_LEAST_VARIANCE = 1e-8  # of a picture of one colour, whose gradient is kept finite


def equalised_neighbours(pictures, way: str = "channels"):
    """Each picture of a path and the next one, with brightness and contrast alike.

    Args:
      pictures: [P, K, H, W, C], K pictures on each of P paths, in order.
      way: channels (each by itself), luma (all by that of their luma), or none.

    Returns:
      two tensors [P, K - 1, H, W, C]: the pictures but the last, and those but the first.

    Raises ValueError for another way.
    """
    if way not in WAYS:
        raise ValueError(f"no way {way!r} to equalise; valid: {', '.join(WAYS)}")
    first, second = pictures[:, :-1], pictures[:, 1:]
    if way == "none":
        return first, second
    steps = pictures.shape[1] - 1
    places = (ops.arange(steps, dtype=pictures.dtype) + 0.5) / steps
    places = ops.reshape(places, (1, steps, 1, 1, 1))
    means, deviations = _moments(pictures, way)
    mean = means[:, :1] + places * (means[:, -1:] - means[:, :1])
    deviation = deviations[:, :1] + places * (deviations[:, -1:] - deviations[:, :1])

    def brought(part, part_means, part_deviations):
        return (part - part_means) / part_deviations * deviation + mean

    return (
        brought(first, means[:, :-1], deviations[:, :-1]),
        brought(second, means[:, 1:], deviations[:, 1:]),
    )


def _moments(pictures, way: str):
    """Mean and deviation of pictures [P, K, H, W, C], each [P, K, 1, 1, C or 1]."""
    if way == "luma" and pictures.shape[-1] == 3:
        weights = ops.convert_to_tensor(_LUMA, pictures.dtype)
        pictures = ops.sum(pictures * weights, axis=-1, keepdims=True)
    mean = ops.mean(pictures, axis=(2, 3), keepdims=True)
    variance = ops.mean(ops.square(pictures - mean), axis=(2, 3), keepdims=True)
    return mean, ops.sqrt(variance + _LEAST_VARIANCE)
