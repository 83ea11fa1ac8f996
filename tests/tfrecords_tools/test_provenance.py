"""Two datasets that part company at a stage have equal hashes up to it."""

import json
import shutil

import pytest
from PIL import Image

from lorbms_tf.data import records
from tests.tfrecords_tools.making import build_config
from tfrecords_tools import build, inspect, provenance

STAGES = list(provenance.STAGES)


def equal_up_to(a, b):
    """The stages at which two datasets are equal."""
    return [stage for stage in STAGES if a["provenance"][stage] == b["provenance"][stage]]


@pytest.fixture
def make(photos, quick_features):
    made = []

    def run(folder=photos, **changes):
        made.append(photos.parent / f"out{len(made)}")
        return build.build(build_config(folder, out=str(made[-1]), **changes))

    return run


def test_each_setting_changes_its_stage_and_those_after_it(make):
    first = make()
    assert list(first["provenance"]) == STAGES
    assert first["dataset_hash"] == first["provenance"]["shards"]
    assert len({*first["provenance"].values()}) == len(STAGES)
    for changes, number in (
        ({"num_workers": 1}, 5),
        ({"num_shards": 2}, 4),
        ({"num_clusters": 2}, 3),
        ({"near_duplicates": -1}, 3),
        ({"versions": "original,flip"}, 1),
        ({"image_size": 64}, 1),
    ):
        assert equal_up_to(first, make(**changes)) == STAGES[:number], changes


def test_moved_photos_are_the_same_and_changed_ones_are_not(make, photos):
    first = make(sample_photos=13)
    moved = shutil.copytree(photos, photos.parent / "elsewhere")
    assert make(moved, sample_photos=13)["dataset_hash"] == first["dataset_hash"]
    last = sorted(first_id for first_id in moved.iterdir())[-1]
    with Image.open(last) as image:
        changed = image.copy()
    changed.putpixel((0, 0), (1, 2, 3))
    changed.save(last)
    assert equal_up_to(make(photos), make(moved)) == []


def test_a_network_is_known_by_its_weights_and_not_by_its_folder(make):
    stored = make()

    def features(network, **more):
        block = {**stored["features"], "network": network, **more}
        settings = {**stored["settings"], "features": network}
        changed = {**stored, "features": block, "settings": settings}
        return provenance.chain(changed, "source")["provenance"]["features"]

    here = features("encoder:runs/a", explained_variance=0.5)
    assert here == features("encoder:/elsewhere/b", explained_variance=0.6)
    assert here != features("encoder:runs/a", weights_sha256="other")
    assert here != features("discriminator:runs/a")
    assert features("saved_model:d,output=x") != features("saved_model:d,output=y")


def test_the_source_is_a_set_of_photos():
    pairs = [("a", "1"), ("b", "2")]
    assert provenance.source_hash(pairs) == provenance.source_hash([*reversed(pairs), ("a", "1")])
    assert provenance.source_hash(pairs) != provenance.source_hash([("a", "2"), ("b", "1")])


def test_inspect_finds_a_chain_that_does_not_fit(make, photos):
    make()
    path = photos.parent / "out0" / records.DATASET_FILE
    glob = f"{path.parent}/*.tfrecord-*"
    stored = json.loads(path.read_text())
    assert provenance.fault(stored) == ""
    for change, reason in (
        ({"settings": {**stored["settings"], "num_clusters": 7}}, "from the stage 'neighbours' on"),
        ({"dataset_hash": "0"}, "is not the end of its provenance"),
        ({"provenance": {}}, "cannot be followed: 'source'"),
    ):
        path.write_text(json.dumps({**stored, **change}))
        (checked,) = inspect.check(glob).values()
        assert len(checked.failures) == 1 and reason in checked.failures[0]
    del stored["provenance"], stored["dataset_hash"]  # of an older build
    assert provenance.fault(stored) == ""
