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


def test_boxes_are_counted_for_each_image(tmp_path):
    dataset = {
        "images": [image(5, "five.jpg"), image(7, "seven.jpg"), image(9, "nine.jpg")],
        "annotations": [box(1, 7), box(2, 5), box(3, 7)],
    }
    assert coco.entries(write(tmp_path / "a.json", dataset)) == [
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
    assert coco.entries(write(tmp_path / "a.json", dataset))[0].num_boxes == 2


def test_numbers_are_sorted_by_value_and_before_text(tmp_path):
    dataset = {"images": [image(i) for i in ("b", 100, 9, "a", "20")], "annotations": []}
    found = coco.entries(write(tmp_path / "a.json", dataset))
    assert [entry.photo_id for entry in found] == ["9", "20", "100", "a", "b"]


def test_a_file_of_image_infos_has_no_boxes(tmp_path):
    found = coco.entries(write(tmp_path / "image_info.json", {"images": [image(3)]}))
    assert found == [coco.Entry("3", "a.jpg", 0)]


def test_nothing_is_printed(tmp_path, capsys):
    coco.entries(write(tmp_path / "a.json", {"images": [image(1)], "annotations": [box(1, 1)]}))
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
        ({"images": [image(1)], "annotations": 3}, "annotations"),
        ({"images": [image(1)], "annotations": [{"id": 1}]}, r"annotations\[0\]"),
        ({"images": [image(1)], "annotations": [{"id": 1, "image_id": [1]}]}, r"annotations\[0\]"),
    ],
)
def test_a_bad_file_is_named_with_the_reason(tmp_path, content, reason):
    path = write(tmp_path / "broken.json", content)
    with pytest.raises(UserError, match=reason) as error:
        coco.entries(path)
    assert "broken.json" in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.json"):
        coco.entries(tmp_path / "nowhere.json")
