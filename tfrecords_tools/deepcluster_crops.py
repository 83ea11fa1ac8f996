"""The quadrants that DeepCluster learns from: one file of pixels, mapped into memory.

A file, because a pass reads it twice and in random order, and COCO's photos at 224 px would take
70 GB of memory. It holds the central square of each photo at twice the network's size, so that
its quadrants are those that `tfrecords_tools.build` compares.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lorbms_tf.data.images import BadImage, read_photo
from lorbms_tf.data.quadrants import NUM_QUADRANTS, quadrant
from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_path
from lorbms_tf.progress import track
from tfrecords_tools import build_report, feature_store, sources, versions
from tfrecords_tools.sources import Photo
from tfrecords_tools.threads import in_order


class Crops:
    """The quadrants of N photos, 4 N in all, in the order q1..q4 of each photo.

    squares: uint8 [N, 2 S, 2 S, 3].
    """

    def __init__(self, squares: np.ndarray):
        self._squares = squares
        self.size = squares.shape[1] // 2

    def __len__(self) -> int:
        return NUM_QUADRANTS * len(self._squares)

    def take(self, places: Sequence[int]) -> np.ndarray:
        """The quadrants at some places: uint8 [len(places), S, S, 3]."""
        taken = [quadrant(self._squares[p // NUM_QUADRANTS], p % NUM_QUADRANTS) for p in places]
        return np.stack(taken)


def open_or_make(
    path: Path, images: str, size: int, min_size: int, max_photos: int, seed: int, num_workers: int
) -> Crops:
    """The quadrants in the file `path`, which is made from a folder of photos where it is absent.

    Args:
      path: the file of pixels, 12 * size * size bytes a photo.
      images: folder of photos.
      size: side of a quadrant, pixels.
      min_size: both sides of a photo have at least so many pixels.
      max_photos: take so many, drawn by the seed; 0 means all.
      seed: of that draw.
      num_workers: threads that read; 0 means one for each core.

    Raises UserError where there are no photos, or the file is not one of this size.
    """
    if not path.is_file():
        photos, counts = sources.load(
            images, "", min_size, num_workers=num_workers, sample=max_photos, seed=seed
        )
        print("\n".join(build_report.photo_lines(counts)), flush=True)
        if not photos:
            raise UserError(f"--images={images} holds no photo of {min_size} px (see --min_size)")
        _write(path, photos, size, num_workers)
    try:
        squares = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}): remove it") from error
    if squares.ndim != 4 or squares.shape[1:] != (2 * size, 2 * size, 3):
        raise UserError(f"{path} holds pixels of another size: remove it")
    return Crops(squares)


def _write(path: Path, photos: list[Photo], size: int, num_workers: int) -> None:
    shape = (len(photos), 2 * size, 2 * size, 3)
    with atomic_path(path) as temporary:
        squares = feature_store.new_array(temporary, "uint8", shape)
        made = in_order(_square, ((photo, size) for photo in photos), num_workers)
        made = track(made, total=len(photos), label="cutting photos", unit="photo")
        for place, square in enumerate(made):
            squares[place] = square
        squares.flush()


def _square(photo: Photo, size: int) -> np.ndarray:
    try:
        pixels = read_photo(photo.path)
    except BadImage as error:  # it was whole a moment ago
        raise UserError(str(error)) from error
    return versions.make(pixels, "original", photo.photo_id, 0, 2 * size)
