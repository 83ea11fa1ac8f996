"""Opening the index of some shards, and making it where it is missing or does not fit them."""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lorbms_tf.data import dataset_file, reading, record_index, storage
from lorbms_tf.data.damage import HEADER, BadRecords, frames
from lorbms_tf.data.record_index import BAD_CHECKSUM, GOOD, ROW, RecordIndex, Shard
from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_file
from lorbms_tf.progress import track


def open_index(shards: list[str], bad: BadRecords | None = None) -> RecordIndex:
    """The index of some shards; what is missing is made, kept for the next time, and told of.

    Args:
      shards: record files.
      bad: what a scan has shown to be damaged; None: nothing was scanned. A damaged record keeps
        its number.

    Raises:
      UserError: a shard is missing, or cut short and not scanned, or more records are damaged than
        are tolerated.
    """
    bad = bad or BadRecords()
    described = _described(shards)
    stored = [_stored(shard) for shard in described]
    missing = [shard for shard, rows in zip(described, stored, strict=True) if rows is None]
    made = iter(_make_all(missing) if missing else [])
    found = []
    for shard, rows in zip(described, stored, strict=True):
        rows = next(made) if rows is None else rows
        scan = bad.scans.get(shard.path)
        if scan is None:
            record_index.check_whole(shard, rows)
            bad.check_end(shard.path, len(rows))
        elif scan.first_fault is not None:
            rows = rows[: len(scan.offsets)].copy()
            rows["state"][scan.damaged] = BAD_CHECKSUM
        found.append(rows)
    return RecordIndex(shards, found)


def count(shards: list[str], bad: BadRecords) -> int:
    """How many records some shards hold in their places; makes no index. Raises as `open_index`."""
    total = 0
    for shard in _described(shards):
        rows = None if shard.path in bad.scans else _stored(shard)
        if rows is None:
            total += reading.count(shard.path, bad)
        else:
            bad.check_end(shard.path, len(rows))
            total += len(rows)
    return total


def write_beside(path: str | os.PathLike, sha256: str) -> None:
    """Makes the index of a whole shard in its folder. UserError where it cannot be written."""
    size, written = storage.size_and_time(str(path))
    shard = Shard(str(path), size, written, sha256, None)
    _write(Path(record_index.path_beside(str(path))), shard, np.array(list(_rows(shard)), ROW))


def _described(paths: list[str]) -> list[Shard]:
    folders = {folder: dataset_file.read(folder) for folder in set(map(storage.folder, paths))}
    shards = []
    for path in paths:
        size, written = storage.size_and_time(path)
        dataset = folders[storage.folder(path)]
        told = dataset.shards.get(storage.name(path)) if dataset else None
        known = told is not None and told.bytes == size  # else it was replaced after the build
        sha256, records = (told.sha256, told.records) if known else (None, None)
        shards.append(Shard(path, size, written, sha256, records))
    return shards


def _stored(shard: Shard) -> np.ndarray | None:
    """The rows that are kept, wherever; None where there are none that fit."""
    paths = [record_index.path_beside(shard.path), str(_path_in_cache(shard.path) or "")]
    found = (record_index.read(path, shard) for path in paths if path)
    return next((rows for rows in found if rows is not None), None)


def _path_in_cache(shard: str) -> Path | None:
    """Where the index of a shard in a folder that cannot be written is kept."""
    whole = shard if storage.is_remote(shard) else os.path.abspath(shard)
    name = hashlib.sha256(whole.encode(errors="surrogateescape")).hexdigest()[:32] + ".rows"
    try:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:  # a user without a home
        return None
    return Path(cache, "lorbms_tf", record_index.FOLDER, name)


def _make_all(shards: list[Shard]) -> list[np.ndarray]:
    """The rows of shards that have no index, which is kept where that can be."""
    folders = sorted({storage.folder(shard.path) for shard in shards})
    where = folders[0] if len(folders) == 1 else f"{len(folders)} folders"
    print(
        f"indexing {len(shards)} record files in {where}: once, for fast access to any record",
        file=sys.stderr,
        flush=True,
    )
    made: list[list[np.ndarray]] = [[] for _ in shards]

    def steps() -> Iterator[None]:
        for shard, rows in zip(shards, made, strict=True):
            for row in _rows(shard):
                rows.append(row)
                yield

    told = [shard.records for shard in shards]
    total = None if None in told else sum(told)  # for the progress
    for _ in track(steps(), total=total, label="indexing", unit="record"):
        pass
    arrays = [np.array(rows, ROW) for rows in made]
    notes = [_keep(shard, rows) for shard, rows in zip(shards, arrays, strict=True)]
    for note in dict.fromkeys(note for note in notes if note):
        print(note, file=sys.stderr, flush=True)
    return arrays


def _rows(shard: Shard) -> Iterator[np.ndarray]:
    """A row for each record, [] of ROW."""
    with storage.open_binary(shard.path) as file:
        for frame in frames(shard.path):
            file.seek(frame.offset + HEADER + frame.length)
            yield record_index.row_of(frame, int.from_bytes(file.read(4), "little"))


def _keep(shard: Shard, rows: np.ndarray) -> str:
    """Writes an index where that can be; a line to tell where it is not beside the shard."""
    if len(rows) and (rows["state"] != GOOD).any():
        return ""  # another file may take the place of the damaged one
    folder = storage.folder(shard.path)
    reason = "is remote"
    if not storage.is_remote(shard.path):
        try:
            return _write(Path(record_index.path_beside(shard.path)), shard, rows)
        except UserError as error:
            reason = f"cannot be written ({str(error).rpartition(': ')[2]})"
    cached = _path_in_cache(shard.path)
    try:
        if cached:
            _write(cached, shard, rows)
            return f"{folder} {reason}: the index of its records is kept in {cached.parent}"
    except UserError:
        pass
    return f"{folder} {reason}, nor {cached}: the index of its records is made at each start"


def _write(path: Path, shard: Shard, rows: np.ndarray) -> str:
    with atomic_file(path) as file:
        file.writelines(record_index.as_bytes(shard, rows))
    return ""
