import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.features.network import FeatureNetwork, Outputs
from lorbms_tf.networks.discriminator import Discriminator
from lorbms_tf.probing import linear
from lorbms_tf.probing.labelled import Part
from lorbms_tf.probing.settings import ProbeConfig
from tests import tiny


class Arrays:
    """Images in memory."""

    names = ()

    def __init__(self, images):
        self._images = images

    def __len__(self):
        return len(self._images)

    def take(self, places):
        return self._images[places]


LABELS = np.arange(12) % 3
COLOURS = np.zeros((12, 8, 8, 3), np.uint8)
COLOURS[np.arange(12), :, :, LABELS] = 200
PART = Part(Arrays(COLOURS), LABELS.astype(np.int64))


def colour_features():
    """The mean colour; without a network."""

    def forward(images, training):
        return Outputs(tf.reduce_mean(images, axis=(1, 2)))

    return FeatureNetwork("colour", forward, 8, 3, "0")


def network_features(seed=0):
    network = Discriminator(image_size=8, widths=(2, 3), seed=seed)

    def forward(images, training):
        return Outputs(network.features(images))

    dimension = network.features(tf.zeros((1, 8, 8, 3))).shape[1:].num_elements()
    features = FeatureNetwork("d", forward, 8, dimension, "0", "random", network, "d")
    features.remember()
    return features


def config(**given):
    sizes = {"dataset": "stl10:x", "image_size": 8, "epochs": 30, "batch_size": 5}
    return ProbeConfig(**{**sizes, "learning_rate": 0.1, **given})


def learn(features, settings, places=None, views=(), part=PART, **given):
    probe = linear.LinearProbe(features, 3, settings, seed=0)
    places = np.arange(12) if places is None else places
    linear.train(probe, part, places, settings, 0, "probe", views, **given)
    return probe


@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
def test_colours_are_learnt_and_only_from_the_given_places(optimizer):
    probe = learn(colour_features(), config(optimizer=optimizer), places=np.arange(6))
    assert probe.parameters == 3 * (3 + 1)
    scores = probe.scores(PART.images, batch_size=5)
    np.testing.assert_array_equal(scores.argmax(axis=1), LABELS)
    features = np.asarray(colour_features().forward(COLOURS / np.float32(127.5) - 1))
    np.testing.assert_allclose(probe.scores_of(features), scores, atol=1e-5)


def test_several_classes_are_learnt_but_not_the_unknown():
    labels = np.stack([LABELS == 0, LABELS < 2, np.full(12, -1)], axis=1).astype(np.int8)
    labels[:, 2] = -1
    probe = learn(colour_features(), config(epochs=60), part=Part(PART.images, labels))
    scores = probe.scores(PART.images, 12)
    np.testing.assert_array_equal(scores[:, :2] > 0, labels[:, :2] == 1)
    fresh = linear.LinearProbe(colour_features(), 3, config(), seed=0)
    np.testing.assert_array_equal(probe.dense.kernel[:, 2], fresh.dense.kernel[:, 2])


def test_one_step_equals_logistic_regression_by_hand():
    settings = config(optimizer="momentum")
    probe = linear.LinearProbe(colour_features(), 3, settings, seed=0)
    kernel = probe.dense.kernel.numpy()
    features = np.random.default_rng(0).normal(size=(4, 3)).astype("f")
    logits = features @ kernel
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    loss = probe.learn_features(features, LABELS[:4])
    assert float(loss) == pytest.approx(-np.log(shares[range(4), LABELS[:4]]).mean(), rel=1e-5)
    gradient = features.T @ (shares - np.eye(3)[LABELS[:4]]) / 4
    np.testing.assert_allclose(probe.dense.kernel, kernel - 0.1 * gradient, atol=1e-6)


def test_views_are_learnt_in_turns():
    seen = []
    views = [np.full((12, 3), number, "f") for number in range(2)]
    probe = linear.LinearProbe(colour_features(), 3, config(), seed=0)
    probe.learn_features = lambda features, labels: seen.append(features[0, 0]) or 0.0
    linear.train(probe, PART, np.arange(5), config(epochs=3), 0, "probe", views)
    assert seen == [0.0, 1.0, 0.0]


def test_a_frozen_network_stays_and_a_fine_tuned_one_learns():
    for finetune in (False, True):
        features = network_features()
        before = features.network.get_weights()
        learn(features, config(finetune=finetune, epochs=2))
        after = features.network.get_weights()
        changed = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
        # All but the kernel and the bias of the logits, which have no part in the features.
        shapes = [w.shape for w in before]
        logits = [shape in ((1, 1, 3, 1), (1,)) for shape in shapes]
        assert changed == [finetune and not is_logits for is_logits in logits]
        features.reset()
        for a, b in zip(before, features.network.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_run_that_was_ended_goes_on_as_if_it_had_not_been(tmp_path, monkeypatch):
    monkeypatch.setattr(linear, "SAVE_INTERVAL", -1.0)
    with tiny.eagerly():
        whole = learn(network_features(), config(finetune=True, epochs=3))
        state = tmp_path / "run.npz"
        learn(network_features(), config(finetune=True, epochs=2), state=state)
        went_on = learn(network_features(seed=9), config(finetune=True, epochs=3), state=state)
    for name, value in went_on.state().items():
        np.testing.assert_array_equal(value, whole.state()[name], err_msg=name)
    state.write_bytes(state.read_bytes()[:99])
    with pytest.raises(UserError, match=r"run\.npz cannot be continued from"):
        learn(network_features(), config(), state=state)


def test_a_loss_that_is_not_finite_is_an_error():
    with pytest.raises(UserError, match="probe: the loss is not finite: .*--learning_rate"):
        learn(colour_features(), config(), views=[np.full((12, 3), np.inf, "f")])


def test_every_image_is_seen_once_an_epoch_in_another_order():
    settings = config()
    first, second = (linear.batches(np.arange(3, 15), settings, 0, epoch) for epoch in (0, 1))
    assert [len(batch) for batch in first] == [4, 4, 4]
    assert sorted(np.concatenate(first)) == list(range(3, 15))
    assert not np.array_equal(np.concatenate(first), np.concatenate(second))
