"""DeePSiM's step: the frozen comparator, pausing by scripted losses, what resumes, ablations."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.deepsim.model import Deepsim
from lorbms_tf.errors import UserError
from lorbms_tf.features import taps
from lorbms_tf.training import checkpoints, initial_weights, optimizers, run_directory
from tests import tiny


@pytest.fixture(autouse=True)
def eagerly():
    with tiny.eagerly():
        yield


def made(**changes):
    model = Deepsim(tiny.deepsim_config(**changes), seed=1)
    model.compile_optimizers(10)
    return model


def batch(seed=0):
    rng = np.random.default_rng(seed)
    shape = (2, tiny.IMAGE_SIZE, tiny.IMAGE_SIZE, 3)
    return {"image": tf.constant(rng.uniform(-1, 1, shape), tf.float32)}


def weights(network):
    return [np.array(variable) for variable in network.variables]


def moved(before, network):
    return any((one != two).any() for one, two in zip(before, weights(network), strict=True))


def test_comparator_and_encoder_pass_gradients_and_never_change():
    model = made(image_weight=0.0, adversarial_weight=0.0)
    frozen = [model._encoder.network, model._comparator.network]
    before, start = [weights(one) for one in frozen], weights(model.generator)
    logs = model.train_step(batch())
    assert set(logs) >= {"loss/feature", "gradient_norm/generator"}
    assert float(logs["gradient_norm/generator"]) > 0 and moved(start, model.generator)
    assert not any(moved(*pair) for pair in zip(before, frozen, strict=True))
    names = set(checkpoints.model_variables(model))
    assert names and all(name.startswith("generator") for name in names)


def test_maps_of_one_place_are_vectors():
    changes = {"adversarial_weight": 0.0, "feature_weight": 0.0, "image_size": 32}
    encoder = {"encoder": "squeezenet", "encoder_weights": "none"}
    photos = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    for layer, shape in (("fire9", (512,)), ("fire5", (3, 3, 256))):
        model = made(**changes, **encoder, layer=layer)
        assert model.feature_shape == shape
        maps = np.asarray(taps.make("squeezenet", [layer], "none", seed=1)(photos)[layer])
        features = model.encode(photos)
        np.testing.assert_array_equal(features, maps.reshape(2, *shape))
        assert model.decode(features).shape == photos.shape


def script(model, real, fake, adversarial):
    """Who learns after a step with these losses."""
    model._pausing.update(*(tf.constant(v, tf.float32) for v in (real, fake, adversarial)))
    return tuple(bool(model.state[f"{name}_on"].numpy()) for name in ("discriminator", "generator"))


def test_who_learns_follows_the_three_rules():
    model = made()
    assert script(model, 0.5, 0.5, 1.0) == (True, True)
    assert script(model, 0.02, 0.02, 1.0) == (False, True)  # r = 0.04: rule 1
    assert script(model, 0.1, 0.1, 1.0) == (False, True)  # r = 0.2: not yet
    assert script(model, 0.4, 0.2, 1.0) == (True, True)  # r = 0.6: rule 2
    assert script(model, 6.0, 6.0, 1.0) == (True, False)  # r = 12: rule 3
    assert script(model, 2.0, 2.0, 1.0) == (True, False)  # r = 4: the generator still rests
    assert script(model, 0.02, 0.02, 1.0) == (False, True)  # rule 1 wakes it


@pytest.mark.parametrize("name", ["discriminator", "generator"])
def test_who_pauses_does_not_move_at_all(name):
    model = made(weight_decay=0.1)
    model.train_step(batch())
    model.state[f"{name}_on"].assign(0.0)
    other = {"discriminator": "generator", "generator": "discriminator"}[name]
    model.state[f"{other}_on"].assign(1.0)
    networks, adams = model.saved_networks, model.optimizers_by_name
    before = {key: weights(network) for key, network in networks.items()}
    moments = {key: [np.array(v) for v in adam.variables] for key, adam in adams.items()}
    logs = model.train_step(batch(1))
    assert not moved(before[name], networks[name]) and moved(before[other], networks[other])
    kept = zip(moments[name], adams[name].variables, strict=True)
    assert all((one == np.array(two)).all() for one, two in kept)
    assert float(logs[f"balance/{name}_on"]) == 0 and float(logs[f"gradient_norm/{name}"]) > 0


def test_a_pause_is_kept_by_a_checkpoint(tmp_path):
    model = made(pause_below=1e9, generator_pause_above=2e9, resume_above=2e9)
    model.train_step(batch())
    checkpoints.Checkpoints(tmp_path, model).save(1)
    again = made()
    assert float(again.state["discriminator_on"].numpy()) == 1
    checkpoints.Checkpoints(tmp_path, again).restore()
    assert float(again.state["discriminator_on"].numpy()) == 0
    assert int(again.state["steps"].numpy()) == 1


def test_a_run_with_an_adversary_starts_from_one_without(tmp_path):
    folder = tmp_path / "run"
    plain = made(adversarial_weight=0.0, run_dir=str(folder))
    run_directory.prepare(plain.config)
    checkpoints.Checkpoints(folder / run_directory.CHECKPOINTS, plain).save(1)
    model = Deepsim(tiny.deepsim_config(), seed=2)
    before = [weights(one) for one in (model.generator, model.discriminator)]
    initial_weights.load(model, str(folder))
    assert moved(before[0], model.generator) and not moved(before[1], model.discriminator)
    assert not moved(weights(plain.generator), model.generator)


def test_losses_without_weight_cost_nothing():
    model = made(feature_weight=0.0, adversarial_weight=0.0)
    assert set(model.saved_networks) == {"generator"} and not model.state
    logs = model.train_step(batch())
    named = {name for name in logs if name.startswith("loss/")}
    assert named == {"loss/total", "loss/image"}
    assert set(model.monitor()) == {"scale/image"}


def test_the_logged_factors_turn_mean_squared_errors_into_losses():
    model, given = made(adversarial_weight=0.0), batch()
    factors = {name: float(value) for name, value in model.monitor().items()}
    drawn = np.asarray(model.generator(model.encode(given["image"])))
    maps = [np.asarray(model._comparator(one)["conv2"]) for one in (drawn, given["image"])]
    logs = model.train_step(given)
    image = factors["scale/image"] * np.mean((drawn - given["image"].numpy()) ** 2)
    feature = factors["scale/feature"] * np.mean((maps[0] - maps[1]) ** 2)
    np.testing.assert_allclose(logs["loss/image"], image, rtol=1e-4)
    np.testing.assert_allclose(logs["loss/feature"], feature, rtol=1e-4)


def test_features_reach_the_discriminator_by_flag():
    model = made(discriminator_features=True)
    assert model.discriminator.settings["features"] == 2 * 2 * 256
    assert np.isfinite(float(model.train_step(batch())["loss/total"]))


def test_random_networks_are_named_as_such():
    lines = made().origins()
    assert len(lines) == 2 and all(line.startswith("warning: ") for line in lines)
    assert all("random weights" in line for line in lines)


def test_an_unknown_layer_lists_the_valid_ones():
    with pytest.raises(UserError, match="valid layers: conv1"):
        made(layer="conv9")
    with pytest.raises(UserError, match="caffenet has no layer 'fc9'"):
        taps.make("caffenet", ["fc9"])


@pytest.mark.parametrize("role", ["encoder", "comparator"])
def test_bad_weights_are_told_by_their_flag(role, tmp_path):
    wanted = f"^--{role}_weights: .* does not hold the weights of SqueezeNet"
    layer = {"encoder": {"layer": "fire5"}, "comparator": {"comparator_layer": ("fire5",)}}[role]
    missing = {role: "squeezenet", f"{role}_weights": str(tmp_path / "missing.npz"), **layer}
    with pytest.raises(UserError, match=wanted):
        made(**missing)
    with pytest.raises(UserError, match=f"^--{role}: 'vgg' is no network"):
        made(**{role: "vgg"})


def test_rates_are_halved_at_the_named_updates():
    rate = optimizers.halved(0.8, (2, 5))
    assert [round(float(rate(step)), 4) for step in (0, 1, 2, 4, 5, 9)] == [
        *(0.8, 0.8, 0.4, 0.4, 0.2, 0.2)
    ]
    assert optimizers.halved(0.8, ()) == 0.8
