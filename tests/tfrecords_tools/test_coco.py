import json

import pytest

from lorbms_tf.errors import UserError
from tfrecords_tools import coco


def write(path, dataset):
    path.write_text(dataset if isinstance(dataset, str) else json.dumps(dataset))
    return path


def image(image_id, name="a.jpg"):
    return {"id": image_id, "file_name": name, "width": 8, "height": 8}


def box(annotation_id, image_id, **more):
    return {"id": annotation_id, "image_id": image_id, "bbox": [0, 0, 2, 2], **more}


def entries(folder, dataset):
    return coco.read(write(folder / "a.json", dataset)).entries


def test_boxes_are_counted_for_each_image(tmp_path):
    dataset = {
        "images": [image(5, "five.jpg"), image(7, "seven.jpg"), image(9, "nine.jpg")],
        "annotations": [box(1, 7), box(2, 5), box(3, 7)],
    }
    assert entries(tmp_path, dataset) == [
        coco.Entry("5", "five.jpg", 1),
        coco.Entry("7", "seven.jpg", 2),
        coco.Entry("9", "nine.jpg", 0),
    ]


def test_crowds_and_annotations_without_box_are_not_counted(tmp_path):
    dataset = {
        "images": [image(1)],
        "annotations": [
            box(1, 1, iscrowd=0),
            box(2, 1, iscrowd=1),
            box(3, 1),
            {"id": 4, "image_id": 1, "caption": "a dog"},
        ],
        "categories": [{"no": "id"}],  # not used, so not asked to be right
    }
    assert entries(tmp_path, dataset)[0].num_boxes == 2


@pytest.mark.parametrize("own", [1, 1.0, "1"])
@pytest.mark.parametrize("theirs", [1, 1.0, "1"])
def test_ids_join_however_they_are_written(tmp_path, own, theirs):
    dataset = {"images": [image(own)], "annotations": [box(1, theirs)]}
    assert entries(tmp_path, dataset) == [coco.Entry("1", "a.jpg", 1)]


@pytest.mark.parametrize(
    ("iscrowd", "boxes"),
    [(0, 1), ("0", 1), (False, 1), (0.0, 1), (None, 1), ("", 1), (1, 0), ("1", 0), (True, 0)],
)
def test_crowds_however_they_are_marked(tmp_path, iscrowd, boxes):
    dataset = {"images": [image(1)], "annotations": [box(1, 1, iscrowd=iscrowd)]}
    assert entries(tmp_path, dataset)[0].num_boxes == boxes


@pytest.mark.parametrize(
    ("bbox", "good"),
    [
        ([0, 0, 2, 2], True),
        ([-1, -1, 2, 2], True),  # a part of it lies in the photo
        (["1", "2", "3.5", "4"], True),
        ([5, 5, 0, 0], False),
        ([5, 5, 3, 0], False),
        ([5, 5, -3, 3], False),
        ([-9, 0, 9, 9], False),  # it ends where the photo begins
        ([float("nan")] * 4, False),
        ([0, 0, float("inf"), 1], False),
        ([0, 0, 1, 10**400], False),
        ([0, 0, 2], False),
        ([0, 0, 2, "wide"], False),
        ([0, 0, 2, None], False),
        ("1234", False),
        ({"x": 1}, False),
    ],
)
def test_boxes_without_an_area_are_none_and_are_noted(tmp_path, bbox, good):
    dataset = {"images": [image(1)], "annotations": [{**box(1, 1), "bbox": bbox}]}
    content = coco.read(write(tmp_path / "a.json", dataset))
    assert content.entries[0].num_boxes == good
    odd = content.notes.as_json()
    assert odd.get(coco.NO_BOX, {"number": 0})["number"] == (not good)
    if not good:
        assert odd[coco.NO_BOX]["examples"][0].startswith("image 1: ")


def test_annotations_of_other_images_are_noted(tmp_path):
    dataset = {"images": [image(1)], "annotations": [box(1, 1), box(2, 777), box(3, "01")]}
    content = coco.read(write(tmp_path / "a.json", dataset))
    assert content.entries[0].num_boxes == 1
    expected = {"number": 2, "examples": ["image 777", "image 01"]}
    assert content.notes.as_json() == {coco.UNKNOWN_IMAGE: expected}


def test_numbers_are_sorted_by_value_and_before_text(tmp_path):
    dataset = {"images": [image(i) for i in ("b", 100, 9, "a", "20")], "annotations": []}
    assert [entry.photo_id for entry in entries(tmp_path, dataset)] == ["9", "20", "100", "a", "b"]


def test_a_file_of_image_infos_has_no_boxes(tmp_path):
    assert entries(tmp_path, {"images": [image(3)]}) == [coco.Entry("3", "a.jpg", 0)]


def test_nothing_is_printed(tmp_path, capsys):
    entries(tmp_path, {"images": [image(1)], "annotations": [box(1, 1)]})
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err == ""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{not json", "not JSON"),
        ("", "not JSON"),
        ("[]", "COCO"),
        ({"annotations": []}, "COCO"),
        ({"images": {"1": "a.jpg"}}, "COCO"),
        ({"images": [], "annotations": []}, "no images"),
        ({"images": [{"id": 1}]}, r"images\[0\]"),
        ({"images": [{"id": True, "file_name": "a.jpg"}]}, r"images\[0\]"),
        ({"images": [image(1), "b.jpg"]}, r"images\[1\]"),
        ({"images": [image(1), image("1")]}, "twice"),
        ({"images": [image(1.5)]}, r"images\[0\]"),
        ({"images": [image(float("nan"))]}, r"images\[0\]"),
        ({"images": [image("")]}, r"images\[0\]"),
        ({"images": [image(1)], "annotations": 3}, "annotations"),
        ({"images": [image(1)], "annotations": [{"id": 1}]}, r"annotations\[0\]"),
        ({"images": [image(1)], "annotations": [{"id": 1, "image_id": [1]}]}, r"annotations\[0\]"),
    ],
)
def test_a_bad_file_is_named_with_the_reason(tmp_path, content, reason):
    path = write(tmp_path / "broken.json", content)
    with pytest.raises(UserError, match=reason) as error:
        coco.read(path)
    assert "broken.json" in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.json"):
        coco.read(tmp_path / "nowhere.json")
