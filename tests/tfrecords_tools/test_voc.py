import pytest
from PIL import Image

from lorbms_tf.errors import UserError
from tfrecords_tools import sources, voc
from tfrecords_tools.scoring import truth

OBJECT = """<object><name>{}</name><difficult>1</difficult><bndbox>
<xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>
<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox>
</part></object>"""


def annotate(folder, name, *objects, size=(30, 20)):
    width, height = size
    things = "".join(OBJECT.format(*thing) for thing in objects)
    text = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>{things}"
    path = folder / voc.ANNOTATIONS / f"{name}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<annotation><filename>{name}.jpg</filename>{text}</annotation>")


def photo(folder, name, size=(30, 20)):
    path = folder / voc.IMAGES / f"{name}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


@pytest.fixture
def folder(tmp_path):
    for name in ("2007_01", "2007_02", "2007_03"):
        photo(tmp_path, name)
    annotate(tmp_path, "2007_01", ("dog", 1, 1, 15, 10), ("cat", 16, 11, 30, 20))
    annotate(tmp_path, "2007_02", ("dog", 5, 5, 6, 6))
    annotate(tmp_path, "2007_04", ("dog", 5, 5, 6, 6), ("dog", 5, 5, 6, 6))
    (tmp_path / "SegmentationClass").mkdir()
    Image.new("RGB", (30, 20)).save(tmp_path / "SegmentationClass" / "2007_01.png")
    return tmp_path


def test_boxes_are_counted_from_zero_and_parts_left_out(folder):
    document = voc.as_coco(folder)
    assert [entry["name"] for entry in document["categories"]] == ["dog", "cat"]
    first = [a["bbox"] for a in document["annotations"] if a["image_id"] == "2007_01"]
    assert first == [[0, 0, 15, 10], [15, 10, 15, 10]]
    assert document["images"][0] == {
        "id": "2007_01",
        "file_name": "JPEGImages/2007_01.jpg",
        "width": 30,
        "height": 20,
    }


def test_photos_are_kept_by_their_boxes(folder):
    kept, counts = sources.load(folder, min_size=16, min_boxes=2, source="voc")
    assert [photo.photo_id for photo in kept] == ["2007_01"]
    assert kept[0].path.is_file()
    assert counts["dropped"] == {
        "fewer than 2 boxes": 1,
        sources.ABSENT: 1,
        sources.NOT_NAMED: 1,  # a photo without annotation; segmentations are no photos
    }
    assert counts["read"] == 4


def test_candidates_can_be_scored_by_it(folder):
    found = truth.load(folder)
    assert found.categories == ["dog", "cat"]
    assert found.photos["2007_01"].boxes[1] == (15, 10, 15, 10)


def test_other_folders_and_files_are_named(folder, tmp_path_factory):
    with pytest.raises(UserError, match="no VOC folder: it has no folder JPEGImages"):
        voc.as_coco(tmp_path_factory.mktemp("empty"))
    (folder / voc.ANNOTATIONS / "z.xml").write_text("<annotation><size></size></annotation>")
    with pytest.raises(UserError, match="z.xml is not in VOC's format: size/width is missing"):
        voc.as_coco(folder)
    (folder / voc.ANNOTATIONS / "z.xml").write_text("<annotation>")
    with pytest.raises(UserError, match="z.xml is not in VOC's format"):
        voc.as_coco(folder)
