"""Distances by name: each is what it says, draws follow from the step, errors name their flag."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.distances import deep, patch_mmd
from lorbms_tf.distances.distance_config import NAMES, DistanceConfig, check_names
from lorbms_tf.distances.draws import Draws
from lorbms_tf.errors import UserError
from lorbms_tf.features import named_distances, squeezenet, taps
from lorbms_tf.networks.squeezenet import SqueezeNet
from tests.distances.pictures import photo
from tests.features.test_taps import vgg_arrays

EVERY = [*(name for name in NAMES if name != "lpips_alex"), "taps:squeezenet:conv1+fire3"]
DRAWN = {"mmd", "mmd++", "mmd_no_dc", "scnn", "vgg16_random", "vgg16_first"}


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Random weights for all networks, and heads for SqueezeNet."""
    folder = tmp_path_factory.mktemp("weights")
    network = SqueezeNet("1.1", seed=3)
    arrays = {
        f"{name}/{part}": np.asarray(getattr(conv, part))
        for name, conv in squeezenet.convolutions(network)
        for part in ("kernel", "bias")
    }
    np.savez(folder / "squeezenet.npz", **arrays)
    widths = {"squeeze": (64, 128, 256, 384, 384, 512, 512), "vgg": (64, 128, 256, 512, 512)}
    heads = {
        f"{network}/lin{number}": np.full(width, 0.5, np.float32)
        for network, numbers in widths.items()
        for number, width in enumerate(numbers)
    }
    np.savez(folder / "heads.npz", **heads)
    return DistanceConfig(
        mmd_window=16,
        mmd_stride=8,
        vgg16_weights="none",
        vgg19_weights="none",
        squeezenet_weights=str(folder / "squeezenet.npz"),
        lpips_heads=str(folder / "heads.npz"),
    )


@pytest.mark.parametrize("name", EVERY)
def test_every_distance_is_one_and_has_gradients(name, config):
    distance = named_distances.make(name, config)
    picture, other = (photo(seed, 20, 2)[:, :17, :17] for seed in (0, 1))
    images = tf.Variable(picture)
    with tf.GradientTape(persistent=True) as tape:
        apart, equal = distance(images, other), distance(images, picture)
        total, none = tf.reduce_sum(apart), tf.reduce_sum(equal)
    assert apart.shape == (2,) and np.all(np.asarray(apart) > 1e-4)
    np.testing.assert_allclose(equal, [0, 0], atol=2e-6)
    np.testing.assert_allclose(distance(other, picture), apart, rtol=1e-3, atol=1e-6)
    gradient = tape.gradient(total, images).numpy()
    assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0
    assert np.isfinite(tape.gradient(none, images).numpy()).all()
    assert distance.is_drawn == (name in DRAWN)
    if distance.is_drawn:
        np.testing.assert_allclose(distance(picture, other, tf.constant(0)), apart, rtol=1e-5)
    assert bool(distance.weights) == (name.startswith(("vgg", "squeeze", "lpips", "taps")))


@pytest.mark.parametrize("name", ["mmd++", "scnn"])
def test_a_draw_follows_from_the_step_and_the_seed(name, config):
    pictures = photo(2, 16), photo(3, 16)
    distance, again, other = (named_distances.make(name, config, seed) for seed in (1, 1, 2))
    values = [float(distance(*pictures, draw)[0]) for draw in range(3)]
    assert len(set(values)) == 3
    assert float(again(*pictures, 2)[0]) == values[2] != float(other(*pictures, 2)[0])
    step = tf.constant(2, tf.int64)
    np.testing.assert_allclose(distance(*pictures, step), values[2:], rtol=1e-6)


def test_draws_in_a_graph_are_those_outside_and_differ_from_each_other():
    def pairs(step):
        draws = Draws(step, seed=7)
        return tf.random.stateless_normal((2, 4), draws.next()), draws.next()

    inside, outside = tf.function(pairs)(tf.constant(5)), pairs(5)
    np.testing.assert_array_equal(inside[0], outside[0])
    np.testing.assert_array_equal(inside[1], outside[1])
    first, second = Draws(5, 7), Draws(6, 7)
    seeds = {tuple(np.asarray(draws.next())) for draws in (first, first, second, second)}
    assert len(seeds) == 4


def test_settings_reach_the_distances(config):
    first, second = photo(4, 16), photo(5, 16)
    settings = patch_mmd.PatchMMD(patch=5, window=8, stride=4, sigma=1.2)
    given = DistanceConfig(mmd_sigma=1.2, mmd_patch=5, mmd_window=8, mmd_stride=4)
    found = named_distances.make("mmd_exact", given)(first, second)
    np.testing.assert_allclose(found, patch_mmd.exact(first, second, settings), rtol=1e-6)
    without = patch_mmd.random_features(
        first, second, Draws(0), patch_mmd.PatchMMD(window=16, stride=8, remove_dc=True), 512
    )
    found = named_distances.make("mmd_no_dc", config)(first, second)
    np.testing.assert_allclose(found, without, rtol=1e-6)


def test_pixels_by_hand():
    black, grey = np.full((1, 4, 4, 1), -1, np.float32), np.full((1, 4, 4, 1), -0.5, np.float32)
    np.testing.assert_allclose(named_distances.make("l1")(black, grey), [0.5])
    np.testing.assert_allclose(named_distances.make("l2")(black, grey), [0.25])
    with pytest.raises(ValueError, match="do not compare"):
        named_distances.make("l2")(black, grey[:, :3])


@pytest.mark.parametrize(
    "name, side",
    [("vgg16", 16), ("vgg19", 16), ("taps:vgg16:conv2_1+conv1_2", 2), ("squeezenet", 17)]
    + [("lpips_vgg", 16), ("mmd", 16), ("taps:alexnet:conv1", 28)],
)
def test_pictures_that_are_too_small_are_refused(name, side, config):
    distance = named_distances.make(name, config)
    assert distance.least_side == side
    good = photo(10, 32)[:, :side]
    assert np.isfinite(np.asarray(distance(good, 0.5 * good))).all()
    small = good[:, : side - 1]
    with pytest.raises(ValueError, match=f"{side} pixels a side at least, not 32x{side - 1}"):
        distance(small, small)


def test_networks_see_one_channel_as_grey(config):
    grey, others = photo(6, 16)[..., :1], photo(7, 16)[..., :1]
    distance = named_distances.make("vgg16", config)
    expected = distance(np.repeat(grey, 3, axis=-1), np.repeat(others, 3, axis=-1))
    np.testing.assert_allclose(distance(grey, others), expected, rtol=1e-6)


def test_vgg19_reads_as_many_of_its_layers_as_a_file_holds(tmp_path):
    path, arrays = str(tmp_path / "vgg.npz"), vgg_arrays()
    np.savez(path, **arrays)
    first, second = photo(8, 16), photo(9, 16)
    found = named_distances.make("vgg19", DistanceConfig(vgg19_weights=path))(first, second)
    expected = deep.DeepDistance(taps.make("vgg19", ["conv1_2", "conv2_1"], path))(first, second)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    "name, changes, reason",
    [
        ("l3", {}, "no distance 'l3'; valid names: l1, l2, .*taps:NETWORK"),
        ("taps:vgg16", {}, "no distance 'taps:vgg16'"),
        ("taps::x", {}, "no distance"),
        ("taps:vgg13:conv1_1", {}, "'vgg13' is no network with layers"),
        ("taps:vgg16:conv9_9", {"vgg16_weights": "none"}, "valid layers: conv1_1"),
        ("squeezenet", {"squeezenet_weights": ""}, "needs --squeezenet_weights=FILE"),
        ("vgg19", {"vgg19_weights": "away.npz"}, "--vgg19_weights: away.npz does not hold"),
        ("lpips_vgg", {"lpips_heads": ""}, "needs --lpips_heads"),
        ("lpips_vgg", {"lpips_heads": "away.npz"}, "--lpips_heads: away.npz does not hold"),
        ("lpips_alex", {"alexnet_weights": "none"}, "lack alex/lin0"),
        ("lpips_squeeze", {"squeezenet_weights": "none"}, "has 96 maps of conv1, .*1.1"),
        ("mmd", {"mmd_sigma": 0.0}, "--mmd_sigma=0.0"),
        ("mmd", {"mmd_sigma": float("nan")}, "--mmd_sigma=nan"),
        ("mmd", {"mmd_patch": 2}, "--mmd_patch=2 .* odd"),
        ("mmd", {"mmd_window": 0}, "--mmd_window=0"),
        ("mmd", {"mmd_features": 0}, "--mmd_features=0"),
    ],
)
def test_what_cannot_be_had_is_named(name, changes, reason, config):
    with pytest.raises(UserError, match=reason):
        named_distances.make(name, dataclasses.replace(config, **changes))


def test_names_of_others_may_stand_beside():
    check_names(["mmd", "taps:keras:ResNet50:a+b", "ssim"], "metrics", others=["ssim"])
    with pytest.raises(UserError, match="--losses: no distance 'ssim'"):
        check_names(["ssim"], "losses")


def test_raw_maps_are_compared_as_they_are():
    config = DistanceConfig(squeezenet_weights="none")
    random = np.random.default_rng(0)
    images, others = random.uniform(-1, 1, (2, 2, 33, 33, 3)).astype(np.float32)
    tapped = taps.make("squeezenet", ["conv1", "fire3"], "none")
    maps = [tapped(pictures) for pictures in (images, others)]
    by_hand = sum(
        np.sum((np.asarray(maps[0][k], np.float64) - np.asarray(maps[1][k])) ** 2, axis=(1, 2, 3))
        for k in maps[0]
    )
    found = named_distances.make("raw:squeezenet:conv1+fire3", config)(images, others)
    np.testing.assert_allclose(found, by_hand, rtol=1e-4)
