import numpy as np
import pytest

from lorbms_tf.data import quadrants
from lorbms_tf.errors import UserError


def numbered():
    """A 4x4 image whose quadrants hold 0, 1, 2, 3 in row-major order."""
    image = np.zeros((1, 4, 4, 1), np.float32)
    image[:, :2, 2:], image[:, 2:, :2], image[:, 2:, 2:] = 1, 2, 3
    return image


def test_order_is_row_major():
    for i in range(4):
        assert np.all(quadrants.quadrant(numbered(), i) == i)
        assert np.all(np.asarray(quadrants.split(numbered()))[:, i] == i)


def test_split_and_join_are_inverse():
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 3)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(quadrants.join(quadrants.split(images))), images)


def test_chunks_are_cells_and_flatten_in_order():
    codes = np.arange(2 * 2 * 2 * 3, dtype=np.float32).reshape(2, 2, 2, 3)
    chunked = np.asarray(quadrants.chunks(codes))
    np.testing.assert_array_equal(chunked[:, 2], codes[:, 1, 0])
    np.testing.assert_array_equal(np.asarray(quadrants.from_chunks(chunked)), codes)
    np.testing.assert_array_equal(chunked.reshape(2, -1), codes.reshape(2, -1))


def test_a_quadrant_that_does_not_exist():
    with pytest.raises(ValueError, match="0, 1, 2, 3"):
        quadrants.quadrant(numbered(), 4)


def test_masks_as_text():
    assert quadrants.parse_mask("0010").tolist() == [False, False, True, False]
    assert quadrants.mask_text(quadrants.parse_mask("1101")) == "1101"


@pytest.mark.parametrize("text", ["", "001", "00100", "0020", "true"])
def test_malformed_masks_name_what_is_valid(text):
    with pytest.raises(UserError, match="four digits"):
        quadrants.parse_mask(text)
