"""STL-10 in its official binaries (Coates et al. 2011).

    train_X.bin  train_y.bin  test_X.bin  test_y.bin  fold_indices.txt  unlabeled_X.bin
    class_names.txt (optional)

An image is 3 x 96 x 96 bytes: channels, each column by column. Labels are bytes of 1 to 10. Each
line of fold_indices.txt holds the places, from 0, of one fold of the training images.
"""

from pathlib import Path

import numpy as np

from lorbms_tf.data.images import square_resize
from lorbms_tf.errors import UserError
from lorbms_tf.files import is_file, read_lines, read_text
from lorbms_tf.probing.labelled import Labelled, Part

SIDE = 96
NUM_CLASSES = 10
_IMAGE_BYTES = 3 * SIDE * SIDE


class Binary:
    """The images of one file, mapped into memory, resized to `size` pixels a side.

    Raises UserError where the file is missing or not a whole number of images.
    """

    def __init__(self, path: Path, size: int):
        _check_file(path)
        length = path.stat().st_size
        if length == 0 or length % _IMAGE_BYTES:
            raise UserError(
                f"{path} has {length} bytes, which is not a whole number of STL-10 images "
                f"({_IMAGE_BYTES} bytes each): it is truncated or something else"
            )
        self._size = size
        self._raw = np.memmap(path, np.uint8, "r").reshape(-1, 3, SIDE, SIDE)
        self.names = [f"{path.name} {len(self._raw)}"]

    def __len__(self) -> int:
        return len(self._raw)

    def take(self, places: np.ndarray) -> np.ndarray:
        """See `labelled.Images`."""
        images = self._raw[places].transpose(0, 3, 2, 1)  # [n, row, column, channel]
        if self._size == SIDE:
            return np.ascontiguousarray(images)
        return np.stack([square_resize(np.ascontiguousarray(i), self._size) for i in images])


def load(folder: Path, size: int, train_split: str = "train", test_split: str = "test") -> Labelled:
    """STL-10 with its predefined folds, images of `size` pixels a side.

    Raises UserError, naming the file, where one is missing, damaged, or does not fit the others.
    """
    train, test = (_part(folder, split, size) for split in (train_split, test_split))
    return Labelled(_class_names(folder), train, test, _folds(folder, len(train.images)))


def unlabelled(folder: Path, size: int) -> Binary:
    """The images without labels. Raises UserError as `load` does."""
    return Binary(folder / "unlabeled_X.bin", size)


def _part(folder: Path, split: str, size: int) -> Part:
    images = Binary(folder / f"{split}_X.bin", size)
    path = folder / f"{split}_y.bin"
    _check_file(path)
    labels = np.fromfile(path, np.uint8).astype(np.int64) - 1
    if len(labels) != len(images):
        raise UserError(f"{path} holds {len(labels)} labels for {len(images)} images")
    if labels.min() < 0 or labels.max() >= NUM_CLASSES:
        raise UserError(f"{path} holds labels other than 1 to {NUM_CLASSES}")
    return Part(images, labels)


def _class_names(folder: Path) -> tuple[str, ...]:
    path = folder / "class_names.txt"
    names = read_text(path).split() if is_file(path) else []
    if names and len(names) != NUM_CLASSES:
        raise UserError(f"{path} holds {len(names)} names, not {NUM_CLASSES}")
    return tuple(names) or tuple(str(number) for number in range(1, NUM_CLASSES + 1))


def _folds(folder: Path, count: int) -> tuple[np.ndarray, ...]:
    path = folder / "fold_indices.txt"
    _check_file(path)
    folds = []
    for number, line in enumerate(read_lines(path), start=1):
        try:
            fold = np.array(line.split(), np.int64)
        except (ValueError, OverflowError) as error:
            raise UserError(f"{path}, line {number}: not whole numbers: {error}") from error
        if len(fold) == 0:
            continue
        if fold.min() < 0 or fold.max() >= count or len(np.unique(fold)) < len(fold):
            raise UserError(
                f"{path}, line {number}: not different places from 0 to {count - 1} of the "
                "training images"
            )
        folds.append(fold)
    if not folds:
        raise UserError(f"{path} holds no folds")
    return tuple(folds)


def _check_file(path: Path) -> None:
    if not is_file(path):
        raise UserError(f"{path} is missing: a folder of STL-10's binaries has it")
