"""The problems of the generalised image mean: sets of pictures that are alike, by their number.

Amir and Weiss (2021), supplement, 2.2. A set of targets is float32 [N, S, S, 3] in [-1, 1] and
follows from the seed and the problem's number alone.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from lorbms_tf import progress
from lorbms_tf.data import images
from lorbms_tf.errors import UserError

NOISE_VARIANCE = 0.04  # of codes around one code whose numbers have the variance 1
_CODES, _CROPS = 1, 2  # number the streams of draws


class Spatial(NamedTuple):
    """Crops of one photo that lie a few pixels apart; a photo a problem.

    photos: paths of the photos, a problem each, in their order.
    image_size: S.
    short_side: of the photo, which is resized first, pixels.
    shift: most pixels from the central crop, in each direction.
    seed: of the crops.
    """

    photos: Sequence[Path]
    image_size: int
    short_side: int = 256
    shift: int = 4
    seed: int = 0

    def targets(self, number: int, count: int) -> np.ndarray:
        """The targets of problem `number`: [count, S, S, 3].

        Raises UserError where its photo cannot be read.
        """
        photo = _short_side(_read(self.photos[number]), self.short_side)
        rng = np.random.default_rng([self.seed, _CROPS, number])
        middle = [(side - self.image_size) // 2 for side in photo.shape[:2]]
        corners = middle + rng.integers(-self.shift, self.shift + 1, (count, 2))
        size = self.image_size
        return images.to_float(
            np.stack([photo[top : top + size, left : left + size] for top, left in corners])
        )

    def name(self, number: int) -> str:
        """What the problem is made of, for a person."""
        return self.photos[number].name


class Generator(NamedTuple):
    """Pictures that a generator makes of codes around one code.

    decode: codes float32 [B, ...] -> images [B, s, s, 3] in [-1, 1].
    middle: (number of the problem, generator of draws) -> the one code [...].
    image_size: S, to which they are averaged down.
    variance: of the noise, for codes of variance 1; for others in proportion to their mean square.
    seed: of codes and noise.
    """

    decode: Callable[[np.ndarray], np.ndarray]
    middle: Callable[[int, np.random.Generator], np.ndarray]
    image_size: int
    variance: float = NOISE_VARIANCE
    seed: int = 0

    def targets(self, number: int, count: int) -> np.ndarray:
        """The targets of problem `number`: [count, S, S, 3].

        Raises UserError where what the generator makes is not finite.
        """
        made = np.asarray(self.decode(self.codes(number, count)), np.float32)
        if not np.isfinite(made).all():
            raise UserError("the generator makes pictures that are not finite")
        side = made.shape[1]
        if side == self.image_size:
            return np.clip(made, -1.0, 1.0)
        size = self.image_size
        return images.to_float(
            np.stack([images.square_resize(picture, size) for picture in images.to_uint8(made)])
        )

    def codes(self, number: int, count: int) -> np.ndarray:
        """Codes [count, ...] at one distance from the origin, that of the code in their middle."""
        rng = np.random.default_rng([self.seed, _CODES, number])
        middle = np.asarray(self.middle(number, rng), np.float32)
        spread = np.sqrt(self.variance * np.mean(np.square(middle)))
        noise = rng.standard_normal((count, *middle.shape), np.float32)
        codes = middle + np.float32(spread) * noise
        axes = tuple(range(1, codes.ndim))
        lengths = np.sqrt(np.square(codes).sum(axis=axes, keepdims=True))
        return codes * (np.linalg.norm(middle) / np.maximum(lengths, 1e-12))

    def name(self, number: int) -> str:
        """What the problem is made of, for a person."""
        return f"code {number}"


def spatial(folder: str, count: int, image_size: int, short_side: int, shift: int, seed: int):
    """`Spatial` problems of a folder of photos; the seed tells which, too.

    Says which photos cannot be read. Raises UserError where the others are fewer than the problems,
    or crops do not fit the photos.
    """
    if image_size + 2 * shift > short_side:
        raise UserError(
            f"--short_side={short_side} is too small: crops of --image_size={image_size} within "
            f"--shift={shift} of the centre need at least {image_size + 2 * shift}"
        )
    photos = images.list_photos(folder)
    if len(photos) < count:
        raise UserError(
            f"--images={folder} has {len(photos)} photos, fewer than --num_problems={count}"
        )
    chosen, bad = [], []
    for number in np.random.default_rng(seed).permutation(len(photos)):
        if len(chosen) == count:
            break
        try:
            images.read_photo(photos[number])
            chosen.append(photos[number])
        except images.BadImage as error:
            bad.append(error)
    left_out = images.left_out(bad, len(chosen) + len(bad))
    if len(chosen) < count:
        raise UserError(
            f"--images={folder} has {len(chosen)} photos of use, fewer than "
            f"--num_problems={count}: {left_out}"
        )
    if left_out:
        progress.say(f"warning: {left_out}")
    return Spatial(chosen, image_size, short_side, shift, seed)


def _read(path: Path) -> np.ndarray:
    try:
        return images.read_photo(path)
    except images.BadImage as error:
        raise UserError(f"cannot use the photo {path}: {error.reason}") from error


def _short_side(photo: np.ndarray, side: int) -> np.ndarray:
    """A photo [H, W, 3], resized so that its shorter side has `side` pixels."""
    height, width = photo.shape[:2]
    if min(height, width) == side:
        return photo
    scale = side / min(height, width)
    size = (max(side, round(width * scale)), max(side, round(height * scale)))
    return np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR))
