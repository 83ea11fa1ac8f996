import json

import pytest

from lorbms_tf.data import fingerprint
from lorbms_tf.errors import UserError


def shards(folder, **contents):
    """Files of these names and contents; returns their paths in order."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_text(content)
    return [str(folder / name) for name in sorted(contents)]


def describe(folder, **hashes):
    """A dataset.json as a build leaves it."""
    entries = [
        {"file": name, "bytes": (folder / name).stat().st_size, "sha256": digest}
        for name, digest in hashes.items()
    ]
    (folder / "dataset.json").write_text(json.dumps({"shards": entries}))


def test_moved_records_are_the_same(tmp_path):
    one = fingerprint.fingerprint(shards(tmp_path / "one", a="12", b="345"))
    two = fingerprint.fingerprint(shards(tmp_path / "two", a="12", b="345"))
    assert fingerprint.differences(one, two) == []
    assert one[1] == {"file": "b", "bytes": 3, "sha256": None}


def test_what_differs_is_listed(tmp_path):
    old = fingerprint.fingerprint(shards(tmp_path / "one", a="12", b="345", c="6"))
    new = fingerprint.fingerprint(shards(tmp_path / "two", a="1", c="6", d="7"))
    assert fingerprint.differences(old, new) == [
        "records: a: 2 bytes -> 1 bytes", "records: b: gone", "records: d: new",
    ]  # fmt: skip


def test_hashes_of_the_build_tell_records_of_one_size_apart(tmp_path):
    paths = shards(tmp_path, a="12")
    unknown = fingerprint.fingerprint(paths)
    describe(tmp_path, a="aaaa" * 16)
    old = fingerprint.fingerprint(paths)
    describe(tmp_path, a="bbbb" * 16)
    new = fingerprint.fingerprint(paths)
    assert fingerprint.differences(old, new) == [
        "records: a: sha256 aaaaaaaaaaaa... -> bbbbbbbbbbbb..."
    ]
    assert fingerprint.differences(unknown, new) == []


def test_hashes_of_the_dataset_are_kept_and_compared(tmp_path):
    paths = shards(tmp_path, a="12", b="3")
    describe(tmp_path, a="aaaa" * 16, b="bbbb" * 16)
    without = fingerprint.fingerprint(paths)
    path = tmp_path / "dataset.json"
    stored = json.loads(path.read_text())
    found = []
    for digest in ("c" * 64, "d" * 64):
        path.write_text(json.dumps({**stored, "dataset_hash": digest}))
        found.append(fingerprint.fingerprint(paths))
    assert found[0][1]["dataset_hash"] == "c" * 64
    assert fingerprint.differences(*found) == [
        "records: dataset cccccccccccc... -> dddddddddddd..."
    ]
    assert fingerprint.differences(without, found[0]) == []  # of a run from before


def test_a_shard_replaced_after_the_build_does_not_keep_its_hash(tmp_path):
    paths = shards(tmp_path, a="12")
    describe(tmp_path, a="aaaa" * 16)
    (tmp_path / "a").write_text("longer")
    assert fingerprint.fingerprint(paths)[0]["sha256"] is None


def test_many_differences_are_counted(tmp_path):
    old = fingerprint.fingerprint(shards(tmp_path / "one", **{f"s{n}": "1" for n in range(9)}))
    found = fingerprint.differences(old, [])
    assert len(found) == 6 and found[-1] == "records: and 4 more"


def test_files_of_one_name_and_another_order(tmp_path):
    one, two = (shards(tmp_path / folder, a=folder)[0] for folder in ("one", "three"))
    old, new = fingerprint.fingerprint([one, two]), fingerprint.fingerprint([two, one])
    assert fingerprint.differences(old, old) == []
    assert len(fingerprint.differences(old, new)) == 2
    other = shards(tmp_path / "four", b="4")[0]
    old, new = fingerprint.fingerprint([one, other]), fingerprint.fingerprint([other, one])
    assert fingerprint.differences(old, new) == ["records: the order of the shards"]


def test_a_shard_that_is_gone(tmp_path):
    with pytest.raises(UserError, match="record file .*absent"):
        fingerprint.fingerprint([str(tmp_path / "absent")])
