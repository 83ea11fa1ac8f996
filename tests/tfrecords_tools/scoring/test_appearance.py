import numpy as np
import pytest

from lorbms_tf.data.images import encode_jpeg
from tfrecords_tools.scoring import appearance


def flat(value):
    return np.full((16, 16, 3), value, np.uint8)


def stripes(axis):
    pattern = np.where(np.arange(16) // 2 % 2, 255, 0).astype(np.uint8)
    grey = np.broadcast_to(pattern if axis == 1 else pattern[:, None], (16, 16))
    return np.repeat(grey[:, :, None], 3, axis=2)


def test_colours_are_shares_of_the_pixels():
    image = flat(0)
    image[:, :4] = [255, 0, 0]
    found = appearance.colours(image)
    assert found[0] == 0.75 and found[3 * 16] == 0.25 and found.sum() == 1


def test_edges_tell_directions_apart_and_places():
    across, down = appearance.edges(stripes(1)), appearance.edges(stripes(0))
    assert appearance.hellinger(across, across) == 0
    assert appearance.hellinger(across, down) == pytest.approx(1)
    corner = flat(0)
    corner[2:6, 2:6] = 255
    assert appearance.edges(corner)[: appearance.ORIENTATIONS].sum() == pytest.approx(1)


def test_an_image_without_an_edge_is_even():
    assert np.ptp(appearance.edges(flat(9))) == 0


def test_hellinger_is_between_equal_and_disjoint():
    a, b = np.array([1.0, 0, 0]), np.array([0.5, 0.5, 0])
    assert appearance.hellinger(a, a) == 0
    assert appearance.hellinger(a, np.array([0, 0, 1.0])) == 1
    assert appearance.hellinger(a, b) == pytest.approx(np.sqrt(1 - np.sqrt(0.5)))


def test_distances_are_of_the_same_quadrant():
    half = np.concatenate([flat(0), flat(255)], axis=1)[::1]
    image = np.concatenate([half, half])  # black on the left, white on the right
    pictures = {0: encode_jpeg(image), 2: encode_jpeg(image[:, ::-1].copy()), 1: encode_jpeg(image)}
    looks = appearance.describe(pictures, 4)
    assert looks["row"].tolist() == [0, 2, 1, -1]
    others = np.array([[[1, 2]] * 4])
    found = appearance.distances(looks, "colour", np.array([0]), others)
    np.testing.assert_allclose(found[0], [[0, 1]] * 4, atol=1e-3)
