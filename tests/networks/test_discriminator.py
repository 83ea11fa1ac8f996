"""The discriminator: table 3.6, its receptive field, where spectral norm is."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.networks import Discriminator
from lorbms_tf.networks.spectral_norm import SpectralConv2D


def test_default_discriminator_has_the_parameters_and_shapes_of_the_thesis():
    discriminator = Discriminator()
    assert sum(int(np.prod(v.shape)) for v in discriminator.trainable_variables) == 1_188_391
    assert discriminator(np.zeros((2, 64, 64, 3), "float32")).shape == (2, 4, 4, 1)
    assert discriminator.features(np.zeros((1, 96, 96, 3), "float32")).shape == (1, 6, 6, 336)


def test_only_the_second_to_fourth_convolutions_are_spectral_normalised():
    discriminator = Discriminator(widths=(4, 5, 6, 7))
    convs = [*discriminator.convs, discriminator.head]
    spectral = [isinstance(conv, SpectralConv2D) for conv in convs]
    assert spectral == [False, True, True, True, False]


def test_a_logit_sees_a_patch_of_46_pixels():
    discriminator = Discriminator(image_size=128, widths=(4, 4, 4, 4))
    images = tf.constant(np.random.default_rng(0).normal(size=(1, 128, 128, 3)), "float32")
    with tf.GradientTape() as tape:
        tape.watch(images)
        logit = discriminator(images)[0, 4, 4, 0]
    seen = np.abs(tape.gradient(logit, images)[0]).sum(-1) > 0
    for axis in (0, 1):
        touched = np.flatnonzero(seen.any(axis))
        assert touched[-1] - touched[0] + 1 == 46


def test_logits_are_not_squashed():
    discriminator = Discriminator(image_size=16, widths=(4, 4))
    discriminator.head.bias.assign([-30.0])
    assert np.all(discriminator(np.zeros((1, 16, 16, 3), "float32")) < -20)


def test_the_slope_of_the_leak_is_a_fifth():
    discriminator = Discriminator(image_size=8, widths=(1,))
    discriminator.convs[0].kernel.assign(np.zeros((4, 4, 3, 1)))
    discriminator.convs[0].bias.assign([-1.0])
    np.testing.assert_allclose(discriminator.features(np.zeros((1, 8, 8, 3), "float32")), -0.2)


@pytest.mark.parametrize("widths", [(), (4, 0)])
def test_widths_that_make_no_network_are_errors(widths):
    with pytest.raises(ValueError, match="widths"):
        Discriminator(widths=widths)
