import numpy as np
import pytest
from PIL import Image

from lorbms_tf.errors import UserError
from lorbms_tf.pages import pictures


def flat(colour, height=8, width=8):
    return np.full((height, width, 3), colour, np.uint8)


def test_enlargement_repeats_pixels():
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    enlarged = np.asarray(pictures.fit(image, 6))
    np.testing.assert_array_equal(enlarged, image.repeat(3, axis=0).repeat(3, axis=1))


def test_fit_keeps_proportions_and_never_makes_an_empty_side():
    assert pictures.fit(flat(0, height=20, width=40), 96).size == (96, 48)
    assert pictures.fit(flat(0, height=300, width=1), 96).size == (1, 96)


def test_reduction_averages():
    image = np.stack([flat(0, 4, 2), flat(200, 4, 2)]).transpose(1, 0, 2, 3).reshape(4, 4, 3)
    assert np.asarray(pictures.fit(image, 1)).tolist() == [[[100, 100, 100]]]


def test_sheet_places_cells_in_order():
    rows = [[flat((255, 0, 0)), flat((0, 255, 0))], [flat((0, 0, 255)), None]]
    picture = np.asarray(pictures.sheet(rows, cell=10, margin=2))
    assert picture.shape == (26, 26, 3)
    assert picture[7, 7].tolist() == [255, 0, 0]
    assert picture[7, 19].tolist() == [0, 255, 0]
    assert picture[19, 7].tolist() == [0, 0, 255]
    assert picture[19, 19].tolist() == list(pictures.PAPER)
    assert picture[0, 0].tolist() == list(pictures.PAPER)


def test_titles_and_captions_take_room_and_leave_ink():
    rows = [[flat(255), flat(255)]]
    bare = pictures.sheet(rows, cell=64)
    full = pictures.sheet(
        rows,
        column_titles=["reference", "a title far too wide for its column"],
        row_titles=["row 1"],
        captions=[["0010", None]],
        cell=64,
    )
    assert full.width > bare.width and full.height > bare.height
    assert np.asarray(bare).min() == 255
    assert np.asarray(full).min() < 100


def test_a_second_line_takes_more_room():
    one = pictures.sheet([[flat(0)]], captions=[["a"]])
    two = pictures.sheet([[flat(0)]], captions=[["a\nb"]])
    assert two.height > one.height


def test_rows_may_differ_in_length():
    picture = pictures.sheet([[flat(0)], [flat(0), flat(0), flat(0)]], cell=10, margin=2)
    assert picture.size == (2 + 3 * 12, 2 + 2 * 12)


@pytest.mark.parametrize(
    "arguments",
    [
        {"rows": []},
        {"rows": [[flat(0).astype(np.float32)]]},
        {"rows": [[np.zeros((8, 8), np.uint8)]]},
        {"rows": [[np.zeros((0, 8, 3), np.uint8)]]},
        {"rows": [["image"]]},
        {"rows": [[flat(0)]], "column_titles": ["a", "b"]},
        {"rows": [[flat(0)]], "row_titles": []},
        {"rows": [[flat(0)]], "captions": [["a", "b"]]},
    ],
)
def test_wrong_tables_are_refused(arguments):
    with pytest.raises(ValueError):
        pictures.sheet(**arguments)


@pytest.mark.parametrize("index", range(4))
def test_only_the_replaced_quadrant_is_outlined(index):
    mask = np.arange(4) == index
    drawn = pictures.draw_mask(flat(40, 16, 16), mask, side=64)
    assert drawn.shape == (64, 64, 3) and drawn.dtype == np.uint8
    marked = (drawn == pictures.REPLACED).all(axis=-1)
    quadrants = marked.reshape(2, 32, 2, 32).any(axis=(1, 3)).reshape(4)
    np.testing.assert_array_equal(quadrants, mask)


def test_an_empty_mask_draws_no_outline_and_leaves_its_input_alone():
    image = flat(40, 64, 64)
    drawn = pictures.draw_mask(image, [False] * 4, side=64)
    assert not (drawn == pictures.REPLACED).all(axis=-1).any()
    np.testing.assert_array_equal(image, flat(40, 64, 64))


def test_a_mask_of_three_values_is_refused():
    with pytest.raises(ValueError, match="4 values"):
        pictures.draw_mask(flat(0), [True, False, True])


def test_save_makes_folders_and_reads_back(tmp_path):
    path = pictures.save(pictures.sheet([[flat(7)]]), tmp_path / "new" / "sheet.png")
    with Image.open(path) as picture:
        assert picture.size == (108, 108)
    assert [entry.name for entry in path.parent.iterdir()] == ["sheet.png"]


def test_save_refuses_other_formats_and_unwritable_places(tmp_path):
    picture = pictures.sheet([[flat(7)]])
    with pytest.raises(UserError, match=".png"):
        pictures.save(picture, tmp_path / "sheet.jpg")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UserError, match="cannot write"):
        pictures.save(picture, tmp_path / "file" / "sheet.png")
