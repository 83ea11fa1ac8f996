"""The COCO filter: which photos an annotation file names, and how many boxes each has.

The annotation file is read by pycocotools, so every file in COCO's format works: the official
`instances_*.json`, the `image_info_*.json` of the test sets (no boxes), and one's own.
"""

import contextlib
import io
import os
from dataclasses import dataclass
from typing import Any

from pycocotools.coco import COCO

from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json


@dataclass(frozen=True)
class Entry:
    """A photo named in an annotation file.

    Attributes:
      photo_id: the COCO image id as text.
      file_name: as in the file, relative to the image folder.
      num_boxes: how many objects have a box in the photo.
    """

    photo_id: str
    file_name: str
    num_boxes: int


def entries(annotations: str | os.PathLike) -> list[Entry]:
    """All photos that an annotation file names: see `entries_of`.

    Raises UserError naming the file where it is missing, not JSON, or not in COCO's format.
    """
    return entries_of(load(annotations))


def entries_of(dataset: dict[str, Any]) -> list[Entry]:
    """All photos of a document in COCO's format, sorted by id (numbers in numeric order).

    An annotation counts as a box where it has a "bbox" and is not a crowd region ("iscrowd": 1):
    a crowd's one box holds many objects and says nothing of where they are. The widths and
    heights in it are not used: photos are measured when they are read.
    """
    coco = COCO()
    # pycocotools also indexes the categories, which this filter has no use for and which
    # need not be well formed.
    coco.dataset = {key: value for key, value in dataset.items() if key != "categories"}
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        coco.createIndex()
    found = [
        Entry(str(image_id), image["file_name"], _count_boxes(coco.imgToAnns[image_id]))
        for image_id, image in coco.imgs.items()
    ]
    return sorted(found, key=lambda entry: id_order(entry.photo_id))


def load(annotations: str | os.PathLike) -> dict[str, Any]:
    """The content of an annotation file whose images and annotations have ids.

    Raises UserError naming the file where it is missing, not JSON, or not in COCO's format.
    """
    dataset = read_json(annotations)
    _check(dataset, annotations)
    return dataset


def id_order(photo_id: str) -> tuple[int, int, str]:
    """Sort key of photo ids: numbers first and by value, then all others as text."""
    is_number = photo_id.isascii() and photo_id.isdigit()
    return (0, int(photo_id), photo_id) if is_number else (1, 0, photo_id)


def _count_boxes(annotations: list[dict[str, Any]]) -> int:
    return sum(1 for a in annotations if a.get("bbox") and not a.get("iscrowd"))


def _check(dataset: Any, path: str | os.PathLike) -> None:
    """UserError unless `dataset` has the parts of COCO's format that are used here."""
    if not isinstance(dataset, dict) or not isinstance(dataset.get("images"), list):
        raise _not_coco(path, 'it must be an object with a list "images"')
    if not isinstance(dataset.get("annotations", []), list):
        raise _not_coco(path, '"annotations" must be a list')
    if not dataset["images"]:
        raise UserError(f"annotation file {path} names no images")
    seen = set()
    for place, image in enumerate(dataset["images"]):
        if not _has(image, "id", (int, str)) or not _has(image, "file_name", str):
            raise _not_coco(path, f'images[{place}] needs an "id" and a "file_name"')
        if str(image["id"]) in seen:
            raise _not_coco(path, f"image id {image['id']} stands in it twice")
        seen.add(str(image["id"]))
    for place, annotation in enumerate(dataset.get("annotations", [])):
        if not _has(annotation, "id", (int, str)) or not _has(annotation, "image_id", (int, str)):
            raise _not_coco(path, f'annotations[{place}] needs an "id" and an "image_id"')


def _has(value: Any, key: str, kinds: type | tuple[type, ...]) -> bool:
    """Whether `value` is an object with a usable `key`; true and false are no ids."""
    if not isinstance(value, dict):
        return False
    return isinstance(value.get(key), kinds) and not isinstance(value[key], bool)


def _not_coco(path: str | os.PathLike, reason: str) -> UserError:
    return UserError(f"annotation file {path} is not in COCO's format: {reason}")
