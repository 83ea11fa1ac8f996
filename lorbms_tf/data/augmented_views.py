"""An image in three augmentations, the third between two others (seed 003). Only keras.ops.

What interpolates between the codes of the first and the second is to give the third.
"""

from typing import Any, NamedTuple

from keras import ops

from lorbms_tf.data import augmentation
from lorbms_tf.data.augmentation import PARAMETERS, Ranges

DRAWS = 2 * len(PARAMETERS) + 2  # uniform numbers that the views of one image take


class Views(NamedTuple):
    """One image in three augmentations: rho_a, rho_b, and between them."""

    first: Any  # A_a x [B, H, W, C]
    second: Any  # A_b x
    target: Any  # A_alpha x, rho_alpha = (1 - alpha) rho_a + alpha rho_b
    alpha: Any  # [B] in [0, 1]


def views(images, uniforms, ranges: Ranges, fill: str, ends: bool = True) -> Views:
    """The views of images by draws.

    Alpha is the mean of two uniform draws: networks learn more easily near the ends (seed 003).

    Args:
      images: [B, H, W, C] in [-1, 1].
      uniforms: [B, DRAWS] in [0, 1).
      ranges: of the augmentations.
      fill: what an augmentation shows from outside, see `augmentation.warp`.
      ends: False where only the target is needed: the first and second view are None.
    """
    count = len(PARAMETERS)
    first = augmentation.from_uniforms(uniforms[:, :count], ranges)
    second = augmentation.from_uniforms(uniforms[:, count : 2 * count], ranges)
    alpha = ops.mean(uniforms[:, 2 * count :], axis=-1)
    between = augmentation.between(first, second, alpha)
    if not ends:
        target = augmentation.augment(images, between, ranges, fill)
        return Views(None, None, target, alpha)
    # One warp of all three: a third of the calls.
    repeated = ops.concatenate([images] * 3, axis=0)
    rho = ops.concatenate([first, second, between], axis=0)
    made = ops.split(augmentation.augment(repeated, rho, ranges, fill), 3, axis=0)
    return Views(*made, alpha)
