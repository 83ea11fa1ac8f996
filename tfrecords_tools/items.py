"""Photos to images: every version of every photo, once small for the records, once for features."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from lorbms_tf.data.images import BadImage, encode_jpeg, read_photo
from tfrecords_tools import versions
from tfrecords_tools.assemble import Item
from tfrecords_tools.duplicates import perceptual_hash
from tfrecords_tools.sources import Photo
from tfrecords_tools.threads import in_order


@dataclass(frozen=True)
class Cut:
    """One photo's versions: items for the records, larger squares for the feature network."""

    content_hash: str  # of the decoded photo: the same for copies, whatever their names
    items: list[Item]
    squares: list[np.ndarray]  # uint8 [S, S, 3]
    perceptual_hash: bytes  # of the decoded photo (`duplicates`); empty where it was not asked for


@dataclass
class Collected:
    """What `Cutter` gathers beside the squares that it yields; N images.

    The rows of photos that could not be read stay, marked, because their squares (blank) have
    been handed out already: take `kept` of what was computed from the squares.
    """

    items: list[Item] = field(default_factory=list)  # of the kept rows only
    content_hashes: list[str] = field(default_factory=list)
    image_hashes: list[str] = field(default_factory=list)
    perceptual_hashes: list[bytes] = field(default_factory=list)  # of photos, for each image
    kept: list[bool] = field(default_factory=list)  # [N], False where the photo was skipped
    skipped: list[BadImage] = field(default_factory=list)

    def extend(self, further: "Collected") -> None:
        """Adds what another one has gathered, behind what is here."""
        for name, values in vars(further).items():
            getattr(self, name).extend(values)

    def drain(self) -> "Collected":
        """All that has been gathered since the last time; this one is empty afterwards."""
        taken = Collected(**vars(self))
        self.__init__()
        return taken


def cut(
    photo: Photo,
    names: Sequence[str],
    seed: int,
    image_size: int,
    square_size: int,
    perceptual: bool = False,
) -> Cut | BadImage:
    """Reads a photo and makes its versions; a photo that cannot be read is returned as BadImage.

    Args:
      photo: id and file.
      names: versions (`tfrecords_tools.versions`).
      seed: of the crops.
      image_size: side of the images in the records, pixels.
      square_size: side of the squares for the feature network, pixels; the same crops.
      perceptual: whether the photo's perceptual hash is wanted.
    """
    try:
        pixels = read_photo(photo.path)
    except BadImage as error:
        return error
    made = [versions.make(pixels, name, photo.photo_id, seed, image_size) for name in names]
    squares = [versions.make(pixels, name, photo.photo_id, seed, square_size) for name in names]
    items = [
        Item(photo.photo_id, name, encode_jpeg(image))
        for name, image in zip(names, made, strict=True)
    ]
    digest = _digest(repr(pixels.shape).encode(), pixels.data)
    return Cut(digest, items, squares, perceptual_hash(pixels) if perceptual else b"")


def cut_all(
    photos: Sequence[Photo],
    names: Sequence[str],
    seed: int,
    image_size: int,
    square_size: int,
    num_workers: int,
    collected: Collected,
    perceptual: bool = False,
) -> Iterator[np.ndarray]:
    """Yields the squares of all versions of all photos in order and fills `collected`.

    Yields len(photos) * len(names) times uint8 [square_size, square_size, 3]. The result does not
    depend on `num_workers` (threads; 0: one for each core).
    """
    blank = np.zeros((square_size, square_size, 3), np.uint8)
    jobs = ((photo, names, seed, image_size, square_size, perceptual) for photo in photos)
    for result in in_order(cut, jobs, num_workers):
        if isinstance(result, BadImage):
            collected.skipped.append(result)
            collected.kept.extend([False] * len(names))
            yield from [blank] * len(names)
            continue
        collected.items.extend(result.items)
        collected.content_hashes.extend([result.content_hash] * len(names))
        collected.image_hashes.extend(_digest(item.image) for item in result.items)
        collected.perceptual_hashes.extend([result.perceptual_hash] * len(names))
        collected.kept.extend([True] * len(names))
        yield from result.squares


def _digest(*parts) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
