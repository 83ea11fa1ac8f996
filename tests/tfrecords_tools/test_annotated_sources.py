"""Photos that annotations name: by look-alike names, and beside odd annotations."""

import json

import pytest

from lorbms_tf.errors import UserError
from tests.tfrecords_tools.test_sources import annotate, ids, noise, save
from tfrecords_tools import coco, sources
from tfrecords_tools.sources import ABSENT, NOT_NAMED


def test_names_that_look_alike_are_matched_and_told(tmp_path):
    save(noise(8, 8), tmp_path / "in" / "u\u0308.png")
    save(noise(8, 8), tmp_path / "in" / "b.png")
    save(noise(8, 8), tmp_path / "in" / "c.png")
    names = ["in\\\u00fc.png", "in/B.PNG", "in/c.png"]
    photos, counts = sources.load(tmp_path, annotate(tmp_path / "a.json", names), 8, 1)
    assert [photo.path.name for photo in photos] == ["u\u0308.png", "b.png", "c.png"]
    assert counts["read"] == 3 and counts["dropped"] == {}
    note = counts["annotations"][sources.RESPELT]
    assert note["number"] == 2 and note["examples"][1] == "in/B.PNG is in/b.png"
    annotations = annotate(tmp_path / "b.json", ["in/B.png", "in/B.PNG", "in/c.png"])
    photos, counts = sources.load(tmp_path, annotations, 8, 1)
    assert ids(photos) == ["3"]
    assert counts["dropped"] == {sources.AMBIGUOUS: 2, NOT_NAMED: 2}
    annotations = annotate(tmp_path / "c.json", ["in/B.png", "in/B.PNG"])
    with pytest.raises(UserError, match="none of the 2 images.*for example in/B.png, and 2 named"):
        sources.load(tmp_path, annotations, 8, 1)


def test_names_that_the_system_cannot_look_up_are_absent(tmp_path):
    save(noise(8, 8), tmp_path / "a.png")
    annotations = annotate(tmp_path / "a.json", ["a.png", "b.jpg?sign=" + "a" * 300, "a.png/b"])
    photos, counts = sources.load(tmp_path, annotations, 8, 1)
    assert ids(photos) == ["1"] and counts["dropped"] == {ABSENT: 2}


def test_odd_annotations_are_counted_beside_the_photos(tmp_path):
    save(noise(8, 8), tmp_path / "a.png")
    path = annotate(tmp_path / "a.json", ["a.png"], [2])
    document = json.loads(path.read_text())
    document["annotations"][0]["bbox"] = [0, 0, 0, 0]
    document["annotations"].append({"id": 9, "image_id": 5, "bbox": [0, 0, 1, 1]})
    path.write_text(json.dumps(document))
    photos, counts = sources.load(tmp_path, path, 8, 1)
    assert ids(photos) == ["1"]
    numbers = {reason: note["number"] for reason, note in counts["annotations"].items()}
    assert numbers == {coco.NO_BOX: 1, coco.UNKNOWN_IMAGE: 1}
    document["annotations"][1]["bbox"] = [0, 0, -1, 1]
    path.write_text(json.dumps(document))
    with pytest.raises(UserError, match="has no boxes; 1 annotations of images.*; 2 boxes that"):
        sources.load(tmp_path, path, 8, 1)
