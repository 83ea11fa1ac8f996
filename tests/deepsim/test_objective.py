"""DeePSiM's losses against sums by hand; the conversion from the paper's scale."""

import keras
import numpy as np
import pytest

from lorbms_tf.deepsim import objective


def pictures(seed, count=3, size=4):
    return np.random.default_rng(seed).uniform(-1, 1, (count, size, size, 3)).astype("float32")


def test_the_image_loss_is_caffes_sum_of_grey_values():
    images, others = pictures(0), pictures(1)
    grey = [(one.astype("float64") + 1) * 127.5 for one in (images, others)]
    by_hand = np.sum((grey[0] - grey[1]) ** 2) / (2 * len(images))
    np.testing.assert_allclose(objective.image_loss(images, others), by_hand, rtol=1e-5)


def test_the_feature_loss_sums_over_layers():
    rng = np.random.default_rng(0)
    maps = {"a": rng.normal(size=(3, 2, 2, 4)), "b": rng.normal(size=(3, 5))}
    others = {"a": rng.normal(size=(3, 2, 2, 4)), "b": rng.normal(size=(3, 5))}
    by_hand = sum(np.sum((maps[k] - others[k]) ** 2) for k in maps) / 6
    np.testing.assert_allclose(objective.feature_loss(maps, others), by_hand, rtol=1e-5)
    assert float(objective.feature_loss(maps, maps)) == 0


def test_the_papers_weights_in_mean_squared_errors():
    assert objective.image_factor(2e-6, 227) == pytest.approx(2513, abs=0.5)
    assert objective.feature_factor(0.01, 6 * 6 * 256) == pytest.approx(46.08)


def test_the_factors_are_those_of_the_losses():
    images, others = pictures(2), pictures(3)
    factor = objective.image_factor(2e-6, 4)
    loss = 2e-6 * np.asarray(objective.image_loss(images, others))
    np.testing.assert_allclose(loss, factor * np.mean((images - others) ** 2), rtol=1e-5)
    half = np.asarray(objective.half_squares(images, others))
    np.testing.assert_allclose(
        0.01 * half, objective.feature_factor(0.01, 48) * np.mean((images - others) ** 2), rtol=1e-5
    )


def test_weight_decay_is_for_the_chosen_variables_alone():
    first, second = (keras.Variable(np.full(2, value, "float32")) for value in (3.0, 5.0))
    gradients = [np.ones(2, "float32"), np.ones(2, "float32")]
    made = objective.decayed_gradients(gradients, [first, second], [second], 0.1)
    np.testing.assert_allclose(made[0], [1, 1])
    np.testing.assert_allclose(made[1], [1.5, 1.5])
