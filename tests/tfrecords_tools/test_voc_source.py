import pytest
from PIL import Image

from lorbms_tf.errors import UserError
from tfrecords_tools import sources, voc_source
from tfrecords_tools.scoring import truth

OBJECT = """<object><name>{}</name><difficult>1</difficult><bndbox>
<xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>
<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox>
</part></object>"""


def annotate(folder, name, *objects, size=(30, 20)):
    width, height = size
    things = "".join(OBJECT.format(*thing) for thing in objects)
    text = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>{things}"
    path = folder / voc_source.ANNOTATIONS / f"{name}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<annotation><filename>{name}.jpg</filename>{text}</annotation>")


def photo(folder, name, size=(30, 20)):
    path = folder / voc_source.IMAGES / f"{name}.jpg"
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
    content = voc_source.read(folder)
    assert [entry["name"] for entry in content.categories] == ["dog", "cat"]
    first = [box.place for box in content.boxes["2007_01"]]
    assert first == [(0, 0, 15, 10), (15, 10, 15, 10)]
    assert content.notes.as_json() == {}
    assert content.images["2007_01"] == {
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


def test_other_folders_are_named(folder, tmp_path_factory):
    with pytest.raises(UserError, match="no VOC folder: it has no folder JPEGImages"):
        voc_source.read(tmp_path_factory.mktemp("empty"))
    for path in (folder / voc_source.ANNOTATIONS).iterdir():
        path.write_text("<annotation>")
    with pytest.raises(UserError, match="2007_01.xml is not in VOC's format"):
        voc_source.read(folder)
    for path in (folder / voc_source.ANNOTATIONS).iterdir():
        path.unlink()
    with pytest.raises(UserError, match="holds no .xml files"):
        voc_source.read(folder)


def test_odd_files_are_noted_and_the_others_used(folder):
    inside = folder / voc_source.ANNOTATIONS
    (inside / "z.xml").write_text("<annotation>")
    whole = (inside / "2007_02.xml").read_text()
    (inside / "2007_02.xml").write_text(whole.replace("<width>30</width>", "<width>30.0</width>"))
    polygon = "<object><name>bird</name><polygon><x1>1</x1></polygon></object></annotation>"
    sizeless = whole.replace("<width>30</width>", "").replace("</annotation>", polygon)
    (inside / "2007_03.xml").write_text(sizeless.replace("2007_02", "2007_03"))
    photo(folder, "2007_03", (50, 40))
    content = voc_source.read(folder)
    assert list(content.images) == ["2007_01", "2007_02", "2007_03", "2007_04"]
    assert content.images["2007_02"]["width"] == 30 and len(content.boxes["2007_03"]) == 1
    assert content.notes.as_json() == {
        voc_source.NOT_VOC: {"number": 1, "examples": ["z.xml"]},
        voc_source.NO_SIZE: {"number": 1, "examples": ["2007_03.xml"]},
        voc_source.NO_PLACE: {"number": 1, "examples": ["2007_03.xml: bird"]},
    }
    kept, counts = sources.load(folder, min_size=16, min_boxes=1, source="voc")
    assert [one.photo_id for one in kept] == ["2007_01", "2007_02", "2007_03"]
    assert counts["annotations"] == content.notes.as_json()
    assert truth.load(folder).photos["2007_03"].width == 50  # as the photo itself has it


def test_a_photo_that_cannot_be_measured_is_left_out_of_scores(folder):
    annotate(folder, "2007_01", ("dog", 1, 1, 15, 10), size=(0, 0))
    (folder / voc_source.IMAGES / "2007_01.jpg").write_bytes(b"broken")
    found = truth.load(folder)
    assert "2007_01" not in found.photos and "2007_02" in found.photos


@pytest.mark.parametrize("ending", [".png", ".jpeg", ".JPG", ".bmp"])
def test_pictures_of_other_endings(tmp_path, ending):
    annotate(tmp_path, "a", ("dog", 1, 1, 15, 10))
    (tmp_path / voc_source.IMAGES).mkdir()
    Image.new("RGB", (30, 20)).save(tmp_path / voc_source.IMAGES / f"a{ending}")
    kept, counts = sources.load(tmp_path, min_size=16, min_boxes=1, source="voc")
    assert [one.path.name for one in kept] == [f"a{ending}"] and counts["read"] == 1
