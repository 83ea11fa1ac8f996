"""Deep distances: by hand on maps that are known, and through real taps."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.distances import deep
from lorbms_tf.errors import UserError
from lorbms_tf.features import taps
from tests.distances.pictures import photo


def colours(images):
    """Two "layers": the picture itself, and its mean over 2x2 places."""
    return {"own": images, "coarse": keras.ops.average_pool(images, 2)}


def test_the_distance_by_hand():
    first = np.zeros((1, 2, 2, 3), np.float32)
    second = first.copy()
    second[0, 0, 0] = 1, 2, 2  # one place of four, 9 away
    distance = deep.DeepDistance(colours, unit=False)
    parts = distance.parts(first, second)
    np.testing.assert_allclose(parts["own"], [9 / 4])
    np.testing.assert_allclose(parts["coarse"], [9 / 16])
    np.testing.assert_allclose(distance(first, second), [9 / 4 + 9 / 16])
    summed = deep.DeepDistance(colours, {"coarse": 0.0}, unit=False, reduction="sum")
    np.testing.assert_allclose(summed(first, second), [9])


def test_layers_without_places_count_as_one_place():
    first, second = np.zeros((2, 3), np.float32), np.array([[1, 2, 2], [0, 0, 0]], np.float32)
    for reduction in ("sum", "mean"):
        distance = deep.DeepDistance(lambda x: {"fc": x}, unit=False, reduction=reduction)
        np.testing.assert_allclose(distance(first, second), [9, 0])


def test_maps_of_unit_length_count_by_their_direction():
    first, second = np.ones((1, 2, 2, 3), np.float32), np.full((1, 2, 2, 3), 0.1, np.float32)
    opposite = -second
    distance = deep.DeepDistance(colours, {"coarse": 0.0})
    np.testing.assert_allclose(distance(first, second), [0], atol=1e-6)
    np.testing.assert_allclose(distance(first, opposite), [4], rtol=1e-5)


def test_channel_weights_are_those_of_lpips():
    first, second = np.zeros((1, 2, 2, 3), np.float32), np.zeros((1, 2, 2, 3), np.float32)
    first[..., 0], second[..., 1] = 1, 1
    heads = {"own": np.array([0.5, 2.0, 9.0], np.float32), "coarse": np.zeros(3, np.float32)}
    np.testing.assert_allclose(deep.lpips(colours, heads)(first, second), [2.5], rtol=1e-6)


def test_heads_are_named_by_their_layers():
    arrays = {f"squeeze/lin{n}": n for n in range(7)}
    heads = deep.lpips_heads(arrays, "squeeze")
    assert heads["conv1"] == 0 and heads["fire9"] == 6
    with pytest.raises(ValueError, match="lack vgg/lin0"):
        deep.lpips_heads(arrays, "vgg")
    with pytest.raises(ValueError, match="valid are vgg, squeeze, alex"):
        deep.lpips_heads(arrays, "resnet")


def test_unit_norm_gives_length_one_and_keeps_zeros():
    maps = np.zeros((1, 2, 1, 3), np.float32)
    maps[0, 0, 0] = 3, 0, 4
    normed = np.asarray(deep.unit_norm(maps))
    np.testing.assert_allclose(normed[0, :, 0], [[0.6, 0, 0.8], [0, 0, 0]], rtol=1e-6)


def test_a_redrawn_network_is_the_same_for_both_pictures_and_another_at_each_call():
    of = taps.make("vgg16", ["conv1_2", "conv2_1"], "none")
    redrawn = taps.RedrawnTaps(of, keras.random.SeedGenerator(0))
    distance = deep.DeepDistance(redrawn)
    first, second = photo(0, 16), photo(1, 16)
    assert float(distance(first, first)[0]) == 0
    one, other = float(distance(first, second)[0]), float(distance(first, second)[0])
    assert one != other and 0.2 < one / other < 5


def test_the_first_convolution_may_keep_its_weights():
    of = taps.make("vgg16", ["conv1_1", "conv1_2"], "none")
    kept = taps.RedrawnTaps(of, keras.random.SeedGenerator(0), keep_first=True)
    picture = photo(2, 16)
    maps, again = kept(picture), kept(picture)
    np.testing.assert_array_equal(maps["conv1_1"], of(picture)["conv1_1"])
    np.testing.assert_array_equal(maps["conv1_1"], again["conv1_1"])
    assert np.abs(np.asarray(maps["conv1_2"]) - np.asarray(again["conv1_2"])).max() > 0.01
    with pytest.raises(UserError, match="valid: vgg16, vgg19"):
        taps.RedrawnTaps(taps.make("alexnet", ["conv1"]), keras.random.SeedGenerator(0))


def test_gradients_reach_the_pictures():
    of = taps.make("vgg16", ["conv1_2", "conv2_2"], "none")
    target = photo(3, 16)
    images = tf.Variable(np.zeros_like(target))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(deep.DeepDistance(of)(images, target))
    gradient = tape.gradient(loss, images).numpy()
    assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


def test_wrong_settings_are_named():
    of = taps.make("alexnet", ["conv1"])
    with pytest.raises(ValueError, match="valid are mean, sum"):
        deep.DeepDistance(of, reduction="max")
    with pytest.raises(ValueError, match="weights of conv9"):
        deep.DeepDistance(of, {"conv9": 1.0})
    with pytest.raises(ValueError, match="do not compare"):
        deep.DeepDistance(colours)(photo(0, 16), photo(0, 32))
