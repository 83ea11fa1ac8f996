"""PASCAL VOC's layout, JPEGImages/ID.jpg with Annotations/ID.xml, read as COCO's format.

Both known layouts work: a year's folder (VOCdevkit/VOC2012) and any folder made like it.
"""

import dataclasses
import os
from pathlib import Path
from typing import Any

from lorbms_tf.data import voc_annotations
from lorbms_tf.data.images import BadImage, read_photo
from lorbms_tf.data.voc_annotations import ANNOTATIONS, IMAGES
from lorbms_tf.errors import UserError
from tfrecords_tools import coco
from tfrecords_tools.notes import Notes

NOT_VOC = "annotation files that are not in VOC's format"
NO_SIZE = "annotation files that do not tell the size of the photo"
NO_PLACE = "objects without a name or a box"


def read(folder: str | os.PathLike) -> coco.Annotations:
    """The annotations of a VOC folder.

    Image ids are the names of the annotation files without extension; boxes are [x, y, width,
    height] in pixels from 0 (VOC counts from 1 and includes the last one). Images have "width" and
    "height" where their file tells them. Difficult objects count, parts of objects do not. Files
    and objects that cannot be used are noted.

    Raises UserError where the folder has another layout, or no annotation that can be read.
    """
    folder = Path(folder)
    voc_annotations.check_folder(folder)
    notes = Notes()
    files = _readable(folder, notes)
    pictures = voc_annotations.Pictures(folder)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    categories: dict[str, int] = {}
    for photo_id, annotation in files.items():
        name = pictures.name(photo_id, annotation.file_name)
        image = {"id": photo_id, "file_name": f"{IMAGES}/{name}"}
        if annotation.size:
            image |= dict(zip(("width", "height"), annotation.size, strict=True))
        else:
            notes.add(NO_SIZE, f"{photo_id}.xml")
        images.append(image)
        for _ in range(annotation.nameless):
            notes.add(NO_PLACE, f"{photo_id}.xml")
        for thing in annotation.things:
            number = categories.setdefault(thing.name, len(categories) + 1)
            if thing.box is None:
                notes.add(NO_PLACE, f"{photo_id}.xml: {thing.name}")
                continue
            annotations.append({"image_id": photo_id, "category_id": number, "bbox": thing.box})
    named = [{"id": number, "name": name} for name, number in categories.items()]
    document = {"images": images, "annotations": annotations, "categories": named}
    return coco.of(document, folder / ANNOTATIONS, notes)


def measured(annotations: coco.Annotations, folder: str | os.PathLike) -> coco.Annotations:
    """The same with the sizes that files do not tell, taken from the photos.

    Photos that cannot be read are left out: records cannot hold them either.
    """
    images = {}
    for photo_id, image in annotations.images.items():
        if "width" not in image:
            try:
                height, width = read_photo(Path(folder) / image["file_name"]).shape[:2]
            except BadImage:
                continue
            image = {**image, "width": width, "height": height}
        images[photo_id] = image
    boxes = {photo_id: some for photo_id, some in annotations.boxes.items() if photo_id in images}
    return dataclasses.replace(annotations, images=images, boxes=boxes)


def _readable(folder: Path, notes: Notes) -> dict[str, voc_annotations.Annotation]:
    """The annotations of a folder by photo id; those that cannot be read are noted."""
    paths = voc_annotations.annotation_files(folder)
    if not paths:
        raise UserError(f"{folder / ANNOTATIONS} holds no .xml files")
    files, first = {}, None
    for photo_id, path in paths.items():
        try:
            files[photo_id] = voc_annotations.read(path)
        except UserError as error:
            first = first or error
            notes.add(NOT_VOC, f"{photo_id}.xml")
    if not files:
        raise first
    return files
