"""One reader: what is absent is not known, what is malformed is the same error for everyone."""

import json

import pytest

from lorbms_tf.data import dataset_file, fingerprint
from lorbms_tf.data.damage import BadRecords
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.data import tau_at


@pytest.fixture
def shard(tmp_path):
    path = tmp_path / "a.tfrecord-00000-of-00001"
    path.write_bytes(b"123")
    return path


def write(shard, **stored):
    shard.with_name("dataset.json").write_text(json.dumps(stored))


def entry(shard, **more):
    return {"file": shard.name, "bytes": 3, "records": 5, "sha256": "f" * 64, **more}


def test_what_is_said_is_read(shard):
    quantiles = {"1": 9, "0": 1, "0.5": 3}
    write(shard, shards=[entry(shard)], distance_quantiles=quantiles, dataset_hash="d")
    found = dataset_file.read(shard.parent)
    assert found.shards == {shard.name: dataset_file.Shard(5, 3, "f" * 64)}
    assert found.distance_quantiles == [(0, 1), (0.5, 3), (1, 9)]
    assert found.dataset_hash == "d"


def test_what_is_absent_is_not_known(shard):
    assert dataset_file.read(shard.parent) is None
    write(shard, shards=[{"file": shard.name}])
    found = dataset_file.read(shard.parent)
    assert found.shards[shard.name] == dataset_file.Shard(None, None, None)
    assert (found.distance_quantiles, found.dataset_hash) == ([], "")


@pytest.mark.parametrize(
    "text, named",
    [
        ("{", "is not JSON"),
        ("[]", "must be an object"),
        ('{"shards": 3}', "shards"),
        ('{"shards": [3]}', "shards"),
        ('{"shards": [{"file": 1}]}', "shards"),
        ('{"shards": [{"file": "a", "records": "5"}]}', "shards"),
        ('{"distance_quantiles": [1]}', "distance_quantiles"),
        ('{"distance_quantiles": {"a": 1}}', "distance_quantiles"),
        ('{"distance_quantiles": {"0": null}}', "distance_quantiles"),
        ('{"dataset_hash": 5}', "dataset_hash"),
    ],
)
def test_a_malformed_file_is_the_same_error_for_all_who_read_it(shard, text, named):
    shard.with_name("dataset.json").write_text(text)
    readers = (
        lambda: dataset_file.hash_of([str(shard)]),
        lambda: fingerprint.fingerprint([str(shard)]),
        lambda: tau_at(0.5, [str(shard)]),
        lambda: BadRecords(limit=5).scan([str(shard)]),  # cut short: it asks for the count
    )
    for reader in readers:
        with pytest.raises(UserError, match=f"dataset.json .*{named}"):
            reader()


def test_the_hash_of_a_whole_dataset_is_its_own(shard):
    write(shard, shards=[entry(shard)], dataset_hash="d" * 64)
    assert dataset_file.hash_of([str(shard)]) == "d" * 64


def test_a_part_or_several_have_hashes_of_their_own(shard, tmp_path):
    write(shard, shards=[entry(shard), {"file": "b", "bytes": 1}], dataset_hash="d" * 64)
    part = dataset_file.hash_of([str(shard)])
    other = tmp_path / "other" / shard.name
    other.parent.mkdir()
    other.write_bytes(b"456")
    write(other, shards=[entry(other)], dataset_hash="e" * 64)
    both = dataset_file.hash_of([str(shard), str(other)])
    assert both == dataset_file.hash_of([str(other), str(shard)])
    assert len({part, both, "d" * 64, "e" * 64}) == 4


def test_records_that_were_replaced_or_never_described_have_none(shard):
    assert dataset_file.hash_of([str(shard)]) is None
    write(shard, shards=[entry(shard)])
    assert dataset_file.hash_of([str(shard)]) is None
    write(shard, shards=[entry(shard, bytes=4)], dataset_hash="d" * 64)
    assert dataset_file.hash_of([str(shard)]) is None
