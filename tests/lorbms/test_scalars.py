"""The numbers that a step tells, on logits and images whose numbers are known."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.lorbms import scalars
from lorbms_tf.lorbms.building import Networks
from lorbms_tf.lorbms.config import ModelConfig
from lorbms_tf.lorbms.objective import GeneratorLoss, Scene
from lorbms_tf.networks.discriminator import Discriminator


def floats(logs):
    return {name: float(value) for name, value in logs.items()}


def test_discriminator_probabilities_and_accuracies():
    real = tf.math.log([[3.0], [1 / 3]])  # 3/4 and 1/4
    fake = tf.math.log([[1 / 9], [1 / 4]])  # 1/10 and 1/5
    logs = floats(scalars.of_discriminator(tf.constant(1.5), real, fake))
    assert logs["probability/real"] == pytest.approx(0.5)
    assert logs["probability/fake"] == pytest.approx(0.15)
    assert (logs[scalars.REAL], logs[scalars.FAKE]) == (0.5, 1.0)
    assert logs["loss/discriminator"] == 1.5


def test_classifier_accuracy_by_bit():
    labels = np.zeros((2, 4, 4), np.float32)
    labels[0, 0, 0] = labels[1, 2, 2] = 1
    logits = np.where(labels, 2.0, -2.0)
    logits[0, 0, 0] = -1  # bit 1 wrong in one of 8 pairs
    logits[0, 1, 3] = logits[1, 1, 3] = 1  # bit 4 wrong in two others
    logs = floats(scalars.of_classifier(tf.constant(0.0), tf.constant(logits), labels))
    bits = [logs[f"accuracy/classifier_bit_{i}"] for i in (1, 2, 3, 4)]
    assert bits == pytest.approx([7 / 8, 1, 1, 6 / 8])
    assert logs["accuracy/classifier_bits"] == pytest.approx(29 / 32)
    assert logs["accuracy/classifier_pairs"] == pytest.approx(5 / 8)


def test_replaced_quadrants_and_their_distance():
    images = tf.zeros((2, 4, 4, 3))
    mask = tf.constant([[True, True, False, False], [False, True, False, False]])
    scene = Scene(images, None, mask, images + 0.2, images, images)
    loss = GeneratorLoss(*map(tf.constant, (1.0, 2.0, 3.0, 4.0)))
    distances = [[1.0, 3.0, 100.0, 100.0], [100.0, 4.0, 100.0, 100.0]]
    logs = floats(scalars.of_generator(scene, loss, distances))
    assert logs["mix/replaced_quadrants"] == 1.5
    assert logs["mix/replaced_distance"] == pytest.approx((2.0 + 4.0) / 2)
    assert logs["psnr/train"] == pytest.approx(20.0, abs=1e-4)  # 10 log10(4 / 0.04)
    assert [logs[f"loss/{n}"] for n in ("generator", "classifier_generator")] == [1.0, 4.0]


def test_diversity_of_good_collapsed_and_lonely_images():
    images = tf.constant(np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 3)), tf.float32)
    assert float(scalars.diversity(images, images)) == pytest.approx(1.0)
    assert float(scalars.diversity(0.5 * images, images)) == pytest.approx(0.5, abs=1e-5)
    alike = tf.repeat(images[:1], 4, axis=0)
    assert float(scalars.diversity(alike, images)) == pytest.approx(0.0, abs=1e-6)
    assert float(scalars.diversity(images[:1], images[:1])) == 1.0


def test_shares_are_weighted_and_sum_to_one():
    means = {
        "loss/reconstruction": 0.5,
        "loss/adversarial": 2.0,
        "loss/classifier_generator": 1.0,
    }
    config = ModelConfig(lambda_rec=1.0, lambda_adv=0.2, lambda_cls=0.1)
    assert scalars.shares(means, config) == pytest.approx(
        {"share/reconstruction": 0.5, "share/adversarial": 0.4, "share/classifier": 0.1}
    )
    nothing = scalars.shares(dict.fromkeys(means, 0.0), config)
    assert set(nothing.values()) == {0.0}


def test_the_perceptual_part_has_a_share_of_its_own():
    config = ModelConfig(
        lambda_rec=1.0, lambda_adv=0.2, lambda_cls=0.1, perceptual="l1", lambda_perceptual=2.0
    )
    means = {
        "loss/reconstruction": 0.5,
        "loss/adversarial": 1.0,
        "loss/classifier_generator": 1.0,
        scalars.PERCEPTUAL: 0.1,
    }
    shares = scalars.shares(means, config)
    assert shares["share/perceptual"] == pytest.approx(0.2)
    assert sum(shares.values()) == pytest.approx(1.0)
    alone = {"loss/autoencoder": 0.8, scalars.PERCEPTUAL: 0.1}
    assert scalars.shares(alone, config) == {"share/perceptual": pytest.approx(0.25)}
    assert scalars.shares({"loss/autoencoder": 0.8}, config) == {}


def test_sigmas_of_networks_that_have_spectral_norms():
    network = Discriminator(image_size=32, widths=(2, 4, 6))
    others = Discriminator(image_size=32, widths=(2,))  # its only layer has none
    networks = Networks(others, others, network, others)
    sigmas = []
    for conv in network.convs[1:]:
        matrix = conv.kernel.numpy().reshape(-1, conv.filters)
        for _ in range(100):
            conv.advance()
        sigmas.append(np.linalg.svd(matrix, compute_uv=False)[0])
    logs = floats(scalars.spectral_sigmas(networks))
    assert logs == pytest.approx(
        {"sigma/discriminator_mean": np.mean(sigmas), "sigma/discriminator_max": max(sigmas)},
        rel=1e-3,
    )
