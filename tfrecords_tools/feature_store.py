"""Features in a memory-mapped file, float32 or float16: more of them than memory holds.

The file is a plain .npy array [4, N, D], one quadrant after the other, because a search reads one
quadrant at a time. What is read comes as float32, in as many bytes as asked for and no more.
"""

import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.errors import UserError
from lorbms_tf.files import not_writable, temporary_path, unusable

DTYPES = ("float32", "float16")
BLOCK_BYTES = 256 * 2**20  # of float32 that is read at once where everything is read


class Rows:
    """The vectors of one quadrant; `rows[slice or ascending indices]` -> new float32 [n, D]."""

    def __init__(self, stored: np.memmap, chosen: np.ndarray | None):
        """stored: [N, D]; chosen: which rows of it there are, ascending, None for all."""
        self._stored = stored
        self._chosen = chosen
        self.shape = (len(stored) if chosen is None else len(chosen), stored.shape[1])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: slice | np.ndarray) -> np.ndarray:
        place = index if self._chosen is None else self._chosen[index]
        values = np.array(self._stored[place], np.float32)
        _forget(self._stored)
        return values


class FeatureFile:
    """Features [N, 4, D] in a file; made by `create`, found again by `open`.

    Pickled, it is the name of its file, so that another process reads the same.
    """

    def __init__(self, stored: np.memmap, chosen: np.ndarray | None = None):
        self._stored = stored  # [4, N, D]
        self._chosen = chosen
        rows = stored.shape[1] if chosen is None else len(chosen)
        self.shape = (rows, NUM_QUADRANTS, stored.shape[2])

    @classmethod
    def create(cls, path: Path, num_rows: int, dimension: int, dtype: str) -> "FeatureFile":
        """A new file, with its whole place on the disk. UserError where there is not enough."""
        temporary = temporary_path(path)
        shape = (NUM_QUADRANTS, num_rows, dimension)
        try:
            new_array(temporary, dtype, shape)
            os.replace(temporary, path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            size = num_rows * NUM_QUADRANTS * dimension * np.dtype(dtype).itemsize
            reason = not_writable(path, error)
            raise UserError(f"{reason} (the features take {size / 1e9:.2f} GB)") from error
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> "FeatureFile":
        """A file that `create` has made. UserError where it is damaged."""
        try:
            np.lib.format.open_memmap(path, "r")  # "r+" fills up with zeros what is cut short
        except ValueError as error:
            raise unusable(path, error) from error
        return cls(np.lib.format.open_memmap(path, "r+"))

    def __reduce__(self):
        return _reopen, (str(Path(self._stored.filename).absolute()), self._chosen)

    def __len__(self) -> int:
        return self.shape[0]

    def take(self, chosen: np.ndarray) -> "FeatureFile":
        """The same file, of which only some rows (ascending) are seen; nothing is copied."""
        return FeatureFile(self._stored, np.asarray(chosen))

    def quadrant(self, q: int) -> Rows:
        """The vectors of quadrant q."""
        return Rows(self._stored[q], self._chosen)

    def write(self, start: int, features: np.ndarray) -> None:
        """Stores float32 [n, 4, D] from row `start` on. UserError where they are not finite."""
        values = as_stored(features, self._stored.dtype)
        self._stored[:, start : start + len(values)] = values.transpose(1, 0, 2)

    def flush(self) -> None:
        """Brings what was written to the disk, and takes it out of this process's memory."""
        self._stored.flush()
        _forget(self._stored)


def new_array(path: Path, dtype: str, shape: tuple[int, ...]) -> np.memmap:
    """A new .npy file mapped into memory, with its whole place on the disk.

    Raises OSError where there is not enough: without the place a full disk would end the process
    (SIGBUS) in the middle of the work.
    """
    stored = np.lib.format.open_memmap(path, "w+", np.dtype(dtype), shape)
    if hasattr(os, "posix_fallocate"):
        with open(path, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return stored


def _reopen(path: str, chosen: np.ndarray | None) -> FeatureFile:
    return FeatureFile(np.lib.format.open_memmap(path, "r"), chosen)


def as_stored(features: np.ndarray, dtype: str | np.dtype) -> np.ndarray:
    """Features of any shape in the type of the file. UserError where they are not finite in it."""
    with np.errstate(over="ignore"):
        values = features.astype(dtype)
    if not np.isfinite(values).all():
        if np.isfinite(features).all():
            raise UserError(
                f"features of up to {np.abs(features).max():.4g} do not fit into float16: pass "
                "--feature_dtype=float32"
            )
        raise UserError("the features of an image are not finite: check --weights")
    return values


def _forget(stored: np.memmap) -> None:
    """Gives mapped pages back, so that the memory of the process is what it has copied."""
    mapped = getattr(stored, "_mmap", None)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def blocks(
    num_rows: int, dimension: int, multiple: int = 1, block_bytes: int = 0
) -> Iterator[slice]:
    """Slices of all rows, in order, each a whole multiple of `multiple` rows.

    They are of about `block_bytes` (0: 256 MB) of float32, but of one multiple at the least. The
    last one may be shorter or up to `multiple` rows longer.
    """
    step = max(1, (block_bytes or BLOCK_BYTES) // (4 * dimension * multiple)) * multiple
    start = 0
    while start < num_rows:
        end = start + step
        if num_rows - end < multiple:
            end = num_rows
        yield slice(start, end)
        start = end
