"""Parts of chunks mixed between objects: the mixing by hand, its losses, and training with it."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.data import quadrants
from lorbms_tf.distances.draws import Draws
from lorbms_tf.lorbms import attribute_parts, losses, objective
from lorbms_tf.lorbms.building import Networks, build_part_classifier
from lorbms_tf.lorbms.method import parameter_rows
from lorbms_tf.lorbms.model import Lorbms
from tests import tiny
from tests.lorbms.repeating import assert_next_step_repeats

SIZE = 4  # of images whose code is their own pixels


def test_parts_are_taken_from_the_others_where_the_mask_says_so():
    own = np.arange(20, dtype=np.float32).reshape(1, 4, 5)
    mask = np.zeros((1, 4, 3), bool)
    mask[0, 0] = [True, False, False]
    mask[0, 2] = [False, True, True]
    mixed = np.asarray(attribute_parts.mix_parts(own, -own, mask, [2, 2, 1]))[0]
    np.testing.assert_array_equal(mixed[0], [0, -1, 2, 3, 4])
    np.testing.assert_array_equal(mixed[1], own[0, 1])
    np.testing.assert_array_equal(mixed[2], [10, 11, -12, -13, -14])


def test_parts_are_drawn_by_a_fair_coin_and_anew_in_each_update():
    first, again, later = (
        np.asarray(attribute_parts.random_parts(200, 3, Draws(tf.constant(update), 5)))
        for update in (1, 1, 2)
    )
    assert first.shape == (200, 4, 3) and first.dtype == bool
    np.testing.assert_array_equal(first, again)
    assert (first != later).any()
    np.testing.assert_allclose(first.mean(axis=0), 0.5, atol=0.15)


def test_a_quadrant_is_enlarged_by_repeating_its_pixels():
    quads = np.arange(16, dtype=np.float32).reshape(1, 4, 2, 2, 1)
    large = np.asarray(attribute_parts.enlarged(quads))
    assert large.shape == (4, 4, 4, 1)
    np.testing.assert_array_equal(
        large[1, ..., 0], [[4, 4, 5, 5], [4, 4, 5, 5], [6, 6, 7, 7], [6, 6, 7, 7]]
    )


def by_pixels():
    """Networks whose code is the colour of each quadrant's first pixel: all is known by hand."""

    def encoder(images, training):
        return images[:, :: SIZE // 2, :: SIZE // 2]

    def decoder(codes, training):
        return tf.repeat(tf.repeat(codes, SIZE // 2, axis=1), SIZE // 2, axis=2)

    return Networks(encoder, decoder, lambda images, training: images[:, :1, :1, 0] * 0.0, None)


def flat(*colours):
    """One flat picture for each colour, `[count, SIZE, SIZE, 3]`."""
    return tf.constant(np.stack([np.tile(colour, (SIZE, SIZE, 1)) for colour in colours]))


def parts_of(networks, batch, config, draws):
    encoded = objective.encode_scene(
        networks.encoder, batch["reference"], batch["candidates"], training=True
    )
    return attribute_parts.scene(networks, batch, encoded, config, draws)


def a_scene():
    config = tiny.config(chunk_size=3, attribute_parts=3)
    reference = flat(np.float32([0.1, 0.2, 0.3]))
    others = [np.float32([-0.1 * q - 0.1, -0.5, -0.6 - 0.1 * q]) for q in range(4)]
    batch = {"reference": reference, "candidates": flat(*others)[None]}
    made = parts_of(by_pixels(), batch, config, Draws(tf.constant(3), 1))
    return config, others, made


def test_a_scene_by_hand():
    _, others, made = a_scene()
    mask = np.asarray(made.mask)[0]
    assert mask.shape == (4, 3) and 0 < mask.sum() < 12
    mixes = np.asarray(quadrants.split(made.mix))[0]
    for q in range(4):
        expected = np.where(mask[q], others[q], [0.1, 0.2, 0.3])
        np.testing.assert_allclose(mixes[q], np.broadcast_to(expected, (2, 2, 3)), rtol=1e-6)
        pasted = np.asarray(quadrants.quadrant(made.others, q))[0]
        np.testing.assert_allclose(pasted, np.broadcast_to(others[q], (2, 2, 3)), rtol=1e-6)
    # A perfect autoencoder gives the reference back.
    np.testing.assert_allclose(made.cycle, made.reference, rtol=1e-6)


def test_the_classifier_sees_the_quadrant_of_mix_reference_and_candidate():
    config, others, made = a_scene()

    def classifier(mixes, sources, training):
        """Says of each colour which of the two it is: a channel is a part here."""
        is_candidate = tf.abs(mixes - sources[..., 3:]) < tf.abs(mixes - sources[..., :3])
        return (tf.cast(is_candidate, tf.float32)[:, 0, 0] - 0.5) * 20.0

    networks = by_pixels()
    loss, logits, labels = attribute_parts.classifier_loss(classifier, made, config)
    np.testing.assert_array_equal(np.asarray(logits) > 0, made.mask)
    np.testing.assert_array_equal(labels, made.mask)
    assert float(loss) == pytest.approx(4 * np.log1p(np.exp(-10)), rel=1e-3)
    told = attribute_parts.generator_loss(networks, classifier, made, config)
    assert float(told.reconstruction) == pytest.approx(0.0, abs=1e-6)
    assert float(told.adversarial) == pytest.approx(np.log(2), rel=1e-5)
    expected = 0.052 * np.log(2) + 0.044 * float(told.classifier)
    assert float(told.total) == pytest.approx(expected, rel=1e-5)


def test_the_discriminator_judges_the_mixes_of_parts_too():
    scene = objective.Scene(*[None] * 3, None, np.zeros((2, 4, 4, 3), np.float32), None)
    assert attribute_parts.judged(scene) is scene
    both = attribute_parts.judged(scene._replace(parts=a_scene()[2]))
    assert both.mix.shape == (3, 4, 4, 3)


CHANGES = {"attribute_parts": 2, "place_factors": 1, "chunk_size": 8}


def test_a_step_moves_all_networks_and_repeats_from_a_checkpoint(tmp_path):
    config, batch = tiny.config(**CHANGES, generator_updates=1), tiny.random_batch(2)
    with tiny.eagerly():
        model = Lorbms(config, seed=3)
        model.compile_optimizers()
        before = {name: one.get_weights() for name, one in model.saved_networks.items()}
        logs = model.train_step(batch)
        assert_next_step_repeats(model, batch, tmp_path)
    assert list(before)[-1] == "part_classifier"
    for name, weights in before.items():
        after = model.saved_networks[name].get_weights()
        assert any((a != b).any() for a, b in zip(weights, after, strict=True)), name
    assert all(np.isfinite(float(value)) for value in logs.values())
    # Two parts and the place have a classifier's answer each; nothing is known yet.
    assert float(logs["loss/parts_generator"]) == pytest.approx(4 * np.log(2), rel=0.05)
    assert {"accuracy/part_1", "accuracy/part_2", "accuracy/part_3"} <= logs.keys()
    assert "accuracy/part_4" not in logs
    assert "part_classifier" in [row.name for row in parameter_rows(model)]


def test_candidates_are_encoded_once_for_both_scenes(monkeypatch):
    """And the scene of whole chunks is that of a model that encodes only what it mixes."""
    config, batch = tiny.config(**CHANGES), tiny.random_batch(2)
    model = Lorbms(config, seed=3)
    model.compile_optimizers()
    draws = Draws(tf.constant(0), 0)
    encoded_images = []
    call = type(model.encoder).call

    def counted(self, images, *given, **named):
        encoded_images.append(int(images.shape[0]))
        return call(self, images, *given, **named)

    monkeypatch.setattr(type(model.encoder), "call", counted)
    with tiny.eagerly():
        pictures = batch["reference"], batch["candidates"]
        encoded = objective.encode_scene(model.encoder, *pictures, training=True)
        both = [
            objective.scene(model.networks, batch, config, config.tau, draws, True, given)[0]
            for given in (None, encoded)
        ]
        for name in ("mask", "reconstruction", "mix", "cycle"):
            np.testing.assert_allclose(getattr(both[0], name), getattr(both[1], name), atol=1e-5)
        encoded_images.clear()
        model.train_step(batch)
    update = [5 * 2, 2, 2]  # references with candidates, mixes, mixes of parts
    assert encoded_images == config.generator_updates * update


def test_the_generator_learns_from_the_parts_classifier():
    """Encoder and decoder have a gradient of its loss alone, and its own averages stay."""
    config = tiny.config(**CHANGES)
    model = Lorbms(config, seed=3)
    with tiny.eagerly(), tf.GradientTape() as tape:
        made = parts_of(model.networks, tiny.random_batch(2), config, Draws(tf.constant(0), 0))
        logits, labels = attribute_parts.answers(model.part_classifier, made.mix, made)
        loss = losses.classification(logits, labels)
    gradients = tape.gradient(loss, [v.value for v in model.generator_variables])
    assert all(g is not None and np.isfinite(g).all() for g in gradients)
    assert sum(float(tf.reduce_sum(tf.abs(g))) for g in gradients) > 0


def test_whole_chunks_have_no_further_network():
    assert build_part_classifier(tiny.config()) is None
    model = Lorbms(tiny.config())
    assert list(model.saved_networks) == ["encoder", "decoder", "discriminator", "classifier"]
    other = build_part_classifier(dataclasses.replace(tiny.config(), attribute_parts=4))
    assert other.settings["outputs"] == 4
