import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.augint.baselines import MODELS
from lorbms_tf.errors import UserError
from lorbms_tf.gan import balance
from lorbms_tf.latent.slerp import unit_norm
from tests import tiny

SIZE = tiny.PHOTO_SIZE


@pytest.fixture(autouse=True)
def eager():
    with tiny.eagerly():
        yield


def batch(count=3, channels=1):
    random = np.random.default_rng(0)
    return {
        "image": tf.constant(random.uniform(-1, 1, (count, SIZE, SIZE, channels)), tf.float32),
        "label": tf.constant([0, 1, 0][:count]),
    }


def model(steps=100, **changes):
    if changes.get("objective", "augint") != "augint":
        changes = {"adversarial": False, "inversion_steps": 4, **changes}
    config = tiny.augint_config(**changes)
    built = MODELS[config.objective](config, seed=1)
    built.compile_optimizers(steps)
    return built


def weights(built):
    return {
        name: [v.numpy() for v in network.trainable_variables]
        for name, network in built.saved_networks.items()
    }


def changed(before, after):
    return {
        name
        for name in before
        if any((a != b).any() for a, b in zip(before[name], after[name], strict=True))
    }


def test_codes_have_length_one():
    codes = model().encode(batch()["image"])
    assert codes.shape == (3, 3)
    np.testing.assert_allclose(np.linalg.norm(codes, axis=1), 1.0, rtol=1e-5)


def test_k_follows_the_scores_step_by_step():
    built, k = model(), 1.0
    for _ in range(4):
        logs = {name: float(value) for name, value in built.train_step(batch()).items()}
        k = min(1.0, max(0.0, k - 0.001 * (1 - (logs["score/real"] - logs["score/fake"]))))
        assert logs["balance/k"] == pytest.approx(k, abs=1e-6)
    assert k < 1.0 and float(built.state["k"]) == pytest.approx(k, abs=1e-6)


@pytest.mark.parametrize("k", [1.0, 0.25])
def test_the_adversarial_gradient_is_as_long_as_the_other_image_by_image(k):
    built = model()
    built.k.assign(k)
    target, output = batch()["image"], 0.9 * tf.tanh(3 * batch()["image"])
    gradient, logs = built._output_gradient(target, output)
    alone, _ = model(adversarial=False)._output_gradient(target, output)
    lengths = np.linalg.norm(np.reshape(gradient - alone, (3, -1)), axis=1)
    np.testing.assert_allclose(
        lengths, k * np.linalg.norm(np.reshape(alone, (3, -1)), axis=1), rtol=1e-4
    )
    assert float(logs["balance/gamma"]) > 0


def test_judged_pairs_get_the_adversarial_gradient_and_outputs_the_other():
    built = model(objective="intae")
    target = batch()["image"]
    decoded = tf.concat([0.5 * target, 0.3 * tf.roll(target, 1, 0)], 0)
    gradient, _ = built._output_gradient(target, decoded)
    alone, _ = model(adversarial=False)._output_gradient(target, decoded[:3])
    np.testing.assert_allclose(gradient[:3], alone, atol=1e-7)
    lengths = [np.linalg.norm(np.reshape(part, (3, -1)), axis=1) for part in (gradient[3:], alone)]
    np.testing.assert_allclose(*lengths, rtol=1e-4)


def test_perfect_outputs_have_finite_gradients():
    built, images = model(reconstruction_norm=2), batch()["image"]
    gradient, _ = built._output_gradient(images, images)
    np.testing.assert_array_equal(gradient, np.zeros_like(images))


@pytest.mark.parametrize("targets", ["01", "pm1"])
def test_both_readings_of_the_targets_train(targets):
    built = model(discriminator_targets=targets)
    before = weights(built)
    logs = built.train_step(batch())
    assert all(np.isfinite(value) for value in logs.values())
    assert changed(before, weights(built)) == {"encoder", "decoder", "discriminator"}


@pytest.mark.parametrize("objective", ["ae", "intae", "vae"])
def test_autoencoders_learn_what_they_see(objective):
    built = model(objective=objective, learning_rate=0.01, augmentation="none", code_size=8)
    first = float(built.train_step(batch())["loss/autoencoder"])
    for _ in range(12):
        last = float(built.train_step(batch())["loss/autoencoder"])
    assert last < first
    assert built.infer(batch())["path"].shape == (3, 3, SIZE, SIZE, 1)


def test_phases_of_a_wgan():
    built = model(steps=14, objective="wgan_gp", inversion_steps=4, critic_updates=5)
    names = [built.phase(step) for step in range(1, 15)]
    assert names[:5] == ["critic_step"] * 4 + ["train_step"] == names[5:10]
    assert names[10:] == ["inversion_step"] * 4


@pytest.mark.parametrize(
    "objective, step, networks",
    [
        ("wgan_gp", "critic_step", {"discriminator"}),
        ("wgan_gp", "train_step", {"discriminator", "decoder"}),
        ("wgan_gp", "inversion_step", {"encoder"}),
        ("dagan", "critic_step", {"discriminator"}),
        ("dagan", "train_step", {"discriminator", "encoder", "decoder"}),
    ],
)
def test_each_step_changes_its_own_networks(objective, step, networks):
    built = model(objective=objective)
    before = weights(built)
    logs = getattr(built, step)(batch())
    assert changed(before, weights(built)) == networks
    assert all(np.isfinite(value) for value in logs.values())


def test_both_steps_of_a_critic_tell_the_same_things():
    built = model(objective="wgan_gp")
    assert set(built.critic_step(batch())) == set(built.train_step(batch()))


def test_the_critics_loss_is_distance_and_penalty():
    built = model(objective="wgan_gp", gradient_penalty=3.0, inversion_steps=4)
    logs = {name: float(value) for name, value in built.critic_step(batch()).items()}
    assert logs["loss/critic"] == pytest.approx(
        3.0 * logs["score/penalty"] - logs["score/distance"], abs=1e-5
    )


def test_too_few_steps_for_an_inversion_are_named():
    with pytest.raises(UserError, match="--inversion_steps=4 leaves no step .* has 4 steps"):
        model(steps=4, objective="wgan_gp", inversion_steps=4)


def test_a_dagan_sees_pairs_and_keeps_its_noise_between_two_codes():
    built = model(objective="dagan")
    assert built.discriminator.settings["channels"] == 2
    codes = np.asarray(built.encode(batch()["image"]))
    middle = np.asarray(built.between(codes[:2], codes[1:], 0.5))
    np.testing.assert_array_equal(middle[:, 3:], codes[:2, 3:])
    np.testing.assert_allclose(np.linalg.norm(middle[:, :3], axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("objective", list(MODELS))
def test_blends_at_a_corner_are_that_code(objective):
    built = model(objective=objective)
    codes = np.asarray(built.encode(batch()["image"]))[None]
    np.testing.assert_allclose(
        built.blend(codes, np.array([[1, 0, 0]], np.float32)), codes[:, 0], atol=1e-5
    )


def test_draws_follow_from_seed_and_step():
    built, images = model(), batch()["image"]
    first = np.asarray(built.draws(images, 4))
    np.testing.assert_array_equal(first, built.draws(images, 4))
    built.train_step(batch())
    assert (np.asarray(built.draws(images, 4)) != first).all()
    assert (np.asarray(model(seed=1).draws(images, 4)) != first).all()
    noise = unit_norm(built.draws(tf.zeros((500, 1)), 3, "normal"))
    np.testing.assert_allclose(np.mean(noise, 0), 0, atol=0.1)


def test_k_starts_at_one():
    assert float(model().k) == 1.0 and balance.K_RATE == 0.001
    assert model(adversarial=False).state == {}
