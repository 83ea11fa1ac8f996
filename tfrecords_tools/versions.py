"""The fixed versions of a photo: itself, its mirror image, and scaled random crops.

A crop is fixed once by the seed, the photo's id and the version's name, so that the quadrants that
were compared are the quadrants that are trained on (thesis, 4.1 and figure 4.1).
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from lorbms_tf.data.images import square_resize
from lorbms_tf.errors import UserError


@dataclass(frozen=True)
class Version:
    """How a version is made: mirrored or not; scale 0 is the central square, else a random crop."""

    mirrored: bool = False
    scale: float = 0.0


VERSIONS = {
    "original": Version(),
    "flip": Version(mirrored=True),
    "crop_0.6": Version(scale=0.6),
    "flip_crop_0.7": Version(mirrored=True, scale=0.7),
    "flip_crop_0.9": Version(mirrored=True, scale=0.9),
}

# Thesis, table 4.1. The sets differ in the photos too; their flagfiles say which.
SETS = {
    "tr_v4": ("original", "flip"),
    "tr_v5": tuple(VERSIONS),
    "tr_v6": ("original",),
    "te_v2": ("original",),
}


def parse(text: str) -> tuple[str, ...]:
    """Version names from a flag: names and sets, comma-separated ("original,flip", "tr_v5").

    Returns each name once, in the order of `VERSIONS`. Raises UserError listing the valid names
    where one is unknown or none is given.
    """
    chosen: set[str] = set()
    for word in text.split(","):
        word = word.strip()
        if word not in VERSIONS and word not in SETS:
            raise UserError(
                f"--versions: unknown version {word!r}; valid are {', '.join(VERSIONS)}, "
                f"several of them separated by commas, and the sets {', '.join(SETS)}"
            )
        chosen.update(SETS.get(word, (word,)))
    return tuple(name for name in VERSIONS if name in chosen)


def crop_place(
    height: int, width: int, version: str, photo_id: str, seed: int
) -> tuple[int, int, int]:
    """Where a version with a scale is cut from a photo of `height` x `width` pixels.

    The side is `scale` times the short side (at least one pixel), the place uniform over the whole
    photo. Returns (top, left, side) in pixels of the photo before it is mirrored.
    """
    side = max(1, round(VERSIONS[version].scale * min(height, width)))
    # The hash itself is the random number: it stays the same on every machine and with every
    # version of every library, which no random generator promises.
    digest = hashlib.sha256(f"{seed}\n{version}\n{photo_id}".encode()).digest()
    top = int.from_bytes(digest[:8], "big") % (height - side + 1)
    left = int.from_bytes(digest[8:16], "big") % (width - side + 1)
    return top, left, side


def square_place(
    height: int, width: int, version: str, photo_id: str, seed: int
) -> tuple[int, int, int]:
    """The square that a version shows: (top, left, side), pixels of the photo, not yet mirrored.

    That is `crop_place` for a version with a scale, else the central square.
    """
    if VERSIONS[version].scale:
        return crop_place(height, width, version, photo_id, seed)
    side = min(height, width)
    return (height - side) // 2, (width - side) // 2, side


def make(photo: np.ndarray, version: str, photo_id: str, seed: int, image_size: int) -> np.ndarray:
    """One version of a photo: a square of it, resized by area (lorbms: 64) and maybe mirrored.

    The same arguments give the same crop at every `image_size`, so features may be computed from a
    larger image than is trained on. "flip" is "original" mirrored, to the pixel.

    Args:
      photo: uint8 RGB [H, W, 3] of any size.
      version: a name in `VERSIONS`.
      photo_id: fixes the crop, with `seed` and `version`.
      seed: any integer.
      image_size: side of the result in pixels.

    Returns:
      uint8 [image_size, image_size, 3].

    Raises:
      ValueError: `version` is unknown (`parse` checks what a user gives).
    """
    if version not in VERSIONS:
        raise ValueError(f"unknown version {version!r}, valid are {', '.join(VERSIONS)}")
    top, left, side = square_place(*photo.shape[:2], version, photo_id, seed)
    square = photo[top : top + side, left : left + side]
    image = square_resize(np.ascontiguousarray(square), image_size)
    # Mirrored last: the square in the middle of a mirrored photo may lie a pixel further.
    return np.ascontiguousarray(image[:, ::-1] if VERSIONS[version].mirrored else image)
