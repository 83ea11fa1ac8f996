"""PASCAL VOC's folders, as VOC and tools such as labelImg and CVAT write them.

Annotations/ID.xml tells what is in the picture JPEGImages/ID.jpg, or .png or whatever it is.
"""

import math
import xml.etree.ElementTree as ElementTree
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from PIL import Image

from lorbms_tf.data.file_names import skeleton
from lorbms_tf.errors import UserError
from lorbms_tf.files import is_dir, walk

IMAGES = "JPEGImages"
ANNOTATIONS = "Annotations"


class Thing(NamedTuple):
    """An object: its category, [x, y, width, height] in pixels from 0, whether hard to recognise.

    VOC's files count from 1 and include the last pixel. The box is None where the file has none
    that can be read, such as a polygon alone.
    """

    name: str
    box: list[float] | None
    difficult: bool


class Annotation(NamedTuple):
    """What a file tells of a picture.

    file_name: of the picture, "" where it is not told. size: width and height in pixels, None where
    they are not told. things: the objects, without their parts. nameless: how many objects were
    passed over since they have no name.
    """

    file_name: str
    size: tuple[int, int] | None
    things: list[Thing]
    nameless: int


def check_folder(folder: Path) -> None:
    """Raises UserError where a folder lacks what all layouts of VOC have."""
    for name in (IMAGES, ANNOTATIONS):
        if not is_dir(folder / name):
            raise UserError(f"{folder} is no VOC folder: it has no folder {name}")


def read(path: Path) -> Annotation:
    """The content of an annotation file.

    Raises UserError where the file cannot be read, or is no XML with the root <annotation>.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except OSError as error:
        raise UserError(f"annotation file {path} cannot be read: {error.strerror}") from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # Lookup: of its encoding
        raise UserError(f"annotation file {path} is not in VOC's format: {error}") from error
    if root.tag != "annotation":
        reason = f"it holds <{root.tag}>, not <annotation>"
        raise UserError(f"annotation file {path} is not in VOC's format: {reason}")
    elements = root.findall("object")
    things = [_thing(element) for element in elements if _text(element, "name")]
    return Annotation(_text(root, "filename"), _size(root), things, len(elements) - len(things))


def annotation_files(folder: Path) -> dict[str, Path]:
    """All annotation files of a VOC folder by ID: their path inside, without the ending."""
    inside = folder / ANNOTATIONS
    paths = [path for path in walk(inside) if path.suffix.lower() == ".xml"]
    shown = [path for path in paths if not path.name.startswith(".")]  # no "._" files of macOS
    return {_id(path.relative_to(inside).as_posix()): path for path in sorted(shown)}


class Pictures:
    """The picture files in a VOC folder."""

    def __init__(self, folder: Path):
        inside = folder / IMAGES
        self._names = {path.relative_to(inside).as_posix() for path in walk(inside)}
        self._alike: dict[str, list[str]] = {}
        for name in sorted(self._names, key=lambda name: (not _is_usual(name), name)):
            self._alike.setdefault(skeleton(_id(name)), []).append(name)

    def name(self, photo_id: str, file_name: str = "") -> str:
        """The picture of an annotation, as a path inside JPEGImages.

        That is the file of the ID, whatever its ending, but rather one that Pillow knows as of a
        picture. `file_name`, as the annotation tells it, chooses where there are several, and
        stands in where there is none. Without both the answer is ID.jpg, which is not there.
        """
        alike = self._alike.get(skeleton(photo_id), [])
        same = [name for name in alike if _id(name) == photo_id]
        told = PurePosixPath(file_name.replace("\\", "/"))
        told = told.as_posix() if told.as_posix() in self._names else told.name
        if told in same or (told in self._names and not (same and _is_usual(same[0]))):
            return told
        if same:
            return same[0]
        return alike[0] if len(alike) == 1 else f"{photo_id}.jpg"


def _is_usual(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in Image.registered_extensions()


def _id(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix()


def _thing(element: ElementTree.Element) -> Thing:
    try:
        x0, y0, x1, y1 = (
            float(_text(element, f"bndbox/{name}")) for name in ("xmin", "ymin", "xmax", "ymax")
        )
        box = [x0 - 1, y0 - 1, x1 - x0 + 1, y1 - y0 + 1]
    except ValueError:
        box = None
    return Thing(_text(element, "name"), box, _text(element, "difficult") == "1")


def _size(root: ElementTree.Element) -> tuple[int, int] | None:
    """Some tools write 48.0, or 0 where they do not know."""
    try:
        width, height = (float(_text(root, f"size/{name}")) for name in ("width", "height"))
    except ValueError:
        return None
    good = math.isfinite(width) and math.isfinite(height) and min(width, height) >= 1
    return (round(width), round(height)) if good else None


def _text(parent: ElementTree.Element, place: str) -> str:
    return (parent.findtext(place) or "").strip()
