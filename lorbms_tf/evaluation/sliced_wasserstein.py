"""Sliced Wasserstein distance between patches of Laplacian pyramids (Karras et al., 2018).

Every level of the pyramid shows one band of sizes: the finest tells of edges and noise, the
coarsest of the large layout. No network takes part.

Two forms. As published, the places of the patches are drawn apart for the two sets, and the
distance tells of sets alone: even a set and its copy are at some distance, which falls with the
number of images. Paired, patches come from the same places of images that belong together, as a
photo and its reconstruction do: 0 for a copy. The two do not compare.
"""

import math

import numpy as np

from lorbms_tf.evaluation.finite import check_finite
from lorbms_tf.progress import track

LEAST_SIDE = 16  # pixels of the coarsest level
PATCH = 7  # pixels a side
PATCHES_PER_IMAGE = 128
DIRECTIONS = 512
_SCALE = 1e3  # as published
_LEAST_DEVIATION = 1e-5  # of a level; below is but rounding (one grey level is 8e-3)
_BLOCK = 256  # images whose pyramids are in memory together
_TAPS = np.array([1, 4, 6, 4, 1], np.float32) / 16.0


def sliced_wasserstein(
    real: np.ndarray,
    generated: np.ndarray,
    seed: int = 0,
    paired: bool = False,
    silent: bool = False,
) -> dict[int, float]:
    """The distance at every level of the pyramid, times 1000.

    Patches of 7 x 7 pixels are drawn from each image, normalised by channel over each set, and
    projected on random directions; along each the two sets are compared sorted.

    Args:
      real: float [N, S, S, 3] in [-1, 1]; S halves to 16 exactly (16, 32, 64, 128, ...).
      generated: the same shape: sorted projections are compared one to one.
      seed: of places and directions. The same arguments give the same distances.
      paired: whether image i of both sets shows the same, and patches are to be taken from the
        same places.
      silent: show no progress.

    Returns:
      side of the level in pixels -> distance, finest first; at least 0, lower is better. Paired it
      is 0 for equal sets.

    Raises:
      ValueError: shapes differ or cannot be halved down to 16, or images are not finite.
    """
    real, generated = np.asarray(real, np.float32), np.asarray(generated, np.float32)
    if real.shape != generated.shape or real.ndim != 4 or not len(real):
        raise ValueError(
            f"both must be [N, S, S, 3], not {list(real.shape)} and {list(generated.shape)}"
        )
    check_finite(real, "real images")
    check_finite(generated, "generated images")
    side = real.shape[1]
    if side != real.shape[2] or side < LEAST_SIDE or side & (side - 1):
        raise ValueError(f"images must be squares of 16, 32, 64, ... pixels, not {real.shape[1:3]}")
    distances = {}
    rng = np.random.default_rng(seed)
    sides = _sides(side)
    tracked = sides if silent else track(sides, label="comparing patches", unit="level")
    for level, width in enumerate(tracked):
        of_real = _places(rng, len(real), width)
        of_generated = of_real if paired else _places(rng, len(real), width)
        one = _normal(_patches(real, level, of_real))
        two = _normal(_patches(generated, level, of_generated))
        directions = rng.standard_normal((one.shape[1], DIRECTIONS)).astype(np.float32)
        directions /= np.linalg.norm(directions, axis=0)
        distances[width] = _SCALE * _sliced(one, two, directions)
    return distances


def paired_distance(real: np.ndarray, generated: np.ndarray, seed: int = 0) -> float:
    """The mean over levels of the paired form: one number. Arguments and errors as above."""
    return float(np.mean(list(sliced_wasserstein(real, generated, seed, paired=True).values())))


def _sides(side: int) -> list[int]:
    """Of the levels of a pyramid, finest first."""
    return [side >> level for level in range((side // LEAST_SIDE).bit_length())]


def laplacian_pyramid(images: np.ndarray) -> list[np.ndarray]:
    """Differences between neighbouring blurs, and the last blur: [N, S, S, C], [N, S/2, ...]."""
    levels = []
    while images.shape[1] > LEAST_SIDE:
        smaller = _blur(images)[:, ::2, ::2]
        levels.append(images - _enlarge(smaller))
        images = smaller
    return [*levels, images]


def _blur(images: np.ndarray) -> np.ndarray:
    """A Gaussian of 5 x 5 taps, the edge mirrored."""
    for axis in (1, 2):
        padding = [(2, 2) if a == axis else (0, 0) for a in range(4)]
        padded = np.pad(images, padding, mode="reflect")
        size = images.shape[axis]
        images = sum(
            tap * np.take(padded, range(i, i + size), axis=axis) for i, tap in enumerate(_TAPS)
        )
    return images


def _enlarge(images: np.ndarray) -> np.ndarray:
    """Twice the side: zeros between the pixels, blurred, four times as bright."""
    count, height, width, channels = images.shape
    spread = np.zeros((count, 2 * height, 2 * width, channels), images.dtype)
    spread[:, ::2, ::2] = images
    return 4.0 * _blur(spread)


def _places(rng: np.random.Generator, count: int, side: int) -> np.ndarray:
    """Upper left corners of patches: int [count, PATCHES_PER_IMAGE, 2]."""
    return rng.integers(side - PATCH + 1, size=(count, PATCHES_PER_IMAGE, 2))


def _patches(images: np.ndarray, level: int, places: np.ndarray) -> np.ndarray:
    """Patches of one level of the images' pyramids: [N * PATCHES_PER_IMAGE, C, 7, 7]."""
    parts = []
    for start in range(0, len(images), _BLOCK):  # whole sets of pyramids would fill the memory
        block = laplacian_pyramid(images[start : start + _BLOCK])[level]
        corners = places[start : start + _BLOCK]
        windows = np.lib.stride_tricks.sliding_window_view(block, (PATCH, PATCH), axis=(1, 2))
        rows = np.arange(len(block))[:, None]
        parts.append(windows[rows, corners[..., 0], corners[..., 1]])  # [B, P, C, 7, 7]
    patches = np.concatenate(parts)
    return patches.reshape(-1, *patches.shape[2:])


def _normal(patches: np.ndarray) -> np.ndarray:
    """Each channel brought to mean 0 and deviation 1 over the set, in place: [.., C * 7 * 7]."""
    for channel in range(patches.shape[1]):
        values = patches[:, channel]
        values -= float(values.mean(dtype=np.float64))
        deviation = math.sqrt(np.square(values).mean(dtype=np.float64))
        if deviation > _LEAST_DEVIATION:
            values /= deviation
        else:
            values[:] = 0
    return patches.reshape(len(patches), -1)


def _sliced(one: np.ndarray, two: np.ndarray, directions: np.ndarray) -> float:
    total = 0.0
    for start in range(0, directions.shape[1], 64):  # bounds the memory
        part = directions[:, start : start + 64]
        difference = np.sort(one @ part, axis=0) - np.sort(two @ part, axis=0)
        total += float(np.abs(difference).mean(dtype=np.float64)) * part.shape[1]
    return total / directions.shape[1]
