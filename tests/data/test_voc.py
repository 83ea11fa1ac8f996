import pytest

from lorbms_tf.data import voc
from lorbms_tf.errors import UserError

FILE = """<annotation><size><width>30</width><height>20</height><depth>3</depth></size>
<object><name>dog</name>{}<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>4.5</xmax><ymax>9</ymax></bndbox>
<part><name>head</name></part></object></annotation>"""


@pytest.mark.parametrize(
    ("text", "difficult"),
    [("<difficult>1</difficult>", True), ("<difficult> 0 </difficult>", False), ("", False)],
)
def test_size_boxes_and_what_is_difficult(tmp_path, text, difficult):
    path = tmp_path / "a.xml"
    path.write_text(FILE.format(text))
    size, things = voc.read(path)
    assert size == {"width": 30, "height": 20}
    assert things == [voc.Thing("dog", [0.0, 1.0, 4.5, 8.0], difficult)]


def test_bad_files_and_folders_are_named(tmp_path):
    path = tmp_path / "a.xml"
    with pytest.raises(UserError, match=r"a\.xml cannot be read"):
        voc.read(path)
    for text in ("", "<annotation>", FILE.replace("4.5", "four"), FILE.replace("xmin", "x")):
        path.write_text(text)
        with pytest.raises(UserError, match=r"a\.xml is not in VOC's format"):
            voc.read(path)
    with pytest.raises(UserError, match="no folder JPEGImages"):
        voc.check_folder(tmp_path)
