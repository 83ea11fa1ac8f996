"""PASCAL VOC's annotation files: Annotations/ID.xml tells what is in JPEGImages/ID.jpg."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

from lorbms_tf.errors import UserError

IMAGES = "JPEGImages"
ANNOTATIONS = "Annotations"


class Thing(NamedTuple):
    """An object: its category, [x, y, width, height] in pixels from 0, whether hard to recognise.

    VOC's files count from 1 and include the last pixel.
    """

    name: str
    box: list[float]
    difficult: bool


def check_folder(folder: Path) -> None:
    """Raises UserError where a folder lacks what all layouts of VOC have."""
    for name in (IMAGES, ANNOTATIONS):
        if not (folder / name).is_dir():
            raise UserError(f"{folder} is no VOC folder: it has no folder {name}")


def read(path: Path) -> tuple[dict[str, int], list[Thing]]:
    """The "width" and "height" of an image, and its objects without their parts.

    Raises UserError where the file cannot be read or is not in VOC's format.
    """
    try:
        root = ElementTree.parse(path).getroot()
        size = {name: int(_text(root, f"size/{name}")) for name in ("width", "height")}
        return size, [_thing(element) for element in root.findall("object")]
    except OSError as error:
        raise UserError(f"annotation file {path} cannot be read: {error.strerror}") from error
    except (ElementTree.ParseError, ValueError) as error:
        raise UserError(f"annotation file {path} is not in VOC's format: {error}") from error


def _thing(element: ElementTree.Element) -> Thing:
    x0, y0, x1, y1 = (
        float(_text(element, f"bndbox/{name}")) for name in ("xmin", "ymin", "xmax", "ymax")
    )
    box = [x0 - 1, y0 - 1, x1 - x0 + 1, y1 - y0 + 1]
    return Thing(_text(element, "name"), box, element.findtext("difficult", "0").strip() == "1")


def _text(parent: ElementTree.Element, place: str) -> str:
    text = parent.findtext(place)
    if text is None or not text.strip():
        raise ValueError(f"{place} is missing")
    return text.strip()
