"""Training with a perceptual distance: which steps have it, its draws, and going on."""

import dataclasses

import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.lorbms import scalars
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.training import checkpoints, loop, planning
from tests import tiny

MMD = {"perceptual": "mmd++", "lambda_perceptual": 0.5, "mmd_window": 16, "mmd_features": 16}


@pytest.fixture(autouse=True)
def eagerly():
    with tiny.eagerly():
        yield


def compiled(precision="float32", **changes):
    model = Lorbms(tiny.config(**changes), seed=3, precision=precision)
    model.compile_optimizers()
    return model


def weights(model):
    return [v.numpy() for v in checkpoints.model_variables(model).values()]


def test_without_a_distance_a_step_is_that_of_the_thesis():
    model = compiled()
    assert model.perceptual is None
    assert scalars.PERCEPTUAL not in model.train_step(tiny.random_batch())


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_a_step_has_the_distance_of_the_float32_pictures(precision):
    model, batch = compiled(precision, **MMD, generator_updates=1), tiny.random_batch()
    seen = []
    distance = model.perceptual

    def spy(images, others, draw):
        seen.append((images.dtype, others.dtype, int(draw)))
        return distance(images, others, draw)

    model.perceptual = spy
    values = [float(model.train_step(batch)[scalars.PERCEPTUAL]) for _ in range(2)]
    assert seen == [("float32", "float32", 0), ("float32", "float32", 1)]  # a draw each step
    assert min(values) > 0 and max(values) < 4.5


def test_the_distance_lowers_itself():
    batch = tiny.random_batch()
    changes = {**MMD, "lambda_perceptual": 100.0, "generator_updates": 1}
    model = compiled(**changes, generator_learning_rate=1e-2, decoder_spectral_norm=False)
    values = [float(model.train_step(batch)[scalars.PERCEPTUAL]) for _ in range(12)]
    assert np.mean(values[-3:]) < np.mean(values[:3])


@pytest.mark.parametrize("asked", [False, True])
def test_autoencoder_steps_have_it_where_that_is_asked_for(asked):
    model = compiled(**MMD, autoencoder_steps=2, perceptual_autoencoder=asked)
    logs = model.autoencoder_step(tiny.random_batch())
    assert (scalars.PERCEPTUAL in logs) == asked
    if asked:
        batch = tiny.random_batch()
        plain = compiled(autoencoder_steps=2).autoencoder_step(batch)
        expected = plain["loss/autoencoder"] + 0.5 * logs[scalars.PERCEPTUAL]
        np.testing.assert_allclose(logs["loss/autoencoder"], expected, rtol=1e-5)


def test_a_run_that_goes_on_draws_as_one_without_a_stop(tmp_path):
    pattern = tiny.write_records(tmp_path / "records", 6, draw=tiny.noise)
    places = {"records": pattern, "run_dir": str(tmp_path / "whole")}
    whole = tiny.config(
        **places, **MMD, batch_size=2, max_steps=3, autoencoder_steps=1,
        perceptual_autoencoder=True, sample_every_steps=9, sample_rows=2, seed=3,
    )  # fmt: skip
    run = loop.Run(planning.plan(whole))
    run.train()
    first = dataclasses.replace(whole, run_dir=str(tmp_path / "parts"), max_steps=2)
    loop.Run(planning.plan(first)).train()
    second = loop.Run(planning.plan(dataclasses.replace(first, max_steps=3)))
    assert second.train() == 1
    for one, two in zip(weights(run.model), weights(second.model), strict=True):
        np.testing.assert_array_equal(one, two)


def test_weights_of_a_network_that_are_not_there(tmp_path):
    missing = str(tmp_path / "vgg.npz")
    with pytest.raises(UserError, match="vgg19_weights.*vgg.npz"):
        compiled(perceptual="vgg19", lambda_perceptual=0.5, vgg19_weights=missing)
