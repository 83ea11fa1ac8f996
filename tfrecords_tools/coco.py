"""COCO's format: the photos that an annotation file names, and the boxes in each.

Every file in COCO's format works: the official `instances_*.json`, the `image_info_*.json` of the
test sets (no boxes), and one's own. Annotations are joined to their images by pycocotools.
"""

import contextlib
import io
import math
import os
from dataclasses import dataclass
from typing import Any, NamedTuple

from pycocotools.coco import COCO

from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json
from tfrecords_tools.notes import Notes

NO_BOX = "boxes that are empty, negative or not finite, and count as none"
UNKNOWN_IMAGE = "annotations of images that the file does not name"


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


class Box(NamedTuple):
    """x, y, width, height in pixels, finite and with an area; and the annotation that has it."""

    place: tuple[float, float, float, float]
    annotation: dict[str, Any]


@dataclass(frozen=True)
class Annotations:
    """The content of a document in COCO's format.

    images: the document's own objects, by id as text (see `id_text`), in its order.
    boxes: of each image that has some, by id. A box counts where it has an area and is not of a
      crowd region ("iscrowd": 1): a crowd's one box holds many objects and says nothing of where
      they are.
    categories: as in the document, whatever it is; None where it has none.
    notes: how many boxes and annotations were passed over because they are faulty.
    """

    images: dict[str, dict[str, Any]]
    boxes: dict[str, list[Box]]
    categories: Any
    notes: Notes

    @property
    def entries(self) -> list[Entry]:
        """All photos, sorted by id (numbers in numeric order).

        The widths and heights are not used: photos are measured when they are read.
        """
        entries = [
            Entry(photo_id, image["file_name"], len(self.boxes.get(photo_id, ())))
            for photo_id, image in self.images.items()
        ]
        return sorted(entries, key=lambda entry: _id_order(entry.photo_id))


def read(path: str | os.PathLike) -> Annotations:
    """The content of an annotation file.

    Raises UserError naming the file where it is missing, not JSON, or not in COCO's format.
    """
    return of(read_json(path), path, Notes())


def of(dataset: Any, path: str | os.PathLike, notes: Notes) -> Annotations:
    """The content of a document.

    Args:
      dataset: the document, as JSON has it.
      path: what to name it by in messages.
      notes: what is known of it already.

    Raises UserError where it is not in COCO's format.
    """
    images = _images(dataset, path)
    boxes = {}
    for photo_id, annotations in _by_image(dataset, images, path, notes).items():
        some = [box for annotation in annotations if (box := _box(annotation, notes))]
        if some:
            boxes[photo_id] = some
    return Annotations(images, boxes, dataset.get("categories"), notes)


def id_text(value: Any) -> str | None:
    """An id as text, equal for 1, 1.0 and "1", however libraries wrote it; None for no id.

    True, false, fractions and the empty text are no ids.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def _id_order(photo_id: str) -> tuple[int, int, str]:
    """Sort key of photo ids: numbers first and by value, then all others as text."""
    is_number = photo_id.isascii() and photo_id.isdigit()
    return (0, int(photo_id), photo_id) if is_number else (1, 0, photo_id)


def _images(dataset: Any, path: str | os.PathLike) -> dict[str, dict[str, Any]]:
    if not isinstance(dataset, dict) or not isinstance(dataset.get("images"), list):
        raise _not_coco(path, 'it must be an object with a list "images"')
    if not isinstance(dataset.get("annotations", []), list):
        raise _not_coco(path, '"annotations" must be a list')
    if not dataset["images"]:
        raise UserError(f"annotation file {path} names no images")
    images = {}
    for place, image in enumerate(dataset["images"]):
        photo_id = _id(image, "id")
        if photo_id is None or not isinstance(image.get("file_name"), str):
            raise _not_coco(path, f'images[{place}] needs an "id" and a "file_name"')
        if photo_id in images:
            raise _not_coco(path, f"image id {photo_id} stands in it twice")
        images[photo_id] = image
    return images


def _by_image(dataset, images, path, notes: Notes) -> dict[str, list[dict[str, Any]]]:
    """The annotations of each image; those of images that are not there are noted."""
    known = []
    for place, annotation in enumerate(dataset.get("annotations", [])):
        photo_id = _id(annotation, "image_id")
        if photo_id is None:
            raise _not_coco(path, f'annotations[{place}] needs an "image_id"')
        if photo_id in images:
            known.append({"id": place, "image_id": photo_id, "whole": annotation})
        else:
            notes.add(UNKNOWN_IMAGE, f"image {photo_id}")
    index = COCO()
    # Categories are left out, which need not be well formed where they are not used.
    index.dataset = {"images": [{"id": photo_id} for photo_id in images], "annotations": known}
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        index.createIndex()
    return {
        photo_id: [entry["whole"] for entry in index.imgToAnns[photo_id]] for photo_id in images
    }


def _box(annotation: dict[str, Any], notes: Notes) -> Box | None:
    """The box of an annotation; None where it has none that counts."""
    values = annotation.get("bbox")
    if not values or _is_crowd(annotation):
        return None
    try:
        x, y, width, height = values if isinstance(values, list) else ()
        x, y, width, height = float(x), float(y), float(width), float(height)
    except (TypeError, ValueError, OverflowError):
        x = y = width = height = math.nan
    # A box that ends before the photo begins shows nothing of it either. A sum is finite only
    # where all is.
    inside = width > 0 and height > 0 and x + width > 0 and y + height > 0
    if inside and math.isfinite(x + y + width + height):
        return Box((x, y, width, height), annotation)
    notes.add(NO_BOX, f"image {id_text(annotation['image_id'])}: {str(values)[:60]}")
    return None


def _is_crowd(annotation: dict[str, Any]) -> bool:
    """Some libraries write the number 0 or 1 as text, or as true and false."""
    value = annotation.get("iscrowd")
    if isinstance(value, str):
        return value.strip().lower() not in ("", "0", "0.0", "false", "no")
    return bool(value)


def _id(value: Any, key: str) -> str | None:
    return id_text(value.get(key)) if isinstance(value, dict) else None


def _not_coco(path: str | os.PathLike, reason: str) -> UserError:
    return UserError(f"annotation file {path} is not in COCO's format: {reason}")
