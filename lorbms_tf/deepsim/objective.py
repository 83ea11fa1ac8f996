"""DeePSiM's losses in the paper's scale. Only keras.ops.

The paper's weights (2e-6, 0.01, 100) are of Caffe's Euclidean loss, half a sum of squares an image,
of pixels of 0 to 255. Images here are [B, S, S, 3] in [-1, 1], so that a difference of 1 is one of
127.5 there. At 227 px that makes 2513 times the mean squared error of images, 46.08 times that of
CaffeNet's pool5 (9216 numbers), and 100 times the mean cross-entropy.
"""

from collections.abc import Mapping
from typing import Any

from keras import ops

PIXEL = 127.5  # grey values of 0 to 255 in a difference of 1 in [-1, 1]


def image_loss(images: Any, others: Any) -> Any:
    """Half the summed squared differences of pixels of 0 to 255, a mean over images: a scalar."""
    return PIXEL**2 * half_squares(images, others)


def feature_loss(maps: Mapping[str, Any], others: Mapping[str, Any]) -> Any:
    """Half the summed squared differences of features, over all layers, a mean over images."""
    return sum(half_squares(maps[name], others[name]) for name in maps)


def half_squares(values: Any, others: Any) -> Any:
    """Caffe's Euclidean loss of [B, ...] twice: sum of squared differences / (2 B), float32."""
    difference = ops.cast(values, "float32") - ops.cast(others, "float32")
    axes = tuple(range(1, len(difference.shape)))
    return 0.5 * ops.mean(ops.sum(ops.square(difference), axis=axes))


def image_factor(weight: float, image_size: int, channels: int = 3) -> float:
    """How many times the mean squared error of images in [-1, 1] the weighted image loss is."""
    return weight * PIXEL**2 * image_size**2 * channels / 2


def feature_factor(weight: float, numbers: int) -> float:
    """How many times the mean squared error of so many features the weighted loss is."""
    return weight * numbers / 2


def decayed_gradients(gradients: list, variables: list, decayed: list, amount: Any) -> list:
    """The gradients, with `amount` times the variable added where weight decay is for it."""
    chosen = {id(variable) for variable in decayed}
    return [
        gradient + amount * ops.convert_to_tensor(variable) if id(variable) in chosen else gradient
        for gradient, variable in zip(gradients, variables, strict=True)
    ]
