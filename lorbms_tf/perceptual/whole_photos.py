"""Photos of any size, made small and enlarged again: what super-resolution is scored on and shown.

Photos are cropped at the right and below so that both sides are multiples of 4 (Amir and Weiss,
2021, supplement, 2.3). Everything is kept in 8 bits, as files would hold it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lorbms_tf.data import bicubic, photo_names
from lorbms_tf.data.images import BadImage, to_float, to_uint8
from lorbms_tf.data.photo_sources import listing
from lorbms_tf.errors import UserError
from lorbms_tf.perceptual.config import FACTOR
from lorbms_tf.progress import track

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

    Raises UserError where there are none, or one cannot be read or is too small.
    """
    given = []
    for source in photo_names.sources(text, flag):
        listed = listing(source)
        for number in range(len(listed.labels)):
            if limit and len(given) == limit:
                return given
            name = listed.name(number)
            try:
                given.append((name, _cropped(listed.read(number), name)))
            except BadImage as error:
                raise UserError(f"cannot use the photo {name}: {error.reason}") from error
    if not given:
        raise UserError(f"--{flag} is required")
    return given


def _cropped(photo: np.ndarray, name: str) -> np.ndarray:
    height, width = (side - side % FACTOR for side in photo.shape[:2])
    if min(height, width) < _LEAST:
        raise UserError(f"the photo {name} is smaller than {_LEAST} pixels a side")
    colours = np.repeat(photo, 3, axis=2) if photo.shape[2] == 1 else photo
    return colours[:height, :width]


def upscaler(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    """A model as a function from one small picture uint8 [h, w, 3] to uint8 [4 h, 4 w, 3]."""
    graph = tf.function(
        lambda images: model(images),
        input_signature=[tf.TensorSpec((1, None, None, 3), tf.float32)],
        autograph=False,
    )
    return lambda small: to_uint8(graph(tf.constant(to_float(small)[None]))[0])


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
