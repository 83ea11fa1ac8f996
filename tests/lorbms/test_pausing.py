"""--pause_discriminator: the discriminator rests while it is far ahead; checkpoints hold that."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.training import checkpoints
from tests import tiny


@pytest.fixture(autouse=True)
def eagerly():
    with tiny.eagerly():
        yield


def made(pause=True):
    model = Lorbms(tiny.config(pause_discriminator=pause, generator_updates=1), seed=1)
    model.compile_optimizers()
    return model


def weights(network):
    return [np.array(variable) for variable in network.trainable_variables]


def moved(before, network):
    return any((one != two).any() for one, two in zip(before, weights(network), strict=True))


def decided(model, loss, adversarial):
    """Whether the discriminator learns after a step with these losses."""
    model.pausing.update(tf.constant(loss), 0.0, tf.constant(adversarial))
    return bool(model.state["discriminator_on"].numpy())


def test_it_stops_below_a_tenth_and_goes_on_above_a_half():
    model = made()
    losses = [(1.0, 1.0), (0.09, 1.0), (0.4, 1.0), (0.6, 1.0), (40.0, 1.0)]
    assert [decided(model, *pair) for pair in losses] == [True, False, False, True, True]
    assert float(model.state["generator_on"].numpy()) == 1  # whatever the ratio


def test_a_resting_discriminator_does_not_move_and_the_others_do(tmp_path):
    model = made()
    decided(model, 0.01, 1.0)
    before = {name: weights(one) for name, one in model.saved_networks.items()}
    logs = model.train_step(tiny.random_batch())
    changed = {name: moved(before[name], one) for name, one in model.saved_networks.items()}
    assert changed == {**dict.fromkeys(changed, True), "discriminator": False}
    assert float(logs["balance/discriminator_on"]) == 0
    decided(model, 0.01, 1.0)
    checkpoints.Checkpoints(tmp_path, model).save(1)
    again = made()
    checkpoints.Checkpoints(tmp_path, again).restore()
    assert float(again.state["discriminator_on"].numpy()) == 0


def test_without_the_flag_nothing_is_kept_logged_or_different():
    plain, pausing = made(pause=False), made()
    assert plain.state == {}
    batch = tiny.random_batch()
    logs, others = plain.train_step(batch), pausing.train_step(batch)
    assert not any(name.startswith("balance/") for name in logs)
    assert {k: float(v) for k, v in logs.items()} == {k: float(others[k]) for k in logs}
    for name, network in plain.saved_networks.items():
        assert not moved(weights(network), pausing.saved_networks[name])
