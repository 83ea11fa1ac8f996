import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.distances.distance_config import DistanceConfig
from lorbms_tf.evaluation.sliced_wasserstein import sliced_wasserstein
from lorbms_tf.features import named_distances
from lorbms_tf.perceptual import problems
from lorbms_tf.perceptual.generalised_mean import Descent, MeanSearch, adam, batches
from tests.perceptual import making


def squares(image, others, draw):
    return tf.reduce_mean(tf.square(image - others), axis=(1, 2, 3))


def targets(seed, count=6, side=16):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (count, side, side, 3)).astype("float32")


def test_under_the_squared_error_of_pixels_it_is_the_mean():
    given = targets(0)
    whole = MeanSearch(squares, Descent(epochs=100, batch_size=6, pixel_weight=0.0))
    np.testing.assert_allclose(whole(given, seed=0), given.mean(axis=0), atol=1e-3)
    parts = MeanSearch(squares, Descent(epochs=50, batch_size=2, pixel_weight=0.0))
    np.testing.assert_allclose(parts(given, seed=0), given.mean(axis=0), atol=0.15)


def test_the_search_leads_to_where_the_distance_is_least():
    def from_half(image, others, draw):  # whatever the targets are
        return tf.reduce_mean(tf.square(image - 0.5), axis=(1, 2, 3)) + 0.0 * others[:, 0, 0, 0]

    search = MeanSearch(from_half, Descent(400, 6, 0.02, pixel_weight=0.0))
    np.testing.assert_allclose(search(targets(0), seed=0), 0.5, atol=0.02)


def test_pixels_pull_to_the_mean():
    def nothing(image, others, draw):
        return 0.0 * squares(image, others, draw)

    given = np.ones((4, 16, 16, 3), np.float32)
    made = MeanSearch(nothing, Descent(10, 4, pixel_weight=1.0))(given, seed=0)
    assert made.min() > 0.99


def test_the_same_problem_gives_the_same_and_draws_differ_between_problems():
    def drawn(image, others, draw):
        noise = tf.random.stateless_normal(image.shape, tf.stack([draw, 0]))
        return squares(image + noise, others, draw)

    search, given = MeanSearch(drawn, Descent(epochs=2, batch_size=3)), targets(0)
    one, same, other = (search(given, seed=5, number=n) for n in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-4


def test_batches_are_orders_of_all_targets():
    made = batches(10, Descent(epochs=3, batch_size=5), [0, 1])
    assert made.shape == (6, 5) and made.dtype == np.int32
    for epoch in made.reshape(3, 10):
        assert sorted(epoch) == list(range(10))
    assert batches(11, Descent(epochs=3, batch_size=5), 0).shape == (6, 5)


def test_adam_is_that_of_keras():
    import keras

    variable = keras.Variable(np.array([0.5, -2.0], np.float32))
    optimizer = keras.optimizers.Adam(0.1, epsilon=1e-8)
    state = (tf.constant([0.5, -2.0]), tf.zeros(2), tf.zeros(2), tf.constant(0.0))
    for gradient in ([1.0, -3.0], [0.2, 0.1], [-2.0, 0.0]):
        optimizer.apply([tf.constant(gradient)], [variable])
        state = adam(state, tf.constant(gradient), Descent(learning_rate=0.1))
    np.testing.assert_allclose(state[0], variable, rtol=1e-4)


def test_what_cannot_be_searched():
    with pytest.raises(ValueError, match="batches of 7 do not come of 6 targets"):
        MeanSearch(squares, Descent(1, 7))(targets(0), seed=0)

    def broken(image, others, draw):
        return squares(image, others, draw) / 0.0

    with pytest.raises(ValueError, match="left finite numbers"):
        MeanSearch(broken, Descent(1, 6))(targets(0), seed=0)


def test_patch_mmd_keeps_textures_that_the_mean_loses(tmp_path):
    folder = making.write_photos(tmp_path / "photos", 4)
    given = problems.spatial(folder, 4, image_size=32, short_side=48, shift=4, seed=0)
    sizes = DistanceConfig(mmd_window=16, mmd_stride=8, mmd_features=64)
    search = MeanSearch(named_distances.make("mmd", sizes), Descent(15, 5, 0.04))
    sets = [given.targets(number, 20) for number in range(4)]
    means = [one.mean(axis=0) for one in sets]
    found = [search(one, 0, number) for number, one in enumerate(sets)]
    others = [one[1] for one in sets]
    real = np.stack([one[0] for one in sets])
    plain, sharp, least = (
        sum(sliced_wasserstein(real, np.stack(made)).values()) for made in (means, found, others)
    )
    assert sharp - least < 0.6 * (plain - least)  # about 0.2 of it
    assert np.std(found) > 1.3 * np.std(means)
