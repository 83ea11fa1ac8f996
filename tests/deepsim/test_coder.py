"""The modes autoencoder and vae: an encoder that learns, and what a run of them goes on with."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.deepsim.model import Deepsim
from lorbms_tf.errors import UserError
from lorbms_tf.training import checkpoints
from tests import tiny

SMALL = {"latent_size": 3, "layer": "conv2", "encoder": "alexnet", "comparator_layer": ("conv1",)}


@pytest.fixture(autouse=True)
def eagerly():
    with tiny.eagerly():
        yield


def made(mode="vae", **changes):
    model = Deepsim(tiny.deepsim_config(mode=mode, **{**SMALL, **changes}), seed=1)
    model.compile_optimizers(10)
    return model


def batch(seed=0):
    rng = np.random.default_rng(seed)
    shape = (2, tiny.IMAGE_SIZE, tiny.IMAGE_SIZE, 3)
    return {"image": tf.constant(rng.uniform(-1, 1, shape), tf.float32)}


def values(model):
    named = {**checkpoints.model_variables(model), **model.state}
    for name, adam in model.optimizers_by_name.items():
        named |= {f"{name} {i}": variable for i, variable in enumerate(adam.variables)}
    return {name: np.array(variable) for name, variable in named.items()}


def test_encoder_and_generator_learn_together_and_the_comparator_does_not():
    model = made("autoencoder", adversarial_weight=0.0)
    fixed = [np.array(v) for v in model._comparator.network.variables]
    before = [np.array(v) for v in model.coder.trainable_variables]
    logs = model.train_step(batch())
    assert float(logs["gradient_norm/encoder"]) > 0 and "loss/divergence" not in logs
    after = [np.array(v) for v in model.coder.trainable_variables]
    assert all((one != two).any() for one, two in zip(before, after, strict=True))
    now = model._comparator.network.variables
    assert all((one == np.array(two)).all() for one, two in zip(fixed, now, strict=True))


def test_weights_behind_the_layer_do_not_learn():
    model = made(adversarial_weight=0.0)
    learning = {id(v) for v in model.coder.trainable_variables}
    convs = model.coder.network.convs
    assert all(id(conv.kernel) in learning for conv in convs[:1])
    assert not any(id(v) in learning for conv in convs[2:] for v in conv.variables)


def test_the_divergence_is_that_of_the_codes_times_its_weight():
    model = made(kl_weight=0.25, adversarial_weight=0.0)
    given = batch()
    statistics = np.asarray(model.coder(given["image"]), np.float64)
    mean, logarithm = np.split(statistics, 2, axis=1)
    by_hand = 0.5 * np.sum(mean**2 + np.exp(logarithm) - 1 - logarithm, axis=1).mean()
    logs = model.train_step(given)
    np.testing.assert_allclose(logs["loss/divergence"], 0.25 * by_hand, rtol=1e-4)
    named = ("image", "feature", "divergence")
    total = sum(float(logs[f"loss/{name}"]) for name in named)
    assert float(logs["loss/total"]) == pytest.approx(total, rel=1e-5)


def test_a_vae_encodes_as_the_mean_without_any_draw():
    model, images = made(), batch()["image"]
    codes = np.asarray(model.encode(images))
    assert codes.shape == (2, 3) and model.feature_shape == (3,)
    np.testing.assert_array_equal(codes, np.asarray(model.coder(images))[:, :3])
    np.testing.assert_array_equal(codes, model.encode(images))


def test_a_vae_goes_on_bit_for_bit(tmp_path):
    whole, parts = made(), made()
    for step in range(3):
        whole.train_step(batch(step))
    parts.train_step(batch(0))
    checkpoints.Checkpoints(tmp_path, parts).save(1)
    again = made()
    checkpoints.Checkpoints(tmp_path, again).restore()
    for step in (1, 2):
        again.train_step(batch(step))
    expected, found = values(whole), values(again)
    assert expected.keys() == found.keys()
    assert [k for k in expected if expected[k].tobytes() != found[k].tobytes()] == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"latent_size": 0}, "--latent_size=0"), ({"kl_weight": -1.0}, "--kl_weight=-1.0")],
)
def test_wrong_settings_are_named(changes, message):
    with pytest.raises(UserError, match=message):
        tiny.deepsim_config(mode="vae", **changes).validate()
