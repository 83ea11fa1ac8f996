"""PASCAL VOC, whose photos have several of 20 classes each (thesis 4.3: VOC 2012).

ImageSets/Main/SPLIT.txt   Annotations/ID.xml   JPEGImages/ID.jpg
"""

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lorbms_tf.data import voc_annotations
from lorbms_tf.data.images import squeeze
from lorbms_tf.errors import UserError
from lorbms_tf.files import is_file, read_lines
from lorbms_tf.probing.labelled import UNKNOWN, Labelled, Part, PhotoFiles


def load(folder: Path, size: int, train_split: str = "train", test_split: str = "val") -> Labelled:
    """The whole of each photo, proportions not kept, as its labels tell of the whole.

    As in VOC's own ImageSets, a photo that has a class only in objects marked difficult is neither
    an example of it nor a counter-example. A photo whose annotation cannot be used is left out,
    with a warning. Raises UserError where a list or a picture is missing, no annotation of a split
    can be used, or a class is not among those to learn.
    """
    voc_annotations.check_folder(folder)
    photos = {split: _photos(folder, split) for split in (train_split, test_split)}
    classes = tuple(sorted({name for one in photos[train_split].values() for name in one.things}))
    if not classes:
        raise UserError(f"{folder}: the photos of {train_split} have no objects")
    train, test = (_part(folder, photos[s], classes, size) for s in (train_split, test_split))
    if not (test.labels == 1).any():
        raise UserError(f"{folder}: the photos of {test_split} hold nothing to find")
    return Labelled(classes, train, test)


class _Photo(NamedTuple):
    """A picture, and for each category in it whether all objects of it are difficult."""

    path: Path
    things: dict[str, bool]


def _photos(folder: Path, split: str) -> dict[str, _Photo]:
    """The photos of a split by ID; those whose annotation cannot be used are told of."""
    path = folder / "ImageSets" / "Main" / f"{split}.txt"
    names = _names(folder, path)
    pictures = voc_annotations.Pictures(folder)
    photos, odd = {}, []
    for name in names:
        try:
            annotation = voc_annotations.read(folder / voc_annotations.ANNOTATIONS / f"{name}.xml")
        except UserError as error:
            odd.append(error)
            continue
        things: dict[str, bool] = {}
        for thing in annotation.things:
            things[thing.name] = things.get(thing.name, True) and thing.difficult
        picture = folder / voc_annotations.IMAGES / pictures.name(name, annotation.file_name)
        photos[name] = _Photo(picture, things)
    if not photos:
        raise odd[0]
    if odd:
        told = f"{len(odd)} of the {len(names)} photos that {path} names are left out"
        print(f"warning: {told}: {odd[0]}", file=sys.stderr)
    return photos


def _names(folder: Path, path: Path) -> list[str]:
    """The IDs that a list of photos names, each once. UserError where it names none."""
    lines = read_lines(path, f"the list of photos {path}")
    names = {}
    for line in (line.strip() for line in lines if line.strip()):
        # VOC's own lists tell 1 or -1 after the ID; but an ID of one's own may have spaces in it.
        whole = is_file(folder / voc_annotations.ANNOTATIONS / f"{line}.xml")
        names[line if whole else line.split()[0]] = None
    if not names:
        raise UserError(f"{path} names no photos")
    return list(names)


def _part(folder: Path, photos: dict[str, _Photo], classes, size: int) -> Part:
    place = {name: number for number, name in enumerate(classes)}
    labels = np.zeros((len(photos), len(classes)), np.int8)
    for row, (photo_id, photo) in zip(labels, photos.items(), strict=True):
        for name, difficult in photo.things.items():
            if name not in place:
                raise UserError(
                    f"{folder}: {photo_id} holds a {name}, and no photo to learn from does"
                )
            row[place[name]] = UNKNOWN if difficult else 1
    paths = [photo.path for photo in photos.values()]
    for path in paths:
        if not is_file(path):
            raise UserError(f"{path} is missing, and ImageSets/Main names it")
    return Part(PhotoFiles(paths, folder, size, squeeze), labels)
