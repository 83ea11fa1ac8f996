"""PASCAL VOC's layout: JPEGImages/ID.jpg with Annotations/ID.xml, read as COCO's format.

Both known layouts work: a year's folder (VOCdevkit/VOC2012) and any folder made like it.
"""

import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from lorbms_tf.errors import UserError

IMAGES = "JPEGImages"
ANNOTATIONS = "Annotations"


def as_coco(folder: str | os.PathLike) -> dict[str, Any]:
    """The annotations of a VOC folder as a document of COCO's format.

    Image ids are the names without extension; boxes are [x, y, width, height] in pixels from 0
    (VOC counts from 1 and includes the last one). Difficult objects count, parts of objects do not.

    Raises UserError where the folder has another layout or holds no annotations, or an annotation
    is not in VOC's format.
    """
    folder = Path(folder)
    for name in (IMAGES, ANNOTATIONS):
        if not (folder / name).is_dir():
            raise UserError(f"{folder} is no VOC folder: it has no folder {name}")
    paths = sorted((folder / ANNOTATIONS).glob("*.xml"))
    if not paths:
        raise UserError(f"{folder / ANNOTATIONS} holds no .xml files")
    images, annotations = [], []
    categories: dict[str, int] = {}
    for path in paths:
        try:
            size, boxes = _read(path)
        except (ElementTree.ParseError, ValueError) as error:
            raise UserError(f"annotation file {path} is not in VOC's format: {error}") from error
        images.append({"id": path.stem, "file_name": f"{IMAGES}/{path.stem}.jpg", **size})
        for name, box in boxes:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": path.stem,
                    "category_id": categories.setdefault(name, len(categories) + 1),
                    "bbox": box,
                }
            )
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
    }


def _read(path: Path) -> tuple[dict[str, int], list[tuple[str, list[float]]]]:
    """Width and height, and (category, box) of each object. ValueError where one is missing."""
    root = ElementTree.parse(path).getroot()
    size = {name: int(_text(root, f"size/{name}")) for name in ("width", "height")}
    boxes = []
    for thing in root.findall("object"):
        x0, y0, x1, y1 = (
            float(_text(thing, f"bndbox/{name}")) for name in ("xmin", "ymin", "xmax", "ymax")
        )
        boxes.append((_text(thing, "name"), [x0 - 1, y0 - 1, x1 - x0 + 1, y1 - y0 + 1]))
    return size, boxes


def _text(parent: ElementTree.Element, place: str) -> str:
    text = parent.findtext(place)
    if text is None or not text.strip():
        raise ValueError(f"{place} is missing")
    return text.strip()
