"""Any record of some shards by its number, and where its 41 images lie: the index beside them.

An index is a file for each shard, `index/NAME.rows` in the shard's folder: a line of JSON that says
which shard it is of, and a row for each record, which is mapped into memory, not read. The build
writes it; `index_making` makes what is missing, in that folder or elsewhere. An index is used only
where it fits its shard: the size, the hash that dataset.json tells, and the framing of records.
Every image's checksum is in its row, so that no other bytes are ever taken for it.
"""

import json
import zlib
from typing import NamedTuple

import numpy as np

from lorbms_tf.data import storage, wire_format
from lorbms_tf.data.damage import AROUND, HEADER, Frame
from lorbms_tf.errors import UserError

FOLDER = "index"
GOOD, BAD_CHECKSUM, BAD_SCHEMA = 0, 1, 2
ROW = np.dtype(
    [
        ("offset", "<u8"),  # bytes, of the record's header in the shard
        ("length", "<u8"),  # bytes of the record's data
        ("checksum", "<u4"),  # of the data, as it lies behind them
        ("state", "<u4"),
        ("start", "<u4", wire_format.NUM_IMAGES),  # bytes from the beginning of the data
        ("size", "<u4", wire_format.NUM_IMAGES),  # bytes
        ("crc", "<u4", wire_format.NUM_IMAGES),  # CRC-32 of zlib
        ("distance", "<f4", (wire_format.NUM_IMAGES - 1,)),
    ]
)
_FORMAT = "lorbms_tf record index 1"
_ALIGNMENT = 64  # bytes: the rows begin at a multiple
_SAMPLE = 8  # records whose framing is compared


class Shard(NamedTuple):
    """A shard as its index must describe it."""

    path: str
    bytes: int
    written: int  # ns
    sha256: str | None  # as dataset.json tells; None: not told
    records: int | None  # the same


def path_beside(shard: str) -> str:
    """Where the index of a shard lies that its build has written."""
    return storage.joined(storage.folder(shard), FOLDER, storage.name(shard) + ".rows")


def row_of(frame: Frame, checksum: int) -> np.ndarray:
    """The row of one record, [] of ROW; its state says whether it can be used."""
    row = np.zeros((), ROW)
    row["offset"], row["length"], row["checksum"] = frame.offset, frame.length, checksum
    if frame.raw is None:
        row["state"] = BAD_CHECKSUM
        return row
    try:
        layout = wire_format.layout(frame.raw)
    except ValueError:
        row["state"] = BAD_SCHEMA
        return row
    view = memoryview(frame.raw)
    spans = zip(layout.starts, layout.sizes, strict=True)
    row["start"], row["size"] = layout.starts, layout.sizes
    row["crc"] = [zlib.crc32(view[start : start + size]) for start, size in spans]
    row["distance"] = layout.distances.reshape(-1)
    return row


def as_bytes(shard: Shard, rows: np.ndarray) -> list[bytes]:
    """The pieces of an index file; the same for the same shard."""
    header = {"format": _FORMAT, "bytes": shard.bytes, "sha256": shard.sha256}
    text = json.dumps(header).encode()
    line = text.ljust(-(-(len(text) + 1) // _ALIGNMENT) * _ALIGNMENT - 1) + b"\n"
    return [line, rows.tobytes()]


def read(path: str, shard: Shard) -> np.ndarray | None:
    """The rows of an index file, ROW [n]; None where there is none that fits the shard."""
    if not storage.exists(path):
        return None
    size, written = storage.size_and_time(path)
    with storage.open_binary(path) as file:
        line = file.readline()
    try:
        header = json.loads(line)
    except ValueError:
        return None
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        return None
    if header.get("bytes") != shard.bytes or (size - len(line)) % ROW.itemsize:
        return None
    if shard.sha256 and header.get("sha256") not in (None, shard.sha256):
        return None
    if storage.is_remote(path):
        rows = np.frombuffer(storage.read_bytes(path), ROW, offset=len(line))
    elif size == len(line):
        rows = np.empty(0, ROW)
    else:  # as a plain array: a memmap is slow to take single rows from
        rows = np.asarray(np.memmap(path, ROW, "r", offset=len(line)))
    # A shard that was written after its index may have been exchanged for another of its size.
    return rows if _framing_fits(shard, rows, everywhere=shard.written > written) else None


def _framing_fits(shard: Shard, rows: np.ndarray, everywhere: bool) -> bool:
    """Whether records lie, with their lengths and checksums, where the rows say."""
    last = int(rows["offset"][-1] + rows["length"][-1]) + AROUND if len(rows) else 0
    if last != shard.bytes:
        return False
    numbers = range(len(rows))
    if not everywhere and len(rows) > _SAMPLE:
        numbers = np.linspace(0, len(rows) - 1, _SAMPLE).astype(int)
    with storage.open_binary(shard.path) as file:
        return all(
            (int(rows["length"][n]), int(rows["checksum"][n])) == _framing(file, rows[n])
            for n in numbers
        )


def _framing(file, row: np.ndarray) -> tuple[int, int]:
    """The length of a record and the checksum of its data, from its shard."""
    file.seek(int(row["offset"]))
    length = int.from_bytes(file.read(8), "little")
    file.seek(int(row["offset"] + row["length"]) + HEADER)
    return length, int.from_bytes(file.read(4), "little")


class RecordIndex:
    """The records of some shards, numbered through from 0.

    Args:
      shards: record files.
      rows: ROW [n] of each.
    """

    def __init__(self, shards: list[str], rows: list[np.ndarray]):
        self.shards, self._rows = shards, rows
        self._ends = np.cumsum([len(part) for part in rows])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def place(self, number: int) -> tuple[str, int]:
        """The shard of a record, and its number in it, from 0."""
        shard = int(np.searchsorted(self._ends, number, "right"))
        return self.shards[shard], int(number - self._ends[shard] + len(self._rows[shard]))

    def take(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(int [n], index of the shard; ROW [n]) of some records."""
        places = np.searchsorted(self._ends, numbers, "right")
        rows = np.empty(len(numbers), ROW)
        for shard in np.unique(places):
            chosen = places == shard
            begin = self._ends[shard] - len(self._rows[shard])
            rows[chosen] = self._rows[shard][numbers[chosen] - begin]
        return places, rows


def check_whole(shard: Shard, rows: np.ndarray) -> None:
    """Raises UserError where the rows of a shard end before it does."""
    end = int(rows["offset"][-1] + rows["length"][-1]) + AROUND if len(rows) else 0
    if end != shard.bytes:
        raise UserError(f"record file {shard.path} is cut short or corrupt at record {len(rows)}")
