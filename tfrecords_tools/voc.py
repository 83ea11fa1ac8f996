"""PASCAL VOC's layout: JPEGImages/ID.jpg with Annotations/ID.xml, read as COCO's format.

Both known layouts work: a year's folder (VOCdevkit/VOC2012) and any folder made like it.
"""

import os
from pathlib import Path
from typing import Any

from lorbms_tf.data import voc
from lorbms_tf.data.voc import ANNOTATIONS, IMAGES
from lorbms_tf.errors import UserError


def as_coco(folder: str | os.PathLike) -> dict[str, Any]:
    """The annotations of a VOC folder as a document of COCO's format.

    Image ids are the names without extension; boxes are [x, y, width, height] in pixels from 0
    (VOC counts from 1 and includes the last one). Difficult objects count, parts of objects do not.

    Raises UserError where the folder has another layout or holds no annotations, or an annotation
    is not in VOC's format.
    """
    folder = Path(folder)
    voc.check_folder(folder)
    paths = sorted((folder / ANNOTATIONS).glob("*.xml"))
    if not paths:
        raise UserError(f"{folder / ANNOTATIONS} holds no .xml files")
    images, annotations = [], []
    categories: dict[str, int] = {}
    for path in paths:
        size, things = voc.read(path)
        images.append({"id": path.stem, "file_name": f"{IMAGES}/{path.stem}.jpg", **size})
        for name, box, _ in things:
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
