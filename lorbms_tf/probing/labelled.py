"""Images with labels, as the probes read them."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from lorbms_tf.data.images import BadImage, read_photo
from lorbms_tf.errors import UserError

UNKNOWN = -1  # among the labels of several classes: neither learnt nor scored
MOST_CACHED = 2 << 30  # bytes of decoded photos that are kept in memory


class Images(Protocol):
    """N images; `names` says which they are."""

    names: Sequence[str]

    def __len__(self) -> int: ...

    def take(self, places: np.ndarray) -> np.ndarray:
        """The images at some places: uint8 RGB [len(places), S, S, 3]. UserError names bad ones."""


class PhotoFiles:
    """Photos as files, decoded when they are asked for, and kept where all fit in memory.

    Args:
      paths: of the photos.
      folder: that `names` count from.
      size: side of the results, pixels.
      prepare: uint8 [H, W, 3] and size -> uint8 [size, size, 3].
    """

    def __init__(self, paths: list[Path], folder: Path, size: int, prepare: Callable):
        self.names = [path.relative_to(folder).as_posix() for path in paths]
        self._paths, self._size, self._prepare = paths, size, prepare
        self._pool = ThreadPoolExecutor(os.cpu_count())  # Pillow decodes outside Python's lock
        self._cache, self._cached = None, np.zeros(len(paths), bool)
        if len(paths) * size * size * 3 <= MOST_CACHED:
            self._cache = np.empty((len(paths), size, size, 3), np.uint8)

    def __len__(self) -> int:
        return len(self._paths)

    def take(self, places: np.ndarray) -> np.ndarray:
        """See `Images`."""
        if self._cache is None:
            return np.stack(list(self._pool.map(self._read, places)))
        missing = places[~self._cached[places]]
        for place, image in zip(missing, self._pool.map(self._read, missing), strict=True):
            self._cache[place] = image
            self._cached[place] = True
        return self._cache[places]

    def _read(self, place: int) -> np.ndarray:
        try:
            return self._prepare(read_photo(self._paths[place]), self._size)
        except BadImage as error:
            raise UserError(f"a photo of the data set cannot be used: {error}") from error


@dataclass(frozen=True)
class Part:
    """Images and their labels: int64 [N], or int8 [N, classes] of 1, 0 and UNKNOWN."""

    images: Images
    labels: np.ndarray


@dataclass(frozen=True)
class Labelled:
    """A data set to learn from and to test on.

    folds: places in the training images, one array for each predefined fold; may be empty.
    """

    classes: tuple[str, ...]
    train: Part
    test: Part
    folds: tuple[np.ndarray, ...] = ()

    @property
    def multi_label(self) -> bool:
        """Whether an image may have several classes."""
        return self.train.labels.ndim == 2

    def digest(self) -> str:
        """SHA-256 of the names of classes and images, the labels and the folds; not the pixels."""
        digest = hashlib.sha256("\n".join(self.classes).encode())
        for part in (self.train, self.test):
            digest.update("\n".join(part.images.names).encode())
            digest.update(part.labels.tobytes())
        for fold in self.folds:
            digest.update(fold.astype(np.int64).tobytes())
        return digest.hexdigest()
