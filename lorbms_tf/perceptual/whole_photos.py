"""Photos of any size, made small and enlarged again: what super-resolution is scored on and shown.

Photos are cropped at the right and below so that both sides are multiples of 4 (Amir and Weiss,
2021, supplement, 2.3). Everything is kept in 8 bits, as files would hold it.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lorbms_tf.data import bicubic, images, photo_names
from lorbms_tf.data.images import BadImage, to_float, to_uint8
from lorbms_tf.data.photo_sources import listing
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.finite import check_finite
from lorbms_tf.perceptual.config import FACTOR
from lorbms_tf.progress import say, track

BICUBIC = "bicubic"
_LEAST = 20  # pixels a side of a photo: what the window of SSIM and the border leave


class Enlargement(NamedTuple):
    """One photo and what was made of it, uint8.

    name: of the photo.
    photo: [H, W, 3], H and W multiples of 4.
    small: [H / 4, W / 4, 3].
    made: by name, [H, W, 3].
    """

    name: str
    photo: np.ndarray
    small: np.ndarray
    made: dict[str, np.ndarray]


def photos(text: str, limit: int = 0, flag: str = "photos") -> list[tuple[str, np.ndarray]]:
    """Names and photos uint8 [H, W, 3], cropped; those that `--photos` names, at most `limit`.

    Says which cannot be read or are too small. Raises UserError where no other is left.
    """
    given, bad = [], []
    sources = photo_names.sources(text, flag)
    if not sources:
        raise UserError(f"--{flag} is required")
    for name, read in (one for source in sources for one in _each(source)):
        if limit and len(given) == limit:
            break
        try:
            given.append((name, _cropped(read())))
        except BadImage as error:
            bad.append(BadImage(name, error.reason))
    left_out = images.left_out(bad, len(given) + len(bad))
    if not given:
        raise UserError(left_out)
    if left_out:
        say(f"warning: {left_out}")
    return given


def _each(source: photo_names.Source) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """Of each photo of a place its name, and what reads it."""
    listed = listing(source)
    for number in range(len(listed.labels)):
        yield listed.name(number), functools.partial(listed.read, number)


def _cropped(photo: np.ndarray) -> np.ndarray:
    height, width = (side - side % FACTOR for side in photo.shape[:2])
    if min(height, width) < _LEAST:
        sides = f"{photo.shape[1]}x{photo.shape[0]}"
        raise BadImage("", f"too small ({sides} pixels, at least {_LEAST} a side are needed)")
    colours = np.repeat(photo, 3, axis=2) if photo.shape[2] == 1 else photo
    return colours[:height, :width]


def upscaler(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    """A model as a function from one small picture uint8 [h, w, 3] to uint8 [4 h, 4 w, 3].

    It raises UserError where what the model makes is not finite.
    """
    graph = tf.function(
        lambda images: model(images),
        input_signature=[tf.TensorSpec((1, None, None, 3), tf.float32)],
        autograph=False,
    )

    def upscale(small: np.ndarray) -> np.ndarray:
        made = graph(tf.constant(to_float(small)[None])).numpy()
        check_finite(made, "pictures that the model makes", UserError)
        return to_uint8(made[0])

    return upscale


def enlargements(
    given: Sequence[tuple[str, np.ndarray]], models: Mapping[str, Callable]
) -> Iterator[Enlargement]:
    """Of each photo what bicubic resizing and every model (`upscaler`) make.

    given: as `photos`. Shows its progress.
    """
    for name, photo in track(given, label="enlarging", unit="photo"):
        height, width = photo.shape[:2]
        small = _resized(photo, height // FACTOR, width // FACTOR)
        made = {BICUBIC: _resized(small, height, width)}
        made |= {name: upscale(small) for name, upscale in models.items()}
        yield Enlargement(name, photo, small, made)


def _resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    return to_uint8(bicubic.rounded(bicubic.resize(to_float(image), height, width)))
