"""The global-local discriminator: what each part sees, where the patch lies, a count by hand."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.networks.global_local import GlobalLocalDiscriminator

SMALL = {"image_size": 16, "widths": (2, 3), "dense": 4}


def _images(batch=1):
    return np.random.default_rng(0).uniform(-1, 1, (batch, 16, 16, 3)).astype("float32")


def test_parameters_by_hand():
    # Whole: 4*4*3*2 + 2, 4*4*2*3 + 3, 4*4*3*4 + 4. Patch: 98 again, 4*4*2*4 + 4. Head: 8 + 1.
    network = GlobalLocalDiscriminator(**SMALL)
    assert sum(int(np.prod(v.shape)) for v in network.trainable_variables) == 98 + 99 + 196 + 98 + (
        132 + 9
    )


@pytest.mark.parametrize("corner", [(0, 0), (3, 8), (8, 8)])
def test_the_local_part_sees_the_patch_and_nothing_else(corner):
    network = GlobalLocalDiscriminator(**SMALL)
    network.head.kernel.assign(np.r_[np.zeros(4), np.ones(4)][:, None])  # only the patch counts
    images = tf.constant(_images())
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = network(images, corner=tf.constant(corner))
    seen = np.abs(tape.gradient(logits, images)[0]).sum(-1) > 0
    patch = np.zeros((16, 16), bool)
    patch[corner[0] : corner[0] + 8, corner[1] : corner[1] + 8] = True
    np.testing.assert_array_equal(seen, patch)


def test_without_a_corner_the_patch_is_in_the_middle():
    network = GlobalLocalDiscriminator(**SMALL)
    images = _images(2)
    np.testing.assert_array_equal(network(images), network(images, corner=[4, 4]))
    assert not np.allclose(network(images), network(images, corner=[0, 0]), atol=1e-8)


def test_images_of_128_pixels_have_patches_of_64():
    network = GlobalLocalDiscriminator(image_size=128, widths=(2, 2, 2, 2), dense=3)
    assert network.patch.settings["image_size"] == 64
    assert network(np.zeros((1, 128, 128, 3), "float32")).shape == (1, 1)


def test_what_probes_read_is_of_the_whole():
    network = GlobalLocalDiscriminator(**SMALL)
    assert network.features(_images()).shape == (1, 4, 4, 3)
    assert network.layer_names == ["conv1", "conv2"]
    np.testing.assert_array_equal(
        network.features(_images()), network.layer_maps(_images(), ["conv2"])["conv2"]
    )


@pytest.mark.parametrize("changes", [{"widths": (2,)}, {"image_size": 18}, {"dense": 0}])
def test_sizes_that_do_not_fit_are_errors(changes):
    with pytest.raises(ValueError, match="widths|halved|outputs"):
        GlobalLocalDiscriminator(**{**SMALL, **changes})
