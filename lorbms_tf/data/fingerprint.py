"""Which files a run learns from, told apart cheaply: names, sizes, and hashes where known.

The hashes come from the dataset.json that a build leaves beside its shards; reading terabytes of
records again at every start would cost more than it guards against.
"""

from lorbms_tf.data import dataset_file, storage

_SHOWN = 5


def fingerprint(shards: list[str]) -> list[dict]:
    """A dict of file, bytes and sha256 (None where not known) for each shard, in their order.

    With the hash of the dataset that it belongs to, where that is known. Folders are left out, so
    that records may be moved. Raises UserError for a missing shard and a malformed dataset.json.
    """
    described = {folder: dataset_file.read(folder) for folder in map(storage.folder, shards)}
    found = []
    for path in shards:
        size, _ = storage.size_and_time(path)
        entry = {"file": storage.name(path), "bytes": size, "sha256": None}
        dataset = described[storage.folder(path)]
        told = dataset.shards.get(entry["file"]) if dataset else None
        if told and told.bytes == size:  # else it was replaced after the build
            entry["sha256"] = told.sha256
            if dataset.dataset_hash:
                entry["dataset_hash"] = dataset.dataset_hash
        found.append(entry)
    return found


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
    lines += _other_datasets(before, after)
    if not lines and list(before) != list(after):
        lines.append("the order of the shards")
    lines.sort()
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return [f"records: {line}" for line in lines[:_SHOWN] + more]


def _other_datasets(before: dict[str, dict], after: dict[str, dict]) -> list[str]:
    """One line for each pair of datasets where hashes of the whole build differ."""
    pairs = {
        (before[name].get("dataset_hash"), after[name].get("dataset_hash"))
        for name in before.keys() & after.keys()
    }
    return [f"dataset {a[:12]}... -> {b[:12]}..." for a, b in pairs if a and b and a != b]


def _by_name(shards: list[dict]) -> dict[str, dict]:
    """Shards by file name; those of one name, from several folders, are numbered."""
    named: dict[str, dict] = {}
    for shard in shards:
        name, number = shard["file"], 2
        while name in named:
            name, number = f"{shard['file']} ({number})", number + 1
        named[name] = shard
    return named
