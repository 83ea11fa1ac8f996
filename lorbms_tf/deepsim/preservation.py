"""What an inversion keeps of place and colour: figure 4 of the supplement as numbers.

A disc of one colour is laid on each photo. What changes in the inversion when the disc is laid on
says where the network has seen it, and which colour it has there.
"""

import colorsys
from typing import NamedTuple

import numpy as np

DIAMETER = 0.25  # of the disc, in sides of the image
_EDGE = 0.125  # sides of the image at least between disc and edge
_LEAST_CHANGE = 1e-12


class Marks(NamedTuple):
    """Photos with discs, and the truth about them.

    images: [N, S, S, 3] in [-1, 1].
    masks: [N, S, S], 1 on the disc.
    hues: [N] in degrees.
    """

    images: np.ndarray
    masks: np.ndarray
    hues: np.ndarray


class Errors(NamedTuple):
    """What an inversion has lost of each disc.

    place: [N], distance of its place and the true one, in sides of the image.
    hue: [N], degrees from 0 to 180; 90 on average by guessing, and where there is no colour.
    """

    place: np.ndarray
    hue: np.ndarray


def marked(images: np.ndarray, seed: int = 0) -> Marks:
    """A disc on each image [N, S, S, 3], of a hue and at a place that seed and number draw."""
    count, side = images.shape[:2]
    random = np.random.default_rng(seed)
    low = _EDGE + DIAMETER / 2
    centres = random.uniform(low, 1 - low, (count, 2)) * side
    hues = random.uniform(0, 360, count)
    rows, columns = np.mgrid[:side, :side] + 0.5
    distances = np.hypot(rows - centres[:, :1, None], columns - centres[:, 1:, None])
    masks = (distances <= DIAMETER * side / 2).astype(np.float32)  # [N, S, S]
    colors = np.array([colorsys.hsv_to_rgb(hue / 360, 1, 1) for hue in hues], np.float32) * 2 - 1
    laid = np.where(masks[..., None] > 0, colors[:, None, None], images)
    return Marks(laid.astype(np.float32), masks, hues)


def errors(marks: Marks, photos: np.ndarray, with_disc: np.ndarray, without: np.ndarray) -> Errors:
    """What is lost of the discs.

    Args:
      marks: the discs.
      photos: [N, S, S, 3], below them.
      with_disc: inversions of the photos with discs, the same shape.
      without: of the photos alone.
    """
    true = centres(np.sum((marks.images - photos) ** 2, axis=-1))
    seen = centres(np.sum((with_disc - without) ** 2, axis=-1))
    weights = marks.masks / marks.masks.sum(axis=(1, 2), keepdims=True)
    colors = np.sum(with_disc * weights[..., None], axis=(1, 2))  # means over the discs
    return Errors(np.linalg.norm(true - seen, axis=1), hue_errors(colors, marks.hues))


def centres(changes: np.ndarray) -> np.ndarray:
    """Centres of mass [N, 2] of maps [N, S, S] from 0 on, in sides; the middle where all is 0."""
    side = changes.shape[1]
    total = changes.sum(axis=(1, 2))
    weights = np.where(total[:, None, None] > _LEAST_CHANGE, changes, 1.0).astype(np.float64)
    weights /= weights.sum(axis=(1, 2), keepdims=True)
    places = (np.arange(side) + 0.5) / side
    rows, columns = weights.sum(axis=2) @ places, weights.sum(axis=1) @ places
    return np.stack([rows, columns], axis=1)


def hue_errors(colors: np.ndarray, hues: np.ndarray) -> np.ndarray:
    """Degrees between the hues of colours [N, 3] in [-1, 1] and others; 90 for what is grey."""
    rgb = np.clip((np.asarray(colors, np.float64) + 1) / 2, 0, 1)
    grey = rgb.max(axis=1) - rgb.min(axis=1) < 1e-6
    own = np.array([360 * colorsys.rgb_to_hsv(*color)[0] for color in rgb])
    away = np.abs((own - hues + 180) % 360 - 180)
    return np.where(grey, 90.0, away)
