import pytest

from lorbms_tf.data import comma_lists


@pytest.mark.parametrize(
    "text, names",
    [
        ("", []),
        ("a", ["a"]),
        ("a, b", ["a", "b"]),
        ("x,y", ["x,y"]),
        ("b,x,y,a", ["b", "x,y", "a"]),
        ("a, edge ", ["a", " edge "]),
        ("none,x,y,,pretrained:one", ["none", "x,y", "pretrained:one"]),
        ("x, y", ["x", "y"]),
    ],
)
def test_a_comma_belongs_to_a_path_that_is_there(tmp_path, monkeypatch, text, names):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "x,y", " edge "):
        (tmp_path / name).mkdir()
    assert comma_lists.paths(text) == names


def test_a_name_that_means_nothing_is_one_word():
    found = list(comma_lists.meanings("a,b, c", {"a,b": 1}.get))
    assert found == [("a,b", 1), ("c", None)]
