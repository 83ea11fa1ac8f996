import pytest

from tfrecords_tools.named_files import Spelling, spellings


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def test_the_very_name_comes_first(tmp_path):
    touch(tmp_path, "a.png", "sub/b.png")
    assert spellings(tmp_path, tmp_path, ["sub/b.png", "./a.png", "c.png"]) == [
        Spelling(tmp_path / "sub/b.png"),
        Spelling(tmp_path / "a.png"),
        Spelling(None),
    ]


@pytest.mark.parametrize("name", ["SUB/u\u0308.PNG", "sub\\\u00fc.png", "sub/u\u0308.png"])
def test_one_name_that_looks_the_same(tmp_path, name):
    touch(tmp_path, "sub/\u00fc.png", "other.png")
    (only,) = spellings(tmp_path, tmp_path, [name])
    assert only.path.samefile(tmp_path / "sub/\u00fc.png") and not only.several


def test_a_file_is_never_taken_for_two_names(tmp_path):
    touch(tmp_path, "sub/a.png")
    assert spellings(tmp_path, tmp_path, ["sub/a.png", "sub\\a.png"]) == [
        Spelling(tmp_path / "sub/a.png"),
        Spelling(None),
    ]
    assert (
        spellings(tmp_path, tmp_path, ["sub\\a.png", ".\\sub\\a.png"])
        == [Spelling(None, several=True)] * 2
    )


def test_several_files_that_look_the_same(tmp_path):
    touch(tmp_path, "\u00fc.png", "u\u0308.png")
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system knows one form only")
    assert spellings(tmp_path, tmp_path, ["\u00dc.PNG"]) == [Spelling(None, several=True)]


def test_only_the_searched_folder_and_files(tmp_path):
    touch(tmp_path, "in/A.png", "out/b.png", "in/c.png/file")
    found = spellings(tmp_path, tmp_path / "in", ["in\\A.png", "out\\b.png", "in\\c.png"])
    assert [one.path for one in found] == [tmp_path / "in/A.png", None, None]


def test_names_that_cannot_be_looked_up_are_absent(tmp_path):
    touch(tmp_path, "a.png")
    assert (
        spellings(tmp_path, tmp_path, ["a" * 300, "a.png/b.png", "zero\0byte", ""])
        == [Spelling(None)] * 4
    )
