"""Photos in folders, with a sub-folder for each class where there are classes."""

import hashlib
from pathlib import Path

import numpy as np

from lorbms_tf.data.images import list_photos
from lorbms_tf.errors import UserError
from lorbms_tf.files import is_dir

NO_CLASS = -1  # the label of a photo that lies in no class folder
_SPLITS = {"train", "test", "val", "valid", "validation"}


def class_names(folder: Path) -> tuple[str, ...]:
    """The folders for classes, sorted; hidden ones, which programs make for themselves, are none.

    Raises UserError where the folder is missing or cannot be read.
    """
    if not is_dir(folder):
        raise UserError(f"{folder} is missing: it holds a folder of photos for each class")
    try:
        inside = list(folder.iterdir())
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}") from error
    return tuple(sorted(p.name for p in inside if is_dir(p) and not p.name.startswith(".")))


def labelled_paths(folder: Path) -> tuple[list[Path], np.ndarray, tuple[str, ...]]:
    """All photos below a folder, their labels int32 [N], and the names of the classes.

    A photo's class is the sub-folder of `folder` that it lies in; `NO_CLASS` in none. Raises
    UserError where there are no photos, or the folder holds splits instead of classes.
    """
    paths = list_photos(folder)
    inside = [path.relative_to(folder).parts for path in paths]
    classes = class_names(folder)
    if len(classes) > 1 and set(classes) <= _SPLITS:
        raise UserError(
            f"{folder} holds the splits {', '.join(classes)} and no classes: name one of them, "
            f"such as {folder / classes[0]}"
        )
    number = {name: label for label, name in enumerate(classes)}
    labels = [number[parts[0]] if len(parts) > 1 else NO_CLASS for parts in inside]
    return paths, np.array(labels, np.int32), classes


def fingerprint(folder: Path, paths: list[Path]) -> dict:
    """Names and sizes of the photos as a few words: file, bytes, sha256 (not of the pixels)."""
    digest, total = hashlib.sha256(), 0
    for path in paths:
        try:
            size = path.stat().st_size
        except OSError:  # a link that leads nowhere: it is counted when it is read
            size = 0
        digest.update(f"{path.relative_to(folder).as_posix()} {size}\n".encode())
        total += size
    return {"file": f"{folder.name}/", "bytes": total, "sha256": digest.hexdigest()}
