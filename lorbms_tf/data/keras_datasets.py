"""MNIST, CIFAR-10 and CIFAR-100 as keras.datasets has them, also where there is no network.

A file that lies in Keras's folder already is read as it is: Keras itself would ask the network for
it anew, and remove it, where its checksum is not the published one.
"""

import hashlib
import os
import pickle
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from lorbms_tf.errors import UserError
from lorbms_tf.files import DAMAGED, is_dir, is_file

_CIFAR = {  # the folder in the archive, the archive's name at its source, files, labels
    "cifar10": (
        "cifar-10-batches-py",
        "cifar-10-python.tar.gz",
        {"train": [f"data_batch_{n}" for n in range(1, 6)], "test": ["test_batch"]},
        b"labels",
    ),
    "cifar100": (
        "cifar-100-python",
        "cifar-100-python.tar.gz",
        {"train": ["train"], "test": ["test"]},
        b"fine_labels",
    ),
}
_CLASSES = {
    "mnist": tuple("0123456789"),
    "cifar10": (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ),
    "cifar100": tuple(f"{number:02d}" for number in range(100)),
}


class Arrays(NamedTuple):
    """A split of a data set in memory.

    pixels: uint8 [N, H, W, 1] or [N, H, W, 3].
    labels: int32 [N].
    classes: their names.
    """

    pixels: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """Of the pixels."""
        return self.pixels.nbytes

    @property
    def sha256(self) -> str:
        """Of pixels and labels."""
        digest = hashlib.sha256(np.ascontiguousarray(self.pixels))
        digest.update(np.ascontiguousarray(self.labels))
        return digest.hexdigest()

    def read(self, number: int) -> np.ndarray:
        """One photo."""
        return self.pixels[number]


def folder() -> Path:
    """Where Keras keeps data sets."""
    home = os.environ.get("KERAS_HOME") or Path("~").expanduser() / ".keras"
    return Path(home) / "datasets"


def load(name: str, split: str) -> Arrays:
    """A split ("train", "test") of "mnist", "cifar10" or "cifar100", from disk or downloaded.

    Raises UserError, naming the file, where it is damaged or cannot be downloaded.
    """
    found = _mnist(split) if name == "mnist" else _cifar(name, split)
    pixels, labels = found or _downloaded(name, split)
    classes = _CLASSES[name]
    pixels, labels = np.asarray(pixels), np.asarray(labels).reshape(-1)
    if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4) or len(pixels) != len(labels):
        raise UserError(
            f"keras:{name} in {folder()} holds images of {pixels.dtype} {list(pixels.shape)} with "
            f"{len(labels)} labels, not bytes with a label each"
        )
    if not len(labels) or labels.min() < 0 or labels.max() >= len(classes):
        raise UserError(f"keras:{name} in {folder()}: labels are 0 to {len(classes) - 1}")
    pixels = pixels[..., None] if pixels.ndim == 3 else pixels
    return Arrays(pixels, labels.astype(np.int32), classes)


def _mnist(split: str) -> tuple[np.ndarray, np.ndarray] | None:
    path = folder() / "mnist.npz"
    if not is_file(path):
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            return stored[f"x_{split}"], stored[f"y_{split}"]
    except DAMAGED as error:
        raise UserError(f"{path} is not MNIST as Keras has it ({error}): remove it") from error


def _cifar(name: str, split: str) -> tuple[np.ndarray, np.ndarray] | None:
    inner, archive, files, label_key = _CIFAR[name]
    places = [folder() / inner, folder() / f"{inner}-target" / inner]
    archives = [folder() / archive, folder() / f"{inner}-target_archive"]
    for place in places:
        if is_dir(place):
            return _joined((place / file for file in files[split]), label_key)
    for path in filter(is_file, archives):
        return _joined(_members(path, inner, files[split]), label_key)
    return None


def _members(path: Path, inner: str, files: list[str]) -> Iterator[tuple[str, BinaryIO]]:
    """Files of an archive, by names for messages."""
    try:
        with tarfile.open(path) as archive:
            for file in files:
                yield f"{path}, {inner}/{file}", archive.extractfile(f"{inner}/{file}")
    except (*DAMAGED, tarfile.TarError) as error:
        raise UserError(f"{path} is damaged ({error}): remove it") from error


def _joined(files, label_key: bytes) -> tuple[np.ndarray, np.ndarray]:
    batches = [_batch(file, label_key) for file in files]
    pixels, labels = zip(*batches, strict=True)
    planes = np.concatenate(pixels).reshape(-1, 3, 32, 32)
    return planes.transpose(0, 2, 3, 1), np.concatenate(labels)


def _batch(file: Path | tuple[str, BinaryIO], label_key: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Pixels uint8 [n, 3072] and labels [n] of one pickled file."""
    name = file if isinstance(file, Path) else file[0]
    try:
        opened = file.open("rb") if isinstance(file, Path) else file[1]
        with opened:
            stored = _Unpickler(opened, encoding="bytes").load()
        pixels = np.asarray(stored[b"data"], np.uint8).reshape(-1, 3 * 32 * 32)
        return pixels, np.asarray(stored[label_key], np.int64)
    except (*DAMAGED, pickle.UnpicklingError, TypeError, AttributeError, IndexError) as error:
        raise UserError(f"{name} is not a file of CIFAR as Keras has it ({error})") from error


class _Unpickler(pickle.Unpickler):
    """Arrays and plain values only: a pickle may otherwise run what it likes."""

    def find_class(self, module: str, name: str):
        arrays = ("_reconstruct", "ndarray", "dtype", "_frombuffer", "scalar")
        if module.split(".")[0] == "numpy" and name in arrays:
            return super().find_class(module, name)
        if (module, name) == ("_codecs", "encode"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} has no place in it")


def _downloaded(name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    import keras  # only where the network is needed

    try:
        train, test = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises no other kind where it cannot download
        file = "mnist.npz" if name == "mnist" else _CIFAR[name][1]
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"keras:{name} cannot be downloaded ({reason}); where there is no network, put {file} "
            f"into {folder()}"
        ) from error
    return train if split == "train" else test
