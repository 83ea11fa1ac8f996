import pytest

from lorbms_tf.data import voc_annotations
from lorbms_tf.errors import UserError

FILE = """<annotation><filename>a.png</filename>
<size><width>30</width><height>20</height><depth>3</depth></size>
<object><name>dog</name>{}<bndbox>
<xmin>1</xmin><ymin>2</ymin><xmax>4.5</xmax><ymax>9</ymax></bndbox>
<part><name>head</name></part></object></annotation>"""


@pytest.mark.parametrize(
    ("text", "difficult"),
    [("<difficult>1</difficult>", True), ("<difficult> 0 </difficult>", False), ("", False)],
)
def test_size_boxes_and_what_is_difficult(tmp_path, text, difficult):
    path = tmp_path / "a.xml"
    path.write_text(FILE.format(text))
    annotation = voc_annotations.read(path)
    assert annotation.size == (30, 20) and annotation.file_name == "a.png"
    assert annotation.things == [voc_annotations.Thing("dog", [0.0, 1.0, 4.5, 8.0], difficult)]


@pytest.mark.parametrize(
    ("old", "new", "size"),
    [
        ("<width>30", "<width>30.0", (30, 20)),
        ("<width>30", "<width>0", None),
        ("<width>30", "<width>nan", None),
        ("<width>30", "<width>wide", None),
        ("<width>30</width>", "", None),
    ],
)
def test_sizes_as_tools_write_them(tmp_path, old, new, size):
    path = tmp_path / "a.xml"
    path.write_text(FILE.format("").replace(old, new))
    assert voc_annotations.read(path).size == size
    assert len(voc_annotations.read(path).things) == 1


def test_an_object_without_a_box_or_a_name(tmp_path):
    path = tmp_path / "a.xml"
    for change in (("4.5", "four"), ("bndbox", "polygon"), ("xmin", "x")):
        path.write_text(FILE.format("").replace(*change))
        assert voc_annotations.read(path).things == [voc_annotations.Thing("dog", None, False)]
    path.write_text(FILE.format("").replace("dog", " "))
    assert voc_annotations.read(path).things == [] and voc_annotations.read(path).nameless == 1


def test_bad_files_and_folders_are_named(tmp_path):
    path = tmp_path / "a.xml"
    with pytest.raises(UserError, match=r"a\.xml cannot be read"):
        voc_annotations.read(path)
    broken = ("", "<annotation>", "<html></html>", "<?xml version='1.0' encoding='x'?><a/>")
    for text in broken:
        path.write_text(text)
        with pytest.raises(UserError, match=r"a\.xml is not in VOC's format"):
            voc_annotations.read(path)
    with pytest.raises(UserError, match="no folder JPEGImages"):
        voc_annotations.check_folder(tmp_path)


def fill(folder, *names):
    for name in names:
        path = folder / voc_annotations.IMAGES / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return voc_annotations.Pictures(folder)


@pytest.mark.parametrize(
    ("names", "told", "expected"),
    [
        (["a.jpg"], "a.jpg", "a.jpg"),
        (["a.png"], "", "a.png"),
        (["a.JPG", "b.jpg"], "", "a.JPG"),
        (["a.jpeg", "a.txt"], "old_name.jpg", "a.jpeg"),
        (["a.jpg", "a.png"], "a.png", "a.png"),
        (["a.jpg", "a.png"], "", "a.jpg"),
        (["a.jpg", "b.png"], "b.png", "a.jpg"),  # the ID counts
        (["b.png"], "b.png", "b.png"),
        (["b.png"], "C:\\photos\\b.png", "b.png"),
        (["deep/b.png"], "deep/b.png", "deep/b.png"),
        (["A.png"], "", "A.png"),
        (["b.png"], "c.png", "a.jpg"),
        (["a.csv", "a.png", "a.txt"], "", "a.png"),
        (["a.heic"], "", "a.heic"),
        (["a.txt", "b.png"], "b.png", "b.png"),
        (["a.b.png"], "", "a.jpg"),
        ([], "..", "a.jpg"),
    ],
)
def test_the_picture_of_an_annotation(tmp_path, names, told, expected):
    assert fill(tmp_path, *names).name("a", told) == expected


def test_pictures_that_look_alike(tmp_path):
    pictures = fill(tmp_path, "u\u0308.png", "B.png", "b.jpg", "deep/c.jpg", "x.y.png")
    assert pictures.name("\u00fc") == "u\u0308.png"
    assert pictures.name("B") == "B.png" and pictures.name("b") == "b.jpg"
    assert pictures.name("deep/c") == "deep/c.jpg" and pictures.name("x.y") == "x.y.png"
    other = fill(tmp_path / "other", "E.png", "e.png", "\u00c9.png")
    assert other.name("\u00e9") == "\u00c9.png"


def test_annotation_files_and_hidden_ones(tmp_path):
    for name in ("b.xml", "a.XML", "deep/c.xml", "._b.xml", "notes.txt", "x.y.xml"):
        path = tmp_path / voc_annotations.ANNOTATIONS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert list(voc_annotations.annotation_files(tmp_path)) == ["a", "b", "deep/c", "x.y"]
