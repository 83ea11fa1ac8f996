"""Pairs of pictures by names as people have them."""

import numpy as np
import pytest
from PIL import Image

from lorbms_tf.errors import UserError
from lorbms_tf.evaluation import picture_pairs


def write(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (255, 0, 0)).save(path)


@pytest.mark.parametrize("line", ["a, b.png,c.png", "a, b.png , c.png", '"a, b.png", c.png'])
def test_names_in_a_list_may_hold_commas(tmp_path, line):
    write(tmp_path / "a, b.png", tmp_path / "c.png")
    (tmp_path / "pairs.txt").write_text(f"{line}\n\n", "utf-16")
    (pair,) = picture_pairs.of_list(str(tmp_path / "pairs.txt")).pairs
    assert (pair.first.name, pair.second.name) == ("a, b.png", "c.png")


def test_a_line_of_something_else_is_named(tmp_path):
    (tmp_path / "pairs.txt").write_text("a.png,b.png\na.png,b.png,c.png\n")
    with pytest.raises(UserError, match="line 2 is no pair of files A,B: 'a.png,b.png,c.png'"):
        picture_pairs.of_list(str(tmp_path / "pairs.txt"))


def test_names_that_look_alike_are_partners(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    write(first / "ü.png", first / "X.PNG", first / "twice.png", first / "alone.png")
    write(second / "u\u0308.png", second / "x.png", second / "Twice.png", second / "TWICE.png")
    found = picture_pairs.of_paths(str(first), str(second))
    names = {pair.first.name: pair.second.name for pair in found.pairs}
    assert names == {"ü.png": "u\u0308.png", "X.PNG": "x.png"}
    alone = {path.relative_to(tmp_path).as_posix() for path in found.alone}
    assert alone == {"a/twice.png", "a/alone.png", "b/Twice.png", "b/TWICE.png"}


def test_the_same_name_comes_before_one_that_looks_alike(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    write(first / "x.png", second / "x.png", second / "X.png")
    found = picture_pairs.of_paths(str(first), str(second))
    assert [pair.second.name for pair in found.pairs] == ["x.png"]
    assert [path.name for path in found.alone] == ["X.png"]


def test_a_pair_is_read_from_minus_one_to_one(tmp_path):
    write(tmp_path / "a.png", tmp_path / "b.png")
    (pair,) = picture_pairs.of_paths(str(tmp_path / "a.png"), str(tmp_path / "b.png")).pairs
    first, second = picture_pairs.read(pair)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first[0, 0], [1, -1, -1])
