"""PASCAL VOC, whose photos have several of 20 classes each (thesis 4.3: VOC 2012).

ImageSets/Main/SPLIT.txt   Annotations/ID.xml   JPEGImages/ID.jpg
"""

from pathlib import Path

import numpy as np

from lorbms_tf.data import voc
from lorbms_tf.data.images import squeeze
from lorbms_tf.errors import UserError
from lorbms_tf.files import is_file, read_lines
from lorbms_tf.probing.labelled import UNKNOWN, Labelled, Part, PhotoFiles


def load(folder: Path, size: int, train_split: str = "train", test_split: str = "val") -> Labelled:
    """The whole of each photo, proportions not kept, as its labels tell of the whole.

    As in VOC's own ImageSets, a photo that has a class only in objects marked difficult is neither
    an example of it nor a counter-example. Raises UserError where a file is missing or not in its
    format, or a class is not among those to learn.
    """
    voc.check_folder(folder)
    found = {split: _things(folder, split) for split in (train_split, test_split)}
    classes = tuple(sorted({name for things in found[train_split].values() for name in things}))
    if not classes:
        raise UserError(f"{folder}: the photos of {train_split} have no objects")
    train, test = (_part(folder, found[s], classes, size) for s in (train_split, test_split))
    if not (test.labels == 1).any():
        raise UserError(f"{folder}: the photos of {test_split} hold nothing to find")
    return Labelled(classes, train, test)


def _things(folder: Path, split: str) -> dict[str, dict[str, bool]]:
    """For each photo id: category -> whether all objects of it are difficult."""
    path = folder / "ImageSets" / "Main" / f"{split}.txt"
    lines = read_lines(path, f"the list of photos {path}")
    photos = {}
    for name in (line.split()[0] for line in lines if line.strip()):
        photos[name] = {}
        for thing in voc.read(folder / voc.ANNOTATIONS / f"{name}.xml")[1]:
            photos[name][thing.name] = photos[name].get(thing.name, True) and thing.difficult
    if not photos:
        raise UserError(f"{path} names no photos")
    return photos


def _part(folder: Path, photos: dict[str, dict[str, bool]], classes, size: int) -> Part:
    place = {name: number for number, name in enumerate(classes)}
    labels = np.zeros((len(photos), len(classes)), np.int8)
    for row, (photo, things) in zip(labels, photos.items(), strict=True):
        for name, difficult in things.items():
            if name not in place:
                raise UserError(
                    f"{folder}: {photo} holds a {name}, and no photo to learn from does"
                )
            row[place[name]] = UNKNOWN if difficult else 1
    paths = [folder / voc.IMAGES / f"{photo}.jpg" for photo in photos]
    for path in paths:
        if not is_file(path):
            raise UserError(f"{path} is missing, and ImageSets/Main names it")
    return Part(PhotoFiles(paths, folder, size, squeeze), labels)
