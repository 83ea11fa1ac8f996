import numpy as np
import pytest

from lorbms_tf.evaluation.luma import luma, shaved


@pytest.mark.parametrize(
    "colour, wanted",
    [((-1, -1, -1), 16.0), ((1, 1, 1), 235.0), ((1, -1, -1), 81.481), ((-1, 1, -1), 144.553)],
)
def test_luma_of_known_colours(colour, wanted):
    made = luma(np.full((1, 2, 2, 3), colour, np.float32))
    assert made.shape == (1, 2, 2, 1)
    np.testing.assert_allclose((made + 1) * 127.5, wanted, atol=1e-3)


def test_the_border_goes():
    images = np.arange(2 * 6 * 5).reshape(2, 6, 5, 1)
    np.testing.assert_array_equal(shaved(images, 2), images[:, 2:4, 2:3])
    np.testing.assert_array_equal(shaved(images, 0), images)


def test_nothing_is_left():
    with pytest.raises(ValueError, match="8x9 pixels have no inside 4 px off"):
        shaved(np.zeros((1, 9, 8, 3)), 4)
