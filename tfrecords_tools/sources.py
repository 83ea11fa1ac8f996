"""The source photos of a dataset: which are used, which are dropped and why.

Every photo that passes the box filter is decoded once in full, because only that shows a file
that is cut short or corrupt; a long build then does not fail at its end.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorbms_tf.data.file_names import skeleton
from lorbms_tf.data.images import BadImage, list_photos, photos_below, read_photo
from lorbms_tf.errors import UserError
from lorbms_tf.files import is_dir
from lorbms_tf.progress import track
from tfrecords_tools import coco, named_files, voc_source
from tfrecords_tools.notes import note_lines
from tfrecords_tools.photo_counts import AnnotatedCounts, Counts, printable
from tfrecords_tools.threads import in_order

ABSENT = "named in the annotations, absent from the folder"
AMBIGUOUS = "named in the annotations, absent from the folder where several names look alike"
RESPELT = "files found under names that differ in case, Unicode form or \\"
NOT_NAMED = "in the folder, not named in the annotations"
UNREADABLE = "unreadable"
NO_CLASS = "in no class folder"
NOT_UTF8 = "of a name that is not UTF-8"
NOT_DRAWN = "not drawn for the sample"
KINDS = ("auto", "classes", "voc")


@dataclass(frozen=True)
class Photo:
    """A source photo: its id (COCO image id, or path below the folder) and its file."""

    photo_id: str
    path: Path


def check_all(photos: list[Photo], min_size: int, num_workers: int) -> Iterator[tuple[Photo, str]]:
    """Yields every photo, in order, with the reason to drop it, "" for none."""
    found = zip(photos, faults(photos, min_size, num_workers), strict=True)
    yield from track(found, total=len(photos), label="reading photos", unit="photo")


def faults(photos: Sequence[Photo], min_size: int, num_workers: int) -> Iterator[str]:
    """Yields the reason to drop each photo, in order, "" for none."""
    yield from in_order(fault, ((photo.path, min_size) for photo in photos), num_workers)


def fault(path: Path, min_size: int) -> str:
    """Why a photo cannot be used; "" where it can.

    Of one that is unreadable it says why, behind a colon: see `reason_of`.
    """
    try:
        height, width = read_photo(path).shape[:2]
    except BadImage as error:
        return f"{UNREADABLE}: {error.reason}"
    return f"smaller than {min_size} px" if min(height, width) < min_size else ""


def reason_of(fault: str) -> str:
    """What `fault` says without the details: one of a few reasons."""
    return fault.partition(": ")[0]


def load(
    images_dir: str | os.PathLike,
    annotations: str | os.PathLike = "",
    min_size: int = 200,
    min_boxes: int = 4,
    num_workers: int = 0,
    source: str = "auto",
    sample: int = 0,
    seed: int = 0,
    check: Callable[[list[Photo], int, int], Iterable[tuple[Photo, str]]] = check_all,
) -> tuple[list[Photo], dict[str, Any]]:
    """Finds the photos that a dataset is made from (thesis, table 4.1).

    Args:
      images_dir: see `find`.
      annotations: see `find`.
      min_size: both sides of a kept photo have at least so many pixels, as decoded (after EXIF
        rotation), whatever the annotations say.
      min_boxes: see `find`.
      num_workers: threads that decode; 0 means one for each core.
      source: see `find`.
      sample: keep only so many, drawn uniformly from all that could be kept (thesis: 10,482 for
        tr_v6); 0 keeps all. Photos beyond those drawn are not read.
      seed: of the draw, which depends on nothing else than seed and photo ids.
      check: reads the photos, as `check_all` does.

    Returns:
      The kept photos, sorted by id (COCO ids in numeric order), and the counts, ready for JSON:
      {"read": n, "kept": n, "dropped": {reason: n}, "examples": {reason: [file names]}}. A photo
      is dropped for one reason only, the first of: absent, too few boxes, a name that is not UTF-8
      (records and reports could not hold it), unreadable, too small. Where photos are unreadable
      "unreadable" tells why, {why: {"photos": n, "examples": [file names, with what the decoder
      says]}}; where folders may not be read "locked" is {"folders": n, "examples": [names]}.
      With annotations, photos in the folder that they do not name count as read and dropped.

    Raises UserError as `find` does.
    """
    images_dir = Path(images_dir)
    candidates, counts = find(images_dir, annotations, min_boxes, source)
    place = {photo.photo_id: number for number, photo in enumerate(candidates)}
    waiting = _drawing_order(candidates, seed) if sample else candidates
    wanted = sample or len(candidates)
    kept: list[Photo] = []
    while waiting and len(kept) < wanted:
        # No more at a time than are missing: so the first that are good in the order are kept.
        some, waiting = waiting[: wanted - len(kept)], waiting[wanted - len(kept) :]
        for photo, reason in check(some, min_size, num_workers):
            if reason:
                counts.drop(reason, _name(photo, images_dir))
            else:
                kept.append(photo)
    for photo in waiting:
        counts.drop(NOT_DRAWN, _name(photo, images_dir))
    kept.sort(key=lambda photo: place[photo.photo_id])
    return kept, counts.result(len(kept))


def _drawing_order(photos: list[Photo], seed: int) -> list[Photo]:
    """A random order that is the same on every machine: by a hash of seed and id."""
    return sorted(
        photos,
        key=lambda photo: hashlib.sha256(f"{seed}\nsample\n{photo.photo_id}".encode()).digest(),
    )


def find(
    images_dir: Path, annotations: str | os.PathLike, min_boxes: int, source: str = "auto"
) -> tuple[list[Photo], Counts]:
    """The photos that are there and have boxes enough, by id; none is read.

    Args:
      images_dir: folder of photos. With annotations it holds the files that they name; without,
        it is searched with its subfolders, and a photo's id is its path below it. For "voc" it is
        the folder that holds JPEGImages and Annotations.
      annotations: COCO annotation file; "" for none.
      min_boxes: a photo has at least so many boxes, crowd regions not counted; not used without
        annotations.
      source: "auto"; "classes" for a folder for each class, as ImageNet has, where what lies in no
        class folder is dropped; "voc".

    Raises:
      UserError: the folder is missing or has no images; the annotations are missing or not in
        their format, or name only files that the folder does not have, or have no boxes although
        some are asked for.
    """
    if source == "voc":
        file, content = images_dir / voc_source.ANNOTATIONS, voc_source.read(images_dir)
        return _annotated(images_dir, file, content, min_boxes, voc_source.IMAGES)
    if not annotations:
        return _plain(images_dir, source == "classes")
    if not is_dir(images_dir):
        raise UserError(f"image folder {images_dir} does not exist or is not a folder")
    return _annotated(images_dir, annotations, coco.read(annotations), min_boxes)


def _name(photo: Photo, images_dir: Path) -> str:
    inside = photo.path.is_relative_to(images_dir)  # annotations may name any path
    return photo.path.relative_to(images_dir).as_posix() if inside else str(photo.path)


def _plain(images_dir: Path, classes: bool) -> tuple[list[Photo], Counts]:
    errors: list[OSError] = []
    paths = list_photos(images_dir, errors.append)
    counts = Counts(len(paths))
    counts.locked = [os.path.relpath(error.filename, images_dir) for error in errors]
    photos = []
    for path in paths:
        name = path.relative_to(images_dir).as_posix()
        if classes and "/" not in name:
            counts.drop(NO_CLASS, name)
        elif name != printable(name):
            counts.drop(NOT_UTF8, name)
        else:
            photos.append(Photo(name, path))
    if counts.dropped.get(NO_CLASS) == len(paths):
        raise UserError(f"{images_dir} has no class folders with photos in them")
    return sorted(photos, key=lambda photo: photo.photo_id), counts


def _annotated(
    images_dir: Path,
    file: str | os.PathLike,
    annotations: coco.Annotations,
    min_boxes: int,
    inside: str = "",
) -> tuple[list[Photo], Counts]:
    """The photos that annotations name, are there, and have boxes enough.

    file: what to name the annotations by. inside: the subfolder where photos that are not named,
    or under another spelling, are looked for.
    """
    entries, searched = annotations.entries, images_dir / inside
    if min_boxes > 0 and not annotations.boxes:
        odd = "".join(f"; {line}" for line in note_lines(annotations.notes.as_json()))
        raise UserError(
            f"annotation file {file} has no boxes{odd}: pass a file with boxes "
            "(instances_*.json) or --min_boxes=0"
        )
    counts = AnnotatedCounts(len(entries), annotations.notes)
    photos = []
    spellings = named_files.spellings(images_dir, searched, [e.file_name for e in entries])
    for entry, spelling in zip(entries, spellings, strict=True):
        if spelling.path is None:
            counts.drop(AMBIGUOUS if spelling.several else ABSENT, entry.file_name)
        elif entry.num_boxes < min_boxes:
            counts.drop(f"fewer than {min_boxes} boxes", entry.file_name)
        elif entry.file_name != printable(entry.file_name):
            counts.drop(NOT_UTF8, entry.file_name)
        else:
            photos.append(Photo(entry.photo_id, spelling.path))
            if spelling.respelt:
                counts.notes.add(RESPELT, f"{entry.file_name} is {_name(photos[-1], images_dir)}")
    if not any(spelling.path for spelling in spellings):
        alike = (
            f", and {counts.dropped[AMBIGUOUS]} {AMBIGUOUS}" if AMBIGUOUS in counts.dropped else ""
        )
        raise UserError(
            f"none of the {len(entries)} images named in {file} is in folder {images_dir} "
            f"(for example {entries[0].file_name}{alike}): is --images the folder that holds them?"
        )
    for name in _not_named(images_dir, searched, [s.path for s in spellings if s.path]):
        counts.read += 1
        counts.drop(NOT_NAMED, name)
    return photos, counts


def _not_named(images_dir: Path, searched: Path, named: list[Path]) -> list[str]:
    """Photos below `searched` that are none of `named`, as paths below images_dir, sorted."""
    places = {os.path.normpath(path) for path in named}
    others = {os.path.normpath(path): path for path in photos_below(searched)}
    # A system that knows no case finds a file under names that it does not list.
    unlisted = {skeleton(place) for place in places - others.keys()}
    return sorted(
        path.relative_to(images_dir).as_posix()
        for place, path in others.items()
        if place not in places and skeleton(place) not in unlisted
    )
