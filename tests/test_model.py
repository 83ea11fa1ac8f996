"""The training step: who is updated when, how often, and what stays bit-identical."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.config import ModelConfig
from lorbms_tf.model import Lorbms
from lorbms_tf.training.loop import parameter_table
from tests import tiny


def random_batch(count=2, size=tiny.IMAGE_SIZE):
    rng = np.random.default_rng(0)
    return {
        "reference": tf.constant(rng.uniform(-1, 1, (count, size, size, 3)), tf.float32),
        "candidates": tf.constant(rng.uniform(-1, 1, (count, 4, size, size, 3)), tf.float32),
        "distances": tf.constant(rng.uniform(0, 4, (count, 4)), tf.float32),
    }


@pytest.fixture(scope="module")
def model():
    made = Lorbms(tiny.config(), seed=3)
    made.compile_optimizers()
    return made


def snapshot(model):
    return {
        name: [v.value.numpy() for v in network.variables]
        for name, network in model.networks._asdict().items()
    }


def changed(before, after):
    return {
        name
        for name in before
        if any(not np.array_equal(a, b) for a, b in zip(before[name], after[name], strict=True))
    }


def test_each_phase_changes_its_own_networks_and_no_other_bit(model):
    batch, start = random_batch(), snapshot(model)
    scene = model._update_generator(batch, {})
    after_generator = snapshot(model)
    assert changed(start, after_generator) == {"encoder", "decoder"}
    model._update_discriminator(scene, {})
    after_discriminator = snapshot(model)
    assert changed(after_generator, after_discriminator) == {"discriminator"}
    model._update_classifier(scene, {})
    assert changed(after_discriminator, snapshot(model)) == {"classifier"}


def test_only_singular_vectors_move_when_norms_advance(model):
    before = {v.path: v.value.numpy() for v in model.trainable_variables}
    model.advance_spectral_norms()
    for variable in model.trainable_variables:
        np.testing.assert_array_equal(before[variable.path], variable.value)


def test_updates_are_two_to_one_to_one(model):
    optimizers = (
        model.generator_optimizer,
        model.discriminator_optimizer,
        model.classifier_optimizer,
    )
    before = [int(o.iterations) for o in optimizers]
    tf.function(model.train_step, autograph=False)(random_batch())
    made = [int(o.iterations) - b for o, b in zip(optimizers, before, strict=True)]
    assert made == [2, 1, 1]


def test_step_returns_finite_losses_and_accuracies(model):
    values = {k: float(v) for k, v in model.train_step(random_batch()).items()}
    assert all(np.isfinite(v) for v in values.values())
    assert 1 <= values["mix/replaced_quadrants"] <= 3
    for name, value in values.items():
        assert not name.startswith("accuracy/") or 0 <= value <= 1
    for name in ("generator", "reconstruction", "adversarial", "discriminator", "classifier"):
        assert f"loss/{name}" in values


def test_graph_and_eager_steps_agree():
    batch, losses = random_batch(), []
    for wrap in (lambda f: f, lambda f: tf.function(f, autograph=False)):
        model = Lorbms(tiny.config(), seed=5)
        model.compile_optimizers()
        losses.append({k: float(v) for k, v in wrap(model.train_step)(batch).items()})
    for name, value in losses[0].items():
        assert losses[1][name] == pytest.approx(value, rel=1e-4, abs=1e-5), name


def test_a_few_steps_lower_the_reconstruction_loss():
    model = Lorbms(
        tiny.config(chunk_size=16, decoder_widths=(16, 16, 8, 8), generator_learning_rate=1e-2)
    )
    model.compile_optimizers()
    step, flat = tf.function(model.train_step, autograph=False), random_batch(4)
    # Flat colours: each image is its own first pixel everywhere.
    flat = {
        "reference": tf.tile(flat["reference"][:, :1, :1], (1, 32, 32, 1)),
        "candidates": tf.tile(flat["candidates"][:, :, :1, :1], (1, 1, 32, 32, 1)),
        "distances": flat["distances"],
    }
    first = float(step(flat)["loss/reconstruction"])
    for _ in range(40):
        last = float(step(flat)["loss/reconstruction"])
    assert last < 0.8 * first


def test_mix_equals_render_for_the_same_mask(model):
    batch = random_batch(3)
    mask, reconstruction, mix = model.render(*batch.values())
    np.testing.assert_allclose(
        model.mix(batch["reference"], batch["candidates"], mask), mix, atol=1e-6
    )
    np.testing.assert_allclose(
        model.decode(model.encode(batch["reference"])), reconstruction, atol=1e-6
    )


def test_cosine_schedule_ends_at_zero_and_counts_generator_updates():
    model = Lorbms(tiny.config())
    model.compile_optimizers(total_steps=2, schedule="cosine")
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(2e-4)
    for _ in range(2):
        model.train_step(random_batch())
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(0.0, abs=1e-10)
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(0.0, abs=1e-10)


def test_table_3_6_of_the_thesis():
    table = parameter_table(Lorbms(ModelConfig()))
    counts = {line[:15].strip(): line[15:].strip() for line in table.splitlines()}
    assert counts == {
        "discriminator": "1,188,391",
        "generator": "8,100,851",
        "encoder": "2,800,512",
        "decoder": "5,300,339",
        "classifier": "45,355,044",
        "total": "54,644,286",
    }
