"""Bicubic resizing as MATLAB's `imresize` does it, by which super-resolution is measured.

The kernel is Keys's (1981) with -0.5; where a picture becomes smaller it is stretched by the same
factor, so that nothing aliases. Numbers of papers on super-resolution compare only where the small
pictures are made so, and rounded to 8 bits.
"""

import functools

import numpy as np

_SUPPORT = 2.0  # of the kernel to each side, pixels of the coarser grid
_MIDDLE = 127.5  # of 0 to 255


@functools.cache
def matrix(before: int, after: int) -> np.ndarray:
    """What a line of `before` pixels is multiplied with to have `after`: float32 [after, before].

    Every row sums to 1; beyond the border the line is mirrored, the outermost pixel twice.

    Raises ValueError where either has no pixel.
    """
    if min(before, after) < 1:
        raise ValueError(f"lines have 1 or more pixels, not {before} and {after}")
    scale = after / before
    stretch = max(1.0, 1.0 / scale)
    centres = (np.arange(after) + 0.5) / scale - 0.5
    reach = int(np.ceil(_SUPPORT * stretch)) + 1
    offsets = np.arange(-reach, reach + 1)
    places = np.floor(centres)[:, None].astype(int) + offsets  # [after, taps]
    weights = _keys((centres[:, None] - places) / stretch)
    weights /= weights.sum(axis=1, keepdims=True)
    mirrored = places % (2 * before)
    mirrored = np.where(mirrored < before, mirrored, 2 * before - 1 - mirrored)
    made = np.zeros((after, before))
    np.add.at(made, (np.arange(after)[:, None], mirrored), weights)
    return made.astype(np.float32)


def resize(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Float images [..., H, W, C] -> [..., height, width, C], neither rounded nor clipped."""
    down, across = matrix(images.shape[-3], height), matrix(images.shape[-2], width)
    return np.einsum("hy,...yxc,wx->...hwc", down, images, across, optimize=True)


def rounded(images: np.ndarray) -> np.ndarray:
    """Float images in [-1, 1], clipped to it and rounded to the 256 values of 8 bits."""
    grey = np.floor((np.clip(images, -1.0, 1.0) + 1.0) * _MIDDLE + 0.5)  # as MATLAB rounds
    return (grey / _MIDDLE - 1.0).astype(np.float32)


def _keys(distances: np.ndarray) -> np.ndarray:
    """The kernel at distances of any sign."""
    x = np.abs(distances)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x <= 1.0, near, np.where(x <= 2.0, far, 0.0))
