import numpy as np
import pytest
from PIL import Image

from lorbms_tf.data import bicubic


@pytest.mark.parametrize("before, after", [(32, 8), (8, 32), (30, 7), (5, 1), (1, 4)])
def test_rows_sum_to_one(before, after):
    made = bicubic.matrix(before, after)
    assert made.shape == (after, before)
    np.testing.assert_allclose(made.sum(axis=1), 1.0, atol=1e-6)


def test_the_same_size_changes_nothing():
    np.testing.assert_allclose(bicubic.matrix(9, 9), np.eye(9), atol=1e-6)


@pytest.mark.parametrize("before, after", [(64, 16), (16, 64)])
def test_a_ramp_stays_a_ramp_away_from_the_border(before, after):
    ramp = np.arange(before) + 0.5
    made = bicubic.matrix(before, after) @ ramp
    wanted = (np.arange(after) + 0.5) * before / after
    inside = slice(after // 4, -after // 4)
    np.testing.assert_allclose(made[inside], wanted[inside], atol=1e-4)


def test_the_border_is_mirrored_with_its_outermost_pixel_twice():
    line = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0] * 4)
    longer = np.concatenate([line[::-1], line, line[::-1]])
    made = bicubic.matrix(96, 24) @ longer
    np.testing.assert_allclose(bicubic.matrix(32, 8) @ line, made[8:16], atol=1e-5)


@pytest.mark.parametrize("size", [(10, 6), (160, 96)])
def test_inside_it_is_what_pillow_makes(size):
    image = np.random.default_rng(0).uniform(-1, 1, (40, 24)).astype(np.float32)
    made = bicubic.resize(image[..., None], *size)[..., 0]
    wanted = np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BICUBIC))
    edge = max(2, 2 * size[0] // 40)
    inside = (slice(edge, -edge),) * 2
    np.testing.assert_allclose(made[inside], wanted[inside], atol=1e-4)


def test_rounded_to_eight_bits():
    given = np.array([-1.2, -1.0, 0.0, 0.3 / 127.5, 1.0, 1.2])
    grey = (bicubic.rounded(given) + 1) * 127.5
    np.testing.assert_allclose(grey, [0, 0, 128, 128, 255, 255], atol=1e-4)


def test_lines_without_pixels():
    with pytest.raises(ValueError, match="1 or more pixels, not 4 and 0"):
        bicubic.matrix(4, 0)
