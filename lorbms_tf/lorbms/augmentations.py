"""Which of the autoencoder steps learn from augmentations of scenes, and those (seed 003).

Not in the thesis: an autoencoder that learns what lies between two augmentations of an image may
also find better what lies between two images.
"""

import math

from lorbms_tf.data import augmented_views
from lorbms_tf.data.augmentation import NATURAL
from lorbms_tf.data.augmented_views import Views
from lorbms_tf.training import draws

_SIDE = 64  # of the images whose shifts, in pixels, seed 003 names


def is_due(step: int, share: float) -> bool:
    """Whether step number `step` (from 1) is one of a share (0 to 1) of all, evenly spread."""
    return math.floor(step * share) > math.floor((step - 1) * share)


def views(images, seed: int, step) -> Views:
    """Augmentations of this device's images [B, S, S, 3], by seed and step alone.

    They are mirrored at their edges. Shifts are the same share of the side at every size.
    """
    ranges = NATURAL._replace(shift=NATURAL.shift * images.shape[1] / _SIDE)
    uniforms = draws.for_images(images, augmented_views.DRAWS, seed, step)
    return augmented_views.views(images, uniforms, ranges, "reflect")
