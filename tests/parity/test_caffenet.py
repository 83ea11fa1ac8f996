"""CaffeNet's normalisation and its convolutions in groups against PyTorch's numbers."""

import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lorbms_tf.features import array_files, torchvision_files
from lorbms_tf.networks.layers import GroupedConv2D
from lorbms_tf.networks.response_norm import response_normalised
from tests.parity import inputs

GOLDEN = json.loads((Path(__file__).parent / "golden_caffenet.json").read_text())


def expected(name, shape):
    return np.reshape(GOLDEN[name], shape)


def test_response_normalisation_and_its_gradient():
    maps = tf.constant(inputs.convolved_maps())
    with tf.GradientTape() as tape:
        tape.watch(maps)
        normalised = response_normalised(maps)
        squares = tf.reduce_sum(normalised**2)
    named = {"response_normalised": normalised, "its_gradient": tape.gradient(squares, maps)}
    assert np.abs(normalised - maps).max() > 100  # the numbers tell something
    for name, values in named.items():
        np.testing.assert_allclose(values, expected(name, maps.shape), rtol=2e-5, atol=1e-3)


def test_convolution_in_two_groups():
    maps, kernel, bias = inputs.grouped()
    layer = GroupedConv2D(8, 3, groups=2)
    layer.build(maps.shape)
    layer.set_weights([kernel, bias])
    wanted = expected("grouped_convolution", (2, 5, 4, 8))
    np.testing.assert_allclose(layer(maps), wanted, rtol=1e-4, atol=1e-4)
    plain = keras.ops.conv(maps, np.concatenate([kernel, kernel], axis=2), padding="same") + bias
    assert np.abs(plain - wanted).max() > 1  # one group would give other numbers


def test_a_dense_layer_behind_maps_reads_them_place_by_place():
    maps, kernel, bias = inputs.dense_behind_maps()
    state = {"classifier.1.weight": kernel, "classifier.1.bias": bias}
    arrays = torchvision_files.dense(state, ["fc6"])
    by_place = array_files.with_places_first(arrays, "fc6", maps.shape[-1])
    flat, wanted = maps.reshape(3, -1), expected("dense_behind_maps", (3, 7))
    np.testing.assert_allclose(flat @ by_place["fc6/kernel"] + bias, wanted, rtol=1e-4, atol=1e-4)
    assert np.abs(flat @ arrays["fc6/kernel"] + bias - wanted).max() > 1  # channel by channel
