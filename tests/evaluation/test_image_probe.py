import numpy as np
import pytest

from lorbms_tf.evaluation import image_probe
from tests import tiny


@pytest.fixture(scope="module", autouse=True)
def eagerly():
    with tiny.eagerly():
        yield


def stripes(count, seed):
    """Pictures of stripes: which way they run, and which of three brightnesses they have."""
    rng = np.random.default_rng(seed)
    ways, levels = rng.integers(0, 2, count), rng.integers(0, 3, count)
    line = np.where(np.arange(16) // 2 % 2, 0.3, -0.3)
    across = np.broadcast_to(line, (16, 16))
    pictures = np.where(ways[:, None, None], across, across.T) + 0.3 * (levels[:, None, None] - 1)
    noisy = pictures[..., None] + rng.normal(0, 0.05, (count, 16, 16, 3))
    return noisy.astype(np.float32), {"way": ways, "level": levels}


def test_labels_are_read_from_pictures_that_were_not_learned():
    predict = image_probe.train(*stripes(256, 0), {"way": 2, "level": 3})
    pictures, truth = stripes(100, 1)
    found = predict(pictures)
    assert found["way"].shape == (100, 2) and found["level"].shape == (100, 3)
    np.testing.assert_allclose(found["level"].sum(axis=1), 1.0, atol=1e-5)
    for name in truth:
        assert np.mean(found[name].argmax(axis=1) == truth[name]) > 0.9


def test_same_seed_same_probe():
    pictures, labels = stripes(64, 0)
    first, same, other = (
        image_probe.train(pictures, labels, {"way": 2, "level": 3}, seed, epochs=1)(pictures)["way"]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).max() > 1e-3


def test_too_few_and_too_small_pictures():
    pictures, labels = stripes(64, 0)
    with pytest.raises(ValueError, match="at least 64 images, not 63"):
        image_probe.train(pictures[:63], labels, {"way": 2})
    with pytest.raises(ValueError, match="at least 8 pixels, not 4"):
        image_probe.train(pictures[:, :4, :4], labels, {"way": 2})
