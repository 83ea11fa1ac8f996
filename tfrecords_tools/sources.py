"""The source photos of a dataset: which are used, which are dropped and why.

Every photo that passes the box filter is decoded once in full, because only that shows a file
that is cut short or corrupt; a long build then does not fail at its end.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorbms_tf.data.images import EXTENSIONS, BadImage, list_photos, read_photo
from lorbms_tf.errors import UserError
from lorbms_tf.progress import track
from tfrecords_tools import coco

ABSENT = "named in the annotations, absent from the folder"
NOT_NAMED = "in the folder, not named in the annotations"
UNREADABLE = "unreadable"
NUM_EXAMPLES = 5  # file names that are remembered for each reason


@dataclass(frozen=True)
class Photo:
    """A source photo: its id (COCO image id, or path below the folder) and its file."""

    photo_id: str
    path: Path


class _Counts:
    """How many photos were read and kept, and how many dropped for each reason."""

    def __init__(self, read: int):
        self.read = read
        self.dropped: dict[str, int] = {}
        self.examples: dict[str, list[str]] = {}

    def drop(self, reason: str, name: str) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
        names = self.examples.setdefault(reason, [])
        if len(names) < NUM_EXAMPLES:
            names.append(name)

    def result(self, kept: int) -> dict[str, Any]:
        return {
            "read": self.read,
            "kept": kept,
            "dropped": self.dropped,
            "examples": self.examples,
        }


def load(
    images_dir: str | os.PathLike,
    annotations: str | os.PathLike = "",
    min_size: int = 200,
    min_boxes: int = 4,
    num_workers: int = 0,
) -> tuple[list[Photo], dict[str, Any]]:
    """Finds the photos that a dataset is made from (thesis, table 4.1).

    Args:
      images_dir: folder of photos. Without annotations it is searched with its subfolders, and
        a photo's id is its path below it; with annotations it holds the files that they name.
      annotations: COCO annotation file; "" for a plain folder.
      min_size: both sides of a kept photo have at least so many pixels, as decoded (after EXIF
        rotation), whatever the annotations say.
      min_boxes: a kept photo has at least so many boxes, crowd regions not counted; not used
        without annotations.
      num_workers: threads that decode; 0 means one for each core.

    Returns:
      The kept photos, sorted by id (COCO ids in numeric order), and the counts, ready for JSON:
      {"read": n, "kept": n, "dropped": {reason: n}, "examples": {reason: [file names]}}. A photo
      is dropped for one reason only, the first of: absent, too few boxes, unreadable, too small.
      With annotations, photos in the folder that they do not name count as read and dropped.

    Raises:
      UserError: the folder is missing or has no images; the annotation file is missing, not
        JSON or not in COCO's format, or names only files that the folder does not have, or has
        no boxes although some are asked for.
    """
    images_dir = Path(images_dir)
    if annotations:
        candidates, counts = _annotated(images_dir, annotations, min_boxes)
    else:
        candidates, counts = _plain(images_dir)
    kept = []
    for photo, reason in _check_all(candidates, min_size, num_workers):
        if reason:
            counts.drop(reason, _name(photo, images_dir))
        else:
            kept.append(photo)
    return kept, counts.result(len(kept))


def _name(photo: Photo, images_dir: Path) -> str:
    inside = photo.path.is_relative_to(images_dir)  # annotations may name any path
    return photo.path.relative_to(images_dir).as_posix() if inside else str(photo.path)


def _plain(images_dir: Path) -> tuple[list[Photo], _Counts]:
    paths = list_photos(images_dir)
    photos = [Photo(path.relative_to(images_dir).as_posix(), path) for path in paths]
    return sorted(photos, key=lambda photo: photo.photo_id), _Counts(len(photos))


def _annotated(
    images_dir: Path, annotations: str | os.PathLike, min_boxes: int
) -> tuple[list[Photo], _Counts]:
    """The photos that an annotation file names, are there, and have boxes enough."""
    if not images_dir.is_dir():
        raise UserError(f"image folder {images_dir} does not exist or is not a folder")
    entries = coco.entries(annotations)
    if min_boxes > 0 and not any(entry.num_boxes for entry in entries):
        raise UserError(
            f"annotation file {annotations} has no boxes: pass a file with boxes "
            "(instances_*.json) or --min_boxes=0"
        )
    counts = _Counts(len(entries))
    photos = []
    for entry in entries:
        path = images_dir / entry.file_name
        if not path.is_file():
            counts.drop(ABSENT, entry.file_name)
        elif entry.num_boxes < min_boxes:
            counts.drop(f"fewer than {min_boxes} boxes", entry.file_name)
        else:
            photos.append(Photo(entry.photo_id, path))
    if counts.dropped.get(ABSENT) == len(entries):
        raise UserError(
            f"none of the {len(entries)} images named in {annotations} is in folder {images_dir} "
            f"(for example {entries[0].file_name}): is --images the folder that holds them?"
        )
    for name in _not_named(images_dir, entries):
        counts.read += 1
        counts.drop(NOT_NAMED, name)
    return photos, counts


def _not_named(images_dir: Path, entries: list[coco.Entry]) -> list[str]:
    """Photos below the folder that no entry names, as paths below it, sorted; none is read."""
    named = {os.path.normpath(images_dir / entry.file_name) for entry in entries}
    found = [
        path.relative_to(images_dir).as_posix()
        for path in images_dir.rglob("*")
        if path.suffix.lower() in EXTENSIONS and os.path.normpath(path) not in named
    ]
    return sorted(found)


def _check_all(photos: list[Photo], min_size: int, num_workers: int) -> Iterator[tuple[Photo, str]]:
    """Yields every photo, in order, with the reason to drop it, "" for none."""
    # Threads are enough: Pillow decodes outside Python's lock.
    with ThreadPoolExecutor(num_workers or os.cpu_count()) as pool:
        reasons = pool.map(lambda photo: _fault(photo.path, min_size), photos)
        found = zip(photos, reasons, strict=True)
        yield from track(found, total=len(photos), label="reading photos", unit="photo")


def _fault(path: Path, min_size: int) -> str:
    try:
        height, width = read_photo(path).shape[:2]
    except BadImage:
        return UNREADABLE
    return f"smaller than {min_size} px" if min(height, width) < min_size else ""
