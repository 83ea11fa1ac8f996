"""Appendix D: its settings, the mixing within a batch, the tasks, and training with them."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.data import quadrants
from lorbms_tf.distances.draws import Draws
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms import mixing, objective, variants
from lorbms_tf.lorbms.building import build_networks
from lorbms_tf.lorbms.config import ModelConfig
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.networks import Discriminator
from lorbms_tf.networks.tiles import cut
from tests import tiny
from tests.lorbms.repeating import assert_next_step_repeats

TILES = {"mixing": "tiles"}
GLOBAL_LOCAL = {"discriminator": "global_local", "discriminator_dense": 3}
# All variants, several at a time: they do not touch each other.
TOGETHER = {
    "D.1, D.7, D.8": {**TILES, **GLOBAL_LOCAL, "classifier": "squeezenet"},
    "D.2, D.4, D.5": {
        "mixing": "batch",
        "discriminator_coordinates": True,
        "discriminator_attention": 1,
        "decoder": "broadcast",
        "broadcast_widths": (3, 2),
    },
    "D.3, D.6, figure 3.9": {
        "classifier_task": "six_images",
        "discriminator": "global",
        "discriminator_attention": 2,
        "decoder": "transposed",
        "decoder_attention": 1,
        "encoder_receptive_field": 20,
    },
}


def test_coordinates_add_two_channels_to_every_convolution_of_the_discriminator():
    # 2 * 4 * 4 for each of 42 + 84 + 168 + 336 maps, and two weights of the last one.
    network = Discriminator(coordinates=True)
    count = sum(int(np.prod(v.shape)) for v in network.trainable_variables)
    assert count == 1_188_391 + 32 * 630 + 2


def test_coordconv_sees_places_where_all_images_are_one_grey():
    grey = np.zeros((1, 32, 32, 3), "float32")
    plain, coord = (
        Discriminator(image_size=32, widths=(3, 4), coordinates=with_them).features(grey)
        for with_them in (False, True)
    )
    inner = np.s_[:, 2:-2, 2:-2]  # where no border is seen
    assert np.std(plain[inner], axis=(1, 2)).max() < 1e-7
    assert np.std(coord[inner], axis=(1, 2)).min() > 1e-5


@pytest.mark.parametrize("name", TOGETHER)
def test_a_step_of_every_variant_moves_its_networks_and_repeats_from_a_checkpoint(name, tmp_path):
    config, batch = tiny.config(**TOGETHER[name], generator_updates=1), tiny.random_batch(2)
    model = Lorbms(config, seed=3)
    model.compile_optimizers()
    assert all(np.isfinite(float(value)) for value in model.train_step(batch).values())
    assert_next_step_repeats(model, batch, tmp_path)


def test_the_whole_and_the_patches_of_the_global_local_discriminator_follow_the_update():
    config = tiny.config(**GLOBAL_LOCAL)
    networks = build_networks(config)
    images = tiny.random_batch()["reference"]

    def logits(update, seed=0):
        made = objective.at_a_place(networks, config, tf.constant(update), seed)
        return np.asarray(made.discriminator(images))

    np.testing.assert_array_equal(logits(5), logits(5))
    seen = {logits(update).tobytes() for update in range(6)} | {logits(5, seed=1).tobytes()}
    assert len(seen) > 4  # other patches at other updates


def test_the_nearest_other_image_of_a_batch_by_hand():
    # One number a chunk; quadrant i of image b is at 10 i + its place.
    places = np.array([[0, 0, 5, 9], [1, 4, 5, 9], [3, 5, 0, 9]], np.float32)
    codes = places.reshape(3, 2, 2, 1)
    partners, shares = mixing.nearest_in_batch(codes)
    np.testing.assert_array_equal(partners, [[1, 1, 1, 1], [0, 2, 0, 0], [1, 1, 0, 0]])
    # Mean squared distances: (1 + 9 + 4) / 3, (16 + 25 + 1) / 3, (0 + 25 + 25) / 3, 0.
    expected = np.array([[1, 16, 0, 0], [1, 1, 0, 0], [4, 1, 25, 0]]) / [14, 42, 50, 1] * 3
    expected[:, 3] = 0.0
    np.testing.assert_allclose(shares, expected, rtol=1e-6)
    taken = mixing.from_batch(places[:, :, None], np.asarray(partners))
    np.testing.assert_array_equal(taken[0, :, 0], [1, 4, 5, 9])
    np.testing.assert_array_equal(taken[2, :, 0], [1, 4, 5, 9])


@pytest.mark.parametrize(
    "shares, mask",
    [
        ([0.1, 0.2, 0.9, 0.9], [1, 1, 0, 0]),
        ([0.9, 0.9, 0.9, 0.9], [0, 0, 0, 0]),
        ([0.1, 0.2, 0.3, 0.1], [1, 1, 0, 1]),  # all are near: the farthest stays
        ([0.1, 0.1, 0.1, 0.1], [1, 1, 1, 0]),
        ([0.5, 0.1, 0.9, 0.9], [0, 1, 0, 0]),  # at the threshold is not below it
        ([np.inf] * 4, [0, 0, 0, 0]),
    ],
)
def test_near_quadrants_are_replaced_and_one_always_stays(shares, mask):
    made = mixing.batch_mask(np.array([shares], np.float32), 0.5)
    np.testing.assert_array_equal(made, [np.array(mask, bool)])


def test_a_batch_of_one_has_nothing_to_mix_with():
    partners, shares = mixing.nearest_in_batch(np.ones((1, 2, 2, 3), np.float32))
    np.testing.assert_array_equal(partners, np.zeros((1, 4)))
    assert not np.any(mixing.batch_mask(shares, 0.9))


def test_the_six_images_lie_in_order_and_the_label_is_the_mask():
    seen = []

    def classifier(mixes, others, training):
        seen.append(np.asarray(others))
        return mixes[:, 0, 0, :1] * np.ones(4)

    reference = np.full((2, 4, 4, 3), 1.0, np.float32)
    candidates = np.stack([np.full((2, 4, 4, 3), 10.0 + i, np.float32) for i in range(4)], axis=1)
    mask = np.array([[True, False, False, True], [False, True, False, False]])
    scene = objective.Scene(reference, candidates, mask, None, None, None)
    config = ModelConfig(classifier_task="six_images")
    logits, labels = objective.answers(classifier, reference, scene, config)
    assert logits.shape == labels.shape == (2, 1, 4)
    np.testing.assert_array_equal(labels[:, 0], mask)
    np.testing.assert_array_equal(seen[0][0, 2, 3], np.repeat([1.0, 10, 11, 12, 13], 3))


def test_tiles_are_cut_row_by_row_and_the_encoder_sees_each_alone():
    images = np.arange(36, dtype=np.float32).reshape(1, 6, 6, 1)
    tiles = np.asarray(cut(images, 2))
    np.testing.assert_array_equal(tiles[1, ..., 0], [[2, 3], [8, 9]])
    np.testing.assert_array_equal(tiles[3, ..., 0], [[12, 13], [18, 19]])
    networks = build_networks(tiny.config(**TILES))
    reference = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype("float32")
    changed = reference.copy()
    changed[:, :8, :8] = 0.0  # within the first tile, which is 10.7 px
    codes, others = networks.encoder(reference), networks.encoder(changed)
    assert codes.shape == (1, 3, 3, 4)
    same = np.isclose(codes, others, atol=1e-6).all(axis=-1)[0]
    np.testing.assert_array_equal(same, [[False, True, True], [True] * 3, [True] * 3])
    assert networks.decoder(codes).shape == (1, 32, 32, 3)
    plain = build_networks(tiny.config())
    for tiled, other in zip(networks[:2], plain[:2], strict=True):
        assert tiled.count_params() == other.count_params()


def test_the_halves_of_a_batch_are_mixed_by_a_random_mask():
    config = tiny.config(**TILES)
    networks, images = build_networks(config), tiny.random_batch(4)["reference"]
    draws = [Draws(tf.constant(update), 0) for update in (1, 1, 2)]
    scenes = [objective.forward_of_tiles(networks, images, one)[0] for one in draws]
    first, again, later = (np.asarray(scene.mask) for scene in scenes)
    assert first.shape == (2, 9)
    np.testing.assert_array_equal(first, again)
    assert (first != later).any()
    np.testing.assert_array_equal(scenes[0].reference, images[:2])
    np.testing.assert_array_equal(scenes[0].candidates[:, 0], images[2:])
    codes = networks.encoder(images)
    mixed = np.where(first.reshape(2, 3, 3, 1), codes[2:], codes[:2])
    np.testing.assert_allclose(scenes[0].mix, networks.decoder(mixed), atol=1e-5)
    logits, labels = objective.answers(networks.classifier, scenes[0].mix, scenes[0], config)
    assert logits.shape == (2, 1, 9)
    np.testing.assert_array_equal(labels[:, 0], first)
    many = mixing.random_mask(200, 9, Draws(tf.constant(3), 0))
    assert 0.4 < np.mean(many) < 0.6


def test_a_mask_of_quadrants_moves_the_corners_of_nine_cells():
    codes = np.zeros((1, 3, 3, 1), np.float32)
    chunks = np.array([[[1], [2], [3], [4]]], np.float32)
    mask = np.array([[True, True, False, True]])
    mixed = np.asarray(mixing.mix_corners(codes, chunks, mask))[0, ..., 0]
    np.testing.assert_array_equal(mixed, [[1, 0, 2], [0, 0, 0], [0, 0, 4]])
    small = np.asarray(mixing.mix_corners(codes[:, :2, :2], chunks, mask))
    np.testing.assert_array_equal(small[0, ..., 0], [[1, 2], [0, 4]])
    nine = np.arange(36, dtype=np.float32).reshape(1, 4, 3, 3, 1)
    np.testing.assert_array_equal(
        mixing.candidate_chunks(nine)[0, :, 0], [0, 9 + 2, 18 + 6, 27 + 8]
    )
    with pytest.raises(UserError, match="codes of 3x3 cells"):
        quadrants.chunks(codes)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"discriminator_attention": 3}, "--discriminator_attention=3"),
        ({"decoder_attention": 5}, "--decoder_attention=5"),
        ({"decoder": "broadcast", "decoder_attention": 1}, "has no blocks"),
        ({"decoder": "broadcast", "decoder_separate_blocks": 1}, "has no blocks"),
        ({"broadcast_widths": ()}, "--broadcast_widths"),
        ({"discriminator": "global", "discriminator_widths": (2,) * 6}, "too many entries"),
        ({"discriminator": "global_local", "discriminator_widths": (2,)}, "two --discriminator"),
        ({"discriminator_dense": 0}, "--discriminator_dense"),
        ({**TILES, "batch_size": 3}, "--batch_size=3"),
        ({**TILES, "decoder": "broadcast"}, "does not go with"),
        ({**TILES, "classifier_task": "six_images"}, "no six_images"),
        ({"strided_widths": (3, 4, 5), "decoder": "transposed"}, "--strided_widths"),
        ({"grid": 4, "mixing": "batch"}, "--grid=4 does not go with --mixing=batch"),
        ({"grid": 4, "decoder": "broadcast"}, "--grid=4 does not go with --decoder=broadcast"),
        ({"grid": 4, "attribute_parts": 2}, "neither --place_factors nor --attribute_parts"),
        ({"grid": 4}, "--encoder_layers has 4 entries; --image_size=32 needs 3"),
        ({"grid": 4, "strided_widths": (3, 4, 5)}, "needs 2 .* down to 8x8"),
        ({"batch_threshold": -0.1}, "--batch_threshold"),
    ],
)
def test_settings_that_do_not_fit_name_their_flag(changes, message):
    with pytest.raises(UserError, match=message):
        tiny.config(**changes).validate()


def test_the_choices_are_those_that_the_code_asks_for():
    fields = ModelConfig.__dataclass_fields__
    assert fields["mixing"].metadata["choices"] == (
        *(variants.CANDIDATES, variants.BATCH, variants.TILES, variants.SEGMENTS),
    )
    assert fields["classifier_task"].metadata["choices"] == (variants.PAIRS, variants.SIX)
