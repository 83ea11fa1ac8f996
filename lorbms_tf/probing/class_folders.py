"""Photos in a folder for each class, as ImageNet has them: train/CLASS/*.jpg, val/CLASS/*.jpg."""

from pathlib import Path

import numpy as np

from lorbms_tf.data.images import central, list_photos
from lorbms_tf.data.photo_folders import class_names
from lorbms_tf.errors import UserError
from lorbms_tf.files import is_dir
from lorbms_tf.probing.labelled import Labelled, Part, PhotoFiles


def load(folder: Path, size: int, train_split: str = "train", test_split: str = "val") -> Labelled:
    """The central square of each photo, resized to `size` pixels a side; no predefined folds.

    Classes are the folders that the training images have, sorted. Raises UserError where a folder
    is missing or empty, or a class is not among them.
    """
    classes = class_names(folder / train_split)
    if len(classes) < 2:
        raise UserError(f"{folder / train_split} holds {len(classes)} class folders: at least 2")
    unknown = sorted(set(class_names(folder / test_split)) - set(classes))
    if unknown:
        raise UserError(
            f"{folder / test_split} has classes that {train_split} has not: {', '.join(unknown)}"
        )
    train = _part(folder / train_split, classes, size)
    return Labelled(classes, train, _part(folder / test_split, classes, size))


def _part(folder: Path, classes: tuple[str, ...], size: int) -> Part:
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        if is_dir(folder / name):  # images to test on may lack a class
            found = list_photos(folder / name)
            paths += found
            labels += [label] * len(found)
    if not paths:
        raise UserError(f"{folder} holds no class folders")
    return Part(PhotoFiles(paths, folder, size, central), np.array(labels, np.int64))
