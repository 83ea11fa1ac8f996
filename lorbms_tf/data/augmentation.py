"""Augmentations as numbers: an image is turned, moved and coloured by a vector rho.

Seed 003 (Wertheimer, Poursaeed and Hariharan) samples rho uniformly and interpolates it linearly.
rho is float [B, 9], one column for each of `PARAMETERS`, each a difference from no change, so that
zeros are exactly the identity:

    rotation    degrees, counter-clockwise as one sees it
    shift_x     pixels to the right
    shift_y     pixels down
    scale       what is shown is 1 + scale times as large
    shear       degrees by which upright lines lean to the right
    brightness  values, from 0 (black) on, become 1 + brightness times as large
    contrast    so do differences from the image's mean grey
    saturation  so do differences of each pixel from its own grey
    hue         turns of the colour circle, from -0.5 to 0.5

All of it is one inverse affine warp with bilinear interpolation and one affine map of colours. It
is differentiable in images and rho, and needs no kernel of its own: the gradient of Keras's
`affine_transform` in images is not exact, in the transform there is none, and XLA does not know it.
"""

import math
from typing import NamedTuple

from keras import ops, random

PARAMETERS = (
    *("rotation", "shift_x", "shift_y", "scale", "shear"),
    *("brightness", "contrast", "saturation", "hue"),
)
FILL_MODES = ("constant", "nearest", "reflect")
BLACK = -1.0
_LUMA = (0.299, 0.587, 0.114)


class Ranges(NamedTuple):
    """How far each parameter goes to both sides of no change; units as above, shift for x and y."""

    rotation: float
    shift: float
    scale: float
    shear: float
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0

    @property
    def widths(self) -> tuple[float, ...]:
        """One for each of `PARAMETERS`."""
        return (self.rotation, self.shift, self.shift, self.scale, self.shear, *self[4:])

    @property
    def has_colours(self) -> bool:
        """Whether colours change at all."""
        return any(self[4:])


# Seed 003, supplement: characters of 28 px, natural images of 64 px.
CHARACTERS = Ranges(rotation=20, shift=4, scale=0.2, shear=6)
NATURAL = Ranges(10, 8, 0.2, 3, brightness=0.25, contrast=0.25, saturation=0.25, hue=0.05)


def sample(count: int, ranges: Ranges, seed):
    """rho [count, 9], uniform in the ranges. seed: an int or a `keras.random.SeedGenerator`."""
    return from_uniforms(random.uniform((count, len(PARAMETERS)), seed=seed), ranges)


def from_uniforms(uniforms, ranges: Ranges):
    """rho from draws [B, 9] in [0, 1), for those who draw by step: 0.5 is no change."""
    uniforms = ops.convert_to_tensor(uniforms)
    return (2 * uniforms - 1) * ops.convert_to_tensor(ranges.widths, uniforms.dtype)


def between(first, second, alpha):
    """(1 - alpha) first + alpha second, of rho [B, 9] each and alpha [B]."""
    alpha = ops.expand_dims(ops.convert_to_tensor(alpha), -1)
    return (1 - alpha) * first + alpha * second


def augment(images, rho, ranges: Ranges = NATURAL, fill_mode: str = "reflect"):
    """Images [B, H, W, C] in [-1, 1] turned and coloured by rho [B, 9], in the same range.

    Args:
      images: C is 1 or 3.
      rho: see above.
      ranges: where they leave colours alone, those are not computed.
      fill_mode: see `warp`; characters take "constant".
    """
    turned = warp(images, rho, fill_mode)
    return recolour(turned, rho) if ranges.has_colours else turned


def affine(rho) -> tuple:
    """What becomes of a point (x, y), counted from the center in pixels, y down.

    Returns the matrix [B, 2, 2] and the shift [B, 2]: matrix (x, y) + shift. Sheared first, then
    scaled and turned about the center, then shifted.
    """
    angle, shift_x, shift_y, scale, shear = _columns(rho, 0, 5)
    cos, sin = ops.cos(_radians(angle)), ops.sin(_radians(angle))
    scale, lean = 1 + scale, ops.tan(_radians(shear))
    # [cos sin; -sin cos] scale [1 -lean; 0 1]: y points down.
    rows = [
        [scale * cos, scale * (sin - lean * cos)],
        [-scale * sin, scale * (cos + lean * sin)],
    ]
    matrix = ops.stack([ops.stack(row, -1) for row in rows], -2)
    return matrix, ops.stack([shift_x, shift_y], -1)


def warp(images, rho, fill_mode: str = "constant", fill_value: float = BLACK):
    """Images [B, H, W, C] moved as `affine` says, each pixel from where it was before.

    Args:
      images: floats.
      rho: [B, 9]; colours are left alone.
      fill_mode: what lies outside: "constant" (`fill_value`), "nearest" (the edge's colours) or
        "reflect" (the image mirrored at its edge: c b a | a b c).
      fill_value: see there.

    Raises ValueError for another fill mode.
    """
    if fill_mode not in FILL_MODES:
        raise ValueError(f"fill_mode {fill_mode!r} is not one of {', '.join(FILL_MODES)}")
    rho = ops.convert_to_tensor(rho)
    images = ops.cast(images, rho.dtype)
    height, width = images.shape[1:3]
    x, y = _origins(rho, height, width)
    if fill_mode == "constant":  # one row and column of it around the image: beyond, all is alike
        images = ops.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=fill_value)
        x, y, height, width = x + 1, y + 1, height + 2, width + 2
    elif fill_mode == "reflect":
        x, y = _mirrored(x, width), _mirrored(y, height)
    return _bilinear(images, ops.clip(x, 0, width - 1), ops.clip(y, 0, height - 1))


def _mirrored(place, extent: int):
    """Where a place outside an image mirrored at its edges comes from, between its outer edges."""
    place = ops.mod(place + 0.5, 2 * extent)
    return ops.minimum(place, 2 * extent - place) - 0.5


def _bilinear(images, x, y):
    """Images [B, H, W, C] at columns x and rows y inside them, [B, H', W'] each: [B, H', W', C].

    The four pixels about a place lie side by side, so that they are fetched at once.
    """
    batch, (height, width, channels) = ops.shape(images)[0], images.shape[1:]
    more = ops.pad(images, ((0, 0), (0, 1), (0, 1), (0, 0)), mode="symmetric")
    four = [more[:, i : height + i, j : width + j] for i in (0, 1) for j in (0, 1)]
    four = ops.reshape(ops.concatenate(four, axis=-1), (-1, 4 * channels))
    left, top = ops.floor(x), ops.floor(y)
    first = ops.reshape(ops.arange(batch, dtype="int32") * (height * width), (-1, 1, 1))
    place = first + ops.cast(top * width + left, "int32")
    upper, lower = ops.split(ops.take(four, place, axis=0), 2, axis=-1)
    across, down = (ops.expand_dims(part, -1) for part in (x - left, y - top))
    rows = (1 - down) * upper + down * lower
    return (1 - across) * rows[..., :channels] + across * rows[..., channels:]


def _origins(rho, height: int, width: int) -> tuple:
    """Where each pixel comes from: columns and rows [B, H, W], by the inverse of `affine`."""
    angle, shift_x, shift_y, scale, shear = (
        ops.reshape(column, (-1, 1, 1)) for column in _columns(rho, 0, 5)
    )
    cos, sin = ops.cos(_radians(angle)), ops.sin(_radians(angle))
    center_x, center_y = (width - 1) / 2, (height - 1) / 2
    x = ops.cast(ops.reshape(ops.arange(width), (1, 1, -1)), rho.dtype) - center_x - shift_x
    y = ops.cast(ops.reshape(ops.arange(height), (1, -1, 1)), rho.dtype) - center_y - shift_y
    across = (cos * x - sin * y) / (1 + scale)
    down = (sin * x + cos * y) / (1 + scale)
    return across + ops.tan(_radians(shear)) * down + center_x, down + center_y


def recolour(images, rho):
    """Images [B, H, W, C] in [-1, 1] in other colours, clipped to that range.

    In this order: brightness, contrast, saturation, and hue as a turn about the axis of greys that
    keeps each pixel's luma. Grey images (C = 1) have neither saturation nor hue.
    """
    rho = ops.convert_to_tensor(rho)
    images = ops.cast(images, rho.dtype)
    brightness, contrast, saturation, hue = _columns(rho, 5, 9)
    factor = (1 + brightness) * (1 + contrast)
    colourful = images.shape[-1] == 3
    luma = ops.convert_to_tensor(_LUMA if colourful else (1.0,), rho.dtype)
    mean = ops.mean(ops.sum(images * luma, -1), (1, 2))
    # Values from 0 are (1 + images) / 2, which gives this constant.
    constant = brightness - contrast * (1 + brightness) * mean
    if colourful:
        mixed = _product(_colour_turn(hue), _saturations(saturation, luma))
        mixed = ops.reshape(factor, (-1, 1, 1)) * mixed
        images = sum(images[..., c, None] * mixed[:, None, None, :, c] for c in range(3))
    else:
        images = ops.reshape(factor, (-1, 1, 1, 1)) * images
    return ops.clip(images + ops.reshape(constant, (-1, 1, 1, 1)), -1, 1)


def _product(first, second):
    """Of matrices [B, 3, 3], in full precision, which GPUs do not take for `matmul`."""
    return ops.sum(first[:, :, :, None] * second[:, None], 2)


def _saturations(saturation, luma):
    """Matrices [B, 3, 3] that move colours away from their greys."""
    away = ops.eye(3, dtype=luma.dtype) - ops.reshape(luma, (1, 1, 3))
    return ops.eye(3, dtype=luma.dtype) + ops.reshape(saturation, (-1, 1, 1)) * away


def _colour_turn(hue):
    """Matrices [B, 3, 3] that turn colours about the axis of greys, each luma kept.

    A turn in the plane of equal luma is made of what is no grey (P) and of a quarter turn of it
    (Q): I + (cos - 1) P + sin Q.
    """
    angle = ops.reshape(2 * math.pi * hue, (-1, 1, 1))
    plane, quarter = (ops.convert_to_tensor(part, hue.dtype) for part in _PLANE)
    turn = (ops.cos(angle) - 1) * plane + ops.sin(angle) * quarter
    return ops.eye(3, dtype=hue.dtype) + turn


def _plane() -> tuple[list[list[float]], list[list[float]]]:
    """P: a colour without its luma. Q: that turned by a quarter about (1, 1, 1), luma kept.

    Q is the cross product with the axis, red towards green, then shifted along the greys to luma 0.
    """
    plane = [[float(i == j) - _LUMA[j] for j in range(3)] for i in range(3)]
    root = math.sqrt(3)
    cross = [[0, -1 / root, 1 / root], [1 / root, 0, -1 / root], [-1 / root, 1 / root, 0]]
    lumas = [sum(_LUMA[i] * cross[i][j] for i in range(3)) for j in range(3)]
    quarter = [[cross[i][j] - lumas[j] for j in range(3)] for i in range(3)]
    return plane, quarter


_PLANE = _plane()


def _radians(degrees):
    return degrees * (math.pi / 180)


def _columns(rho, first: int, end: int) -> list:
    """Columns of rho, [B] each."""
    rho = ops.convert_to_tensor(rho)
    return [rho[:, column] for column in range(first, end)]
