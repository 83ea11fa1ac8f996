import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.data import bicubic
from lorbms_tf.perceptual import reduction
from lorbms_tf.perceptual.model import Halved, Superres
from lorbms_tf.perceptual.signs import CONTRAST, SIGNS
from tests import tiny
from tests.distances.pictures import photo


def test_rates_are_halved_at_equal_distances():
    rate = Halved(0.8, steps=100, times=3)
    rates = [float(rate(step)) for step in (0, 24, 25, 49, 50, 75, 99, 500)]
    np.testing.assert_allclose(rates, [0.8, 0.8, 0.4, 0.4, 0.2, 0.1, 0.1, 0.1], rtol=1e-6)
    assert float(Halved(lambda step: 4.0, 100, 1)(60)) == pytest.approx(2.0)


def test_photos_are_reduced_as_matlab_does_and_rounded():
    images = photo(0, side=32, count=2)
    small = np.asarray(reduction.reduced(images, 4))
    wanted = bicubic.rounded(bicubic.resize(images, 8, 8))
    assert small.shape == (2, 8, 8, 3)
    assert np.abs(small - wanted).max() < 2 / 255 + 1e-6  # a value between two may fall to either
    assert np.mean(small != wanted) < 0.01 or np.abs(small - wanted).mean() < 1e-4
    large = np.asarray(reduction.enlarged(small, 4))
    assert large.shape == images.shape and np.abs(large).max() <= 1
    with pytest.raises(ValueError, match="sides of 30x30 pixels are no multiples of 4"):
        reduction.reduced(np.zeros((1, 30, 30, 3), np.float32), 4)


@pytest.mark.parametrize("distance", ["l2", "mmd++"])
def test_steps_bring_what_is_made_nearer(distance):
    config = tiny.superres_config(distance=distance, learning_rate=0.01, width=8)
    model = Superres(config)
    model.compile_optimizers(total_steps=12)
    batch = {"image": tf.constant(photo(1, side=32, count=2))}
    with tiny.eagerly():
        logs = [model.train_step(batch) for _ in range(12)]
        made = model.infer(batch)
    assert float(logs[-1]["loss/total"]) < 0.9 * float(logs[0]["loss/total"])
    assert all(np.isfinite(float(value)) for value in logs[-1].values())
    assert made["upscaled"].shape == made["bicubic"].shape == batch["image"].shape
    assert made["small"].shape == (2, 8, 8, 3)
    assert np.abs(made["upscaled"]).max() <= 1


def test_windows_larger_than_the_crops():
    model = Superres(tiny.superres_config(mmd_window=64))
    with pytest.raises(ValueError, match="--mmd_window=64 is larger than --image_size=32"):
        model.compile_optimizers()


def test_flat_pictures_are_a_sign():
    (flat,) = SIGNS.values()
    assert flat({CONTRAST: np.array([0.01, 0.5, 1.0])}).tolist() == [True, False, False]
