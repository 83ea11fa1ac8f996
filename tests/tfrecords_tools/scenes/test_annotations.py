"""The COCO entries agree with the truth and with each other."""

import numpy as np
import pytest
from pycocotools import mask as masks

from tfrecords_tools.scenes import annotations
from tfrecords_tools.scenes.scene import sample

SIZE = 200


@pytest.fixture(scope="module")
def entries():
    return [entry for k in range(12) for entry in annotations.object_entries(sample(2, k), SIZE)]


def test_area_is_that_of_the_polygons(entries):
    for entry in entries:
        encoded = masks.merge(masks.frPyObjects(entry["segmentation"], SIZE, SIZE))
        assert entry["area"] == pytest.approx(float(masks.area(encoded)), rel=0.06)
        np.testing.assert_allclose(
            masks.toBbox(encoded), entry["bbox"], atol=3.0
        )  # thin tips fall between pixels


def test_area_of_overlapping_squares_counts_once():
    square = np.array([(0, 0), (10, 0), (10, 10), (0, 10)], float)
    assert annotations._area([square, square + 5]) == pytest.approx(175, abs=3)


def test_ids_and_quadrants(entries):
    assert [entry["id"] for entry in entries] == list(range(1, 49))
    assert [entry["quadrant"] for entry in entries] == [1, 2, 3, 4] * 12
    assert {entry["iscrowd"] for entry in entries} == {0}


def test_image_entry_tells_the_scene():
    truth = sample(2, 6)
    entry = annotations.image_entry(truth, SIZE)
    assert (entry["id"], entry["file_name"]) == (7, "000007.jpg")
    assert entry["scene"]["background"] == truth.background.kind
    assert list(entry["scene"]["quadrants"]) == ["q1", "q2", "q3", "q4"]
    for thing, told in zip(
        annotations.object_entries(truth, SIZE), entry["scene"]["quadrants"].values(), strict=True
    ):
        assert told["annotation_id"] == thing["id"]
        assert told["center"] == thing["center"]
        assert told["color"] == thing["color"]["name"]
