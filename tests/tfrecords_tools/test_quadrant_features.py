import numpy as np
import pytest

from lorbms_tf.data.images import BadImage, decode_jpeg, encode_jpeg
from lorbms_tf.features.registry import quadrant_network
from tfrecords_tools.quadrant_features import compute


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


class MeanColour:
    """Stands in for a network: the features of a quadrant are its mean colour."""

    dimension = 3

    def __call__(self, quadrants):
        return quadrants.mean(axis=(1, 2), dtype=np.float32)


@pytest.fixture(scope="module")
def alexnet():
    return quadrant_network("alexnet", seed=1, side=32)


def test_quadrants_keep_their_order():
    colours = np.array([[250, 0, 0], [0, 250, 0], [0, 0, 250], [250, 250, 0]], np.uint8)
    top = np.concatenate([np.full((4, 4, 3), c, np.uint8) for c in colours[:2]], axis=1)
    bottom = np.concatenate([np.full((4, 4, 3), c, np.uint8) for c in colours[2:]], axis=1)
    image = np.concatenate([top, bottom])
    features = compute([image, 255 - image], MeanColour())
    assert features.shape == (2, 4, 3) and features.dtype == np.float32
    np.testing.assert_array_equal(features, [colours, 255.0 - colours])


def test_jpeg_items_give_the_features_of_their_pixels():
    images = list(noise(3, 16, 16, 3))
    encoded = [encode_jpeg(image) for image in images]
    decoded = [decode_jpeg(item) for item in encoded]
    np.testing.assert_array_equal(compute(encoded, MeanColour()), compute(decoded, MeanColour()))


@pytest.mark.parametrize("batch_size", [1, 2, 5, 64])
def test_the_number_of_items_at_a_time_changes_nothing(alexnet, batch_size):
    images = noise(5, 32, 32, 3)
    expected = np.stack(
        [alexnet(np.stack([i[:16, :16], i[:16, 16:], i[16:, :16], i[16:, 16:]])) for i in images]
    )
    features = compute(iter(images), alexnet, batch_size, progress=None, total=5)
    np.testing.assert_allclose(features, expected, atol=1e-5)


def test_no_items():
    assert compute([], MeanColour()).shape == (0, 4, 3)


def test_progress_sees_every_item():
    seen = []

    def progress(items, total, label):
        for item in items:
            seen.append((total, label))
            yield item

    compute(list(noise(3, 8, 8, 3)), MeanColour(), progress=progress)
    assert seen == [(3, "quadrant features")] * 3


@pytest.mark.parametrize(
    ("items", "total", "reason"),
    [
        ([noise(8, 8, 3)], 2, "1 items, not 2"),
        ([noise(8, 8, 3)] * 3, 2, "more than 2"),
        ([noise(8, 6, 3)], None, "even"),
        ([noise(7, 7, 3)], None, "even"),
        ([noise(8, 8, 3), noise(6, 6, 3)], None, "the same"),
    ],
)
def test_bad_items_are_an_error(items, total, reason):
    with pytest.raises(ValueError, match=reason):
        compute(items, MeanColour(), total=total)


def test_a_broken_jpeg_is_named_by_its_number():
    with pytest.raises(BadImage, match="item 1"):
        compute([encode_jpeg(noise(8, 8, 3)), b"broken"], MeanColour())
