"""The dataset.json that a build leaves beside its shards: the one reader of it in this package.

Nobody has to have one. What it does not say is not known; what it says in another form than ours is
an error, the same for everyone who asks.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lorbms_tf.data import records, storage
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json

COST_FILE = "build_cost.json"  # lies beside it: how long the build took, and how much memory


@dataclass(frozen=True)
class Shard:
    """What is said of one shard file; None where it is not said."""

    records: int | None
    bytes: int | None
    sha256: str | None


@dataclass(frozen=True)
class DatasetFile:
    """The parts of a dataset.json that training and evaluation read.

    shards: by file name.
    distance_quantiles: (quantile, squared distance) pairs, ascending; empty where not said.
    dataset_hash: of the whole way from the photos to the shards; "" where not said.
    """

    path: str
    shards: dict[str, Shard]
    distance_quantiles: list[tuple[float, float]]
    dataset_hash: str


def read(folder: str | os.PathLike) -> DatasetFile | None:
    """The dataset.json of a folder, here or remote; None where there is none.

    Raises UserError, naming file and key, where it cannot be read or is malformed.
    """
    path = storage.joined(str(folder), records.DATASET_FILE)
    if not storage.exists(path):
        return None
    stored = _remote_json(path) if storage.is_remote(path) else read_json(path)
    if not isinstance(stored, dict):
        raise _malformed(path, "it must be an object")
    digest = stored.get("dataset_hash", "")
    if not isinstance(digest, str):
        raise _malformed(path, '"dataset_hash" must be a text')
    return DatasetFile(path, _shards(stored, path), _quantiles(stored, path), digest)


def _remote_json(path: str) -> Any:
    try:
        return json.loads(storage.read_bytes(path))
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}") from error


def _shards(stored: dict[str, Any], path: str) -> dict[str, Shard]:
    entries = stored.get("shards", [])
    if not isinstance(entries, list):
        raise _malformed(path, '"shards" must be a list')
    found = {}
    for place, entry in enumerate(entries):
        good = isinstance(entry, dict) and isinstance(entry.get("file"), str)
        for key, kind in (("records", int), ("bytes", int), ("sha256", str)):
            good = good and isinstance(entry.get(key), kind | None)
        if not good:
            raise _malformed(path, f'"shards"[{place}] must have file, records, bytes and sha256')
        values = (entry.get(key) for key in ("records", "bytes", "sha256"))
        found[entry["file"]] = Shard(*values)
    return found


def _quantiles(stored: dict[str, Any], path: str) -> list[tuple[float, float]]:
    try:
        pairs = (stored.get("distance_quantiles") or {}).items()
        return sorted((float(quantile), float(distance)) for quantile, distance in pairs)
    except (AttributeError, TypeError, ValueError) as error:
        raise _malformed(path, '"distance_quantiles" must map numbers to numbers') from error


def _malformed(path: str, reason: str) -> UserError:
    return UserError(f"{path} is not what tfrecords_tools.build writes: {reason}")


def hash_of(shards: Sequence[str]) -> str | None:
    """What tells the records in some shards from others: from the hashes of their dataset.json.

    The dataset's own hash where the shards are all of one dataset; of a part of one, or of several,
    a hash over those and the names of the files. None where a folder's is not known, or a shard
    has another size than was written. Raises UserError as `read` does.
    """
    folders: dict[str, list[str]] = {}
    for path in shards:
        folders.setdefault(storage.folder(path), []).append(path)
    parts = []
    for folder, paths in folders.items():
        described = read(folder)
        if described is None or not described.dataset_hash:
            return None
        for path in paths:
            entry = described.shards.get(storage.name(path))
            if entry is None or entry.bytes != storage.size_and_time(path)[0]:
                return None
        names = sorted(map(storage.name, paths))
        whole = names == sorted(described.shards)
        parts.append(described.dataset_hash if whole else _digest(described.dataset_hash, *names))
    return parts[0] if len(parts) == 1 else _digest(*sorted(parts))


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
