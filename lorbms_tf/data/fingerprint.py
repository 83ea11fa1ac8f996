"""Which shards a run learns from, told apart cheaply: names, sizes, and hashes where known.

The hashes come from the dataset.json that a build leaves beside its shards; reading terabytes of
records again at every start would cost more than it guards against.
"""

from pathlib import Path

from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json

_SHOWN = 5


def fingerprint(shards: list[str]) -> list[dict]:
    """A dict of file, bytes and sha256 (None where not known) for each shard, in their order.

    Folders are left out, so that records may be moved. Raises UserError for a missing shard.
    """
    hashes = {folder: _hashes(folder) for folder in {Path(shard).parent for shard in shards}}
    found = []
    for path in map(Path, shards):
        try:
            size = path.stat().st_size
        except OSError as error:
            raise UserError(f"record file {path} cannot be read: {error.strerror}") from error
        digest = hashes[path.parent].get((path.name, size))
        found.append({"file": path.name, "bytes": size, "sha256": digest})
    return found


def _hashes(folder: Path) -> dict[tuple[str, int], str]:
    """Hashes by name and size: a file that was replaced after the build is not in the list."""
    path = folder / records.DATASET_FILE
    if not path.is_file():
        return {}
    dataset = read_json(path)
    shards = dataset.get("shards", []) if isinstance(dataset, dict) else []
    keys = {"file", "bytes", "sha256"}
    return {(s["file"], s["bytes"]): s["sha256"] for s in shards if keys <= set(s)}


def differences(old: list[dict], new: list[dict]) -> list[str]:
    """Lines that say how two fingerprints differ; empty where they are of the same records.

    A hash that only one of them knows is not compared.
    """
    before, after = _by_name(old), _by_name(new)
    lines = [f"{name}: gone" for name in before if name not in after]
    lines += [f"{name}: new" for name in after if name not in before]
    for name in before.keys() & after.keys():
        a, b = before[name], after[name]
        if a["bytes"] != b["bytes"]:
            lines.append(f"{name}: {a['bytes']} bytes -> {b['bytes']} bytes")
        elif a["sha256"] and b["sha256"] and a["sha256"] != b["sha256"]:
            lines.append(f"{name}: sha256 {a['sha256'][:12]}... -> {b['sha256'][:12]}...")
    if not lines and list(before) != list(after):
        lines.append("the order of the shards")
    lines.sort()
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return [f"records: {line}" for line in lines[:_SHOWN] + more]


def _by_name(shards: list[dict]) -> dict[str, dict]:
    """Shards by file name; those of one name, from several folders, are numbered."""
    named: dict[str, dict] = {}
    for shard in shards:
        name, number = shard["file"], 2
        while name in named:
            name, number = f"{shard['file']} ({number})", number + 1
        named[name] = shard
    return named
