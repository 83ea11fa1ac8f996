"""Places in chunks: the soft arg-max by hand, and the encoder and decoder that use it."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.networks import receptive_field
from lorbms_tf.networks.decoder import Decoder
from lorbms_tf.networks.encoder import CODE, Encoder
from lorbms_tf.networks.places import CELLS, PlaceDecoder, PlaceEncoder, around, keypoints
from lorbms_tf.networks.strided_chunks import StridedChunkDecoder, StridedChunkEncoder

HOT = 50.0  # so that a softmax is one cell
DENSE = {"image_size": 32, "stem_width": 4, "block_layers": (1, 1, 1, 1), "growth": 2}
INNER = {"image_size": 8, "chunk_size": 5}


def encoder(places=1, strided=False, seed=0, **kwargs):
    if strided:
        inner = StridedChunkEncoder(32, 6, (3, 4, 5), seed=seed, **kwargs)
    else:
        inner = Encoder(chunk_size=6, **DENSE, seed=seed, **kwargs)
    return PlaceEncoder(inner, places, seed=seed, **kwargs)


def decoder(places=1, strided=False, seed=0, separate_blocks=0, spectral_norm=False, **kwargs):
    if strided:
        inner = StridedChunkDecoder(**INNER, widths=(4,), seed=seed, **kwargs)
    else:
        dense = {"block_layers": (1, 1), "up_widths": (4, 4), "growth": 2}
        inner = Decoder(**INNER, **dense, spectral_norm=spectral_norm, seed=seed, **kwargs)
    sizes = {"places": places, "width": 7, "separate_blocks": separate_blocks}
    chunk_size = 6 + 2 * places
    return PlaceDecoder(
        inner, chunk_size, **sizes, spectral_norm=spectral_norm, seed=seed, **kwargs
    )


def images(count=2):
    return np.random.default_rng(0).uniform(-1, 1, (count, 32, 32, 3)).astype("float32")


def codes(count=2, size=8):
    return np.random.default_rng(1).uniform(-1, 1, (count, 2, 2, size)).astype("float32")


def heat_at(cells, side=4):
    """One hot cell (row, column) in each quadrant, row by row: `[1, 2 side, 2 side, 1]`."""
    heat = np.zeros((1, 2 * side, 2 * side, 1), np.float32)
    for quadrant, (row, column) in enumerate(cells):
        down, right = divmod(quadrant, 2)
        heat[0, down * side + row, right * side + column] = HOT
    return heat


def test_a_hot_cell_is_its_middle_in_each_quadrant():
    found = np.asarray(keypoints(heat_at([(0, 0), (3, 1), (2, 3), (1, 2)]), 2, 2))
    expected = [[[-0.75, -0.75], [-0.25, 0.75]], [[0.75, 0.25], [0.25, -0.25]]]  # x, y
    np.testing.assert_allclose(found[0], expected, atol=1e-6)


def test_an_object_that_moves_moves_its_keypoint_alone():
    before = np.asarray(keypoints(heat_at([(0, 0), (3, 1), (2, 3), (1, 2)]), 2, 2))[0]
    after = np.asarray(keypoints(heat_at([(0, 0), (3, 2), (2, 3), (1, 2)]), 2, 2))[0]
    moved = np.zeros((2, 2, 2))
    moved[0, 1] = [0.5, 0.0]  # one cell of four to the right: a quarter of a side of 2
    np.testing.assert_allclose(after - before, moved, atol=1e-6)


def test_equal_heat_is_the_middle_and_two_hot_cells_are_between():
    np.testing.assert_allclose(keypoints(np.full((1, 8, 8, 2), 9.0), 2, 2), 0.0, atol=1e-6)
    heat = heat_at([(0, 0)] * 4) + heat_at([(0, 2)] * 4)
    np.testing.assert_allclose(keypoints(heat, 2, 2)[0, 1, 1], [-0.25, -0.75], atol=1e-6)


def test_several_maps_have_a_place_each_and_other_sides_are_taken():
    pair = np.concatenate([heat_at([(0, 1)] * 4, side=5), heat_at([(4, 4)] * 4, side=5)], axis=-1)
    np.testing.assert_allclose(keypoints(pair, 2, 2)[0, 0, 1], [-0.4, -0.8, 0.8, 0.8], atol=1e-6)
    assert keypoints(np.zeros((2, 12, 12, 1)), 3, 3).shape == (2, 3, 3, 2)


def test_gradients_of_places_are_finite_even_where_the_heat_is_extreme():
    for scale in (1.0, 1e4):
        heat = tf.constant(heat_at([(0, 0), (3, 1), (2, 3), (1, 2)]) * scale)
        with tf.GradientTape() as tape:
            tape.watch(heat)
            total = tf.reduce_sum(keypoints(heat, 2, 2) ** 2)
        assert np.isfinite(tape.gradient(total, heat)).all()


def test_chunks_stand_around_their_places():
    one = np.zeros((1, 2, 2, 4), np.float32)
    one[0, 0, 1] = [5.0, 6.0, 0.25, -0.75]  # two numbers, then x and y
    maps = np.asarray(around(one, 1))
    assert maps.shape == (4, CELLS, CELLS, 2 + 3)
    np.testing.assert_array_equal(maps[1, ..., :2], np.broadcast_to([5.0, 6.0], (4, 4, 2)))
    np.testing.assert_allclose(maps[1, 0, 2, 2:], [0.0, 0.0, 1.0])  # the cell of the place itself
    # One cell to the right and two down: 0.5 and 1, and exp(-(0.25 + 1) / (2 * 0.25)).
    np.testing.assert_allclose(maps[1, 2, 3, 2:], [0.5, 1.0, np.exp(-2.5)], rtol=1e-6)
    np.testing.assert_allclose(maps[0, 0, 0, 2:4], [-0.75, -0.75])  # a place in the middle


@pytest.mark.parametrize("strided", [False, True])
def test_codes_end_with_the_places_of_the_heat_maps(strided):
    network = encoder(places=2, strided=strided)
    found = network(images()).numpy()
    assert found.shape == (2, 2, 2, 6 + 4)
    heat = network.heat_maps(images())
    assert heat.shape == (2, 8, 8, 2)
    np.testing.assert_allclose(found[..., 6:], keypoints(heat, 2, 2), atol=1e-6)
    np.testing.assert_allclose(found[..., :6], network.inner(images()), atol=1e-6)
    layer = network.layer_names[0]
    maps = network.layer_maps(images(), [layer, CODE])
    assert list(maps) == [layer, CODE] and maps[CODE].shape[-1] == 10
    assert network.settings["chunk_size"] == 10
    assert network.features(images()).shape == network.inner.features(images()).shape


def test_larger_images_have_a_place_in_each_of_more_cells():
    large = np.random.default_rng(0).uniform(-1, 1, (1, 48, 48, 3)).astype("float32")
    assert encoder(strided=True)(large).shape == (1, 3, 3, 8)


@pytest.mark.parametrize("strided", [False, True])
@pytest.mark.parametrize("separate", [0, 1, 2])
def test_places_move_what_is_drawn_and_no_further_than_the_network_sees(strided, separate):
    network = decoder(strided=strided, separate_blocks=separate)
    first, moved = codes(), codes()
    moved[:, 0, 0, -2:] += 0.5
    changed = np.abs(network(first) - network(moved)).max(axis=(0, 3))
    assert changed.shape == (32, 32) and changed[:16, :16].max() > 1e-4
    reach = receptive_field.side(network.windows)  # in cells of the code
    assert reach < 4
    if separate == 2 and strided:  # 2x2 and 4x4 kernels at 4 and 8 cells a quadrant
        assert reach == 1 + 1 / 8
        assert changed[18:, 18:].max() == 0.0


@pytest.mark.parametrize("strided", [False, True])
@pytest.mark.parametrize("make, given", [(encoder, images), (decoder, codes)])
def test_weights_gradients_and_configurations(make, given, strided, tmp_path):
    network, other = make(strided=strided, seed=4), make(strided=strided, seed=5)
    inputs = given()
    assert not np.allclose(network(inputs), other(inputs), atol=1e-7)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(network(inputs) - 0.3))
    for gradient in tape.gradient(loss, [v.value for v in network.trainable_variables]):
        assert gradient is not None and np.isfinite(gradient).all() and np.any(gradient)
    again = type(network).from_config(network.get_config())
    for weights, copied in zip(network.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, copied)
    network.save_weights(tmp_path / "n.weights.h5")
    other.load_weights(tmp_path / "n.weights.h5")
    np.testing.assert_array_equal(network(inputs), other(inputs))
    half = make(strided=strided, seed=4, dtype="mixed_bfloat16")(inputs)
    assert half.dtype == "float32"
    np.testing.assert_allclose(half, network(inputs), atol=0.1)


def test_spectral_norms_are_those_of_the_inner_decoder():
    names = {type(conv).__name__ for conv in decoder(spectral_norm=True).convs}
    assert names == {"SpectralConv2D"}


@pytest.mark.parametrize(
    "make, changes, message",
    [
        (encoder, {"places": 0}, "places must be 1 or more"),
        (decoder, {"places": 0}, "places must be 1 or more"),
        (decoder, {"separate_blocks": 3}, "separate_blocks must be 0 to 2, not 3"),
    ],
)
def test_settings_that_do_not_fit_are_an_error(make, changes, message):
    with pytest.raises(ValueError, match=message):
        make(**changes)


def test_images_too_small_for_heat_maps_and_chunks_of_places_alone_are_errors():
    small = Encoder(image_size=4, chunk_size=3, stem_width=2, block_layers=(1,), growth=2)
    with pytest.raises(ValueError, match="no layer for images of 4 px has 4 cells"):
        PlaceEncoder(small)
    with pytest.raises(ValueError, match="chunk_size 2 has nothing beside 1 places"):
        PlaceDecoder(StridedChunkDecoder(**INNER, widths=(4,)), 2)
