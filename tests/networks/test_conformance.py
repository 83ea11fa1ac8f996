"""Every network through build, call, save, load, a parent model, mixed precision and SavedModel."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.networks import (
    AlexNet,
    Classifier,
    Decoder,
    DeepClusterAlexNet,
    Discriminator,
    Encoder,
)
from lorbms_tf.networks.broadcast import BroadcastDecoder
from lorbms_tf.networks.dcgan import DcganEncoder, DcganGenerator
from lorbms_tf.networks.deepsim_discriminator import DeepsimDiscriminator
from lorbms_tf.networks.global_local import GlobalLocalDiscriminator
from lorbms_tf.networks.infogan import InfoGanEncoder, InfoGanGenerator
from lorbms_tf.networks.inversion import InversionNetwork
from lorbms_tf.networks.srgan import SRResNet
from lorbms_tf.networks.strided_chunks import StridedChunkDecoder, StridedChunkEncoder
from lorbms_tf.networks.upconv import UpConv

CONVS = {"conv_widths": (4, 6, 8, 8, 6), "dense_widths": (5, 7)}
IMAGE = (32, 32, 3)
# name: constructor, its small settings, shapes of the inputs and of the output without the batch
NETWORKS = {
    "upconv": (
        UpConv,
        {"image_size": 32, "features": (6, 6, 5), "widths": (4, 4), "dense": 16, "head": 4},
        [(6, 6, 5)],
        IMAGE,
    ),
    "deepsim discriminator": (
        DeepsimDiscriminator,
        {"image_size": 32, "widths": (2, 3, 4, 4, 5), "dense": 6},
        [IMAGE],
        (2,),
    ),
    "strided chunk encoder": (
        StridedChunkEncoder,
        {"image_size": 16, "chunk_size": 6, "widths": (3, 4)},
        [(16, 16, 3)],
        (2, 2, 6),
    ),
    "strided chunk decoder": (
        StridedChunkDecoder,
        {"image_size": 16, "chunk_size": 6, "widths": (3, 4), "separate_blocks": 2},
        [(2, 2, 6)],
        (16, 16, 3),
    ),
    "encoder": (
        Encoder,
        {
            "image_size": 8,
            "chunk_size": 6,
            "stem_width": 4,
            "block_layers": (1, 2),
            "growth": 3,
        },
        [(8, 8, 3)],
        (2, 2, 6),
    ),
    "decoder": (
        Decoder,
        {
            "image_size": 8,
            "chunk_size": 6,
            "block_layers": (2, 1),
            "up_widths": (8, 6),
            "growth": 3,
        },
        [(2, 2, 6)],
        (8, 8, 3),
    ),
    "discriminator": (
        Discriminator,
        {"image_size": 32, "widths": (3, 4, 5, 6)},
        [IMAGE],
        (2, 2, 1),
    ),
    "varied discriminator": (
        Discriminator,
        {"image_size": 16, "widths": (3, 4), "coordinates": True, "attention": 2, "whole": True},
        [(16, 16, 3)],
        (1, 1, 1),
    ),
    "global-local": (
        GlobalLocalDiscriminator,
        {"image_size": 16, "widths": (3, 4), "dense": 5},
        [(16, 16, 3)],
        (1,),
    ),
    "varied decoder": (
        Decoder,
        {
            "image_size": 8,
            "chunk_size": 6,
            "block_layers": (2, 1),
            "up_widths": (8, 6),
            "growth": 3,
            "transposed": True,
            "attention": 1,
        },
        [(2, 2, 6)],
        (8, 8, 3),
    ),
    "broadcast decoder": (
        BroadcastDecoder,
        {"image_size": 8, "chunk_size": 6, "widths": (4, 5)},
        [(2, 2, 6)],
        (8, 8, 3),
    ),
    "alexnet": (AlexNet, {"image_size": 32, "channels": 3, "outputs": 9, **CONVS}, [IMAGE], (9,)),
    "deepcluster": (
        DeepClusterAlexNet,
        {"image_size": 64, "outputs": 9, **CONVS},
        [(64, 64, 3)],
        (9,),
    ),
    "srresnet": (SRResNet, {"blocks": 2, "width": 4}, [(5, 6, 3)], (20, 24, 3)),
    "classifier": (Classifier, {"image_size": 32, **CONVS}, [IMAGE, IMAGE], (4,)),
    "infogan encoder": (
        InfoGanEncoder,
        {"image_size": 12, "outputs": 5, "widths": (3, 4), "dense": 6},
        [(12, 12, 1)],
        (5,),
    ),
    "infogan generator": (
        InfoGanGenerator,
        {"image_size": 12, "code_size": 5, "widths": (4, 3), "dense": 6, "norm": "layer"},
        [(5,)],
        (12, 12, 1),
    ),
    "dcgan encoder": (
        DcganEncoder,
        {"image_size": 8, "outputs": 1, "widths": (3, 4), "norm": "none"},
        [(8, 8, 3)],
        (1,),
    ),
    "dcgan generator": (
        DcganGenerator,
        {"image_size": 8, "code_size": 5, "widths": (4, 3)},
        [(5,)],
        (8, 8, 3),
    ),
    "inversion": (
        InversionNetwork,
        {"image_size": 8, "outputs": 5, "widths": (3, 4)},
        [(8, 8, 3)],
        (5,),
    ),
}


class Parent(keras.Model):
    """A plain model around one network."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def call(self, *inputs):
        return self.network(*inputs)


@pytest.fixture(params=NETWORKS)
def case(request):
    return NETWORKS[request.param]


def _inputs(shapes, batch):
    rng = np.random.default_rng(batch)
    return [rng.uniform(-1, 1, (batch, *shape)).astype("float32") for shape in shapes]


def _assert_same_weights(first, second):
    assert len(first.weights) == len(second.weights) > 0
    for a, b in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_weights_exist_at_once_and_calls_add_none(case):
    make, settings, shapes, output = case
    network = make(**settings)
    count = len(network.weights)
    assert network.built and count > 0
    for batch in (1, 3):
        assert network(*_inputs(shapes, batch)).shape == (batch, *output)
    assert len(network.weights) == count


def test_weights_are_saved_and_loaded(case, tmp_path):
    make, settings, shapes, _ = case
    network, other = make(**settings), make(**settings, seed=1)
    inputs = _inputs(shapes, 2)
    assert not np.allclose(network(*inputs), other(*inputs), atol=1e-7)
    network.save_weights(tmp_path / "n.weights.h5")
    other.load_weights(tmp_path / "n.weights.h5")
    _assert_same_weights(network, other)
    np.testing.assert_array_equal(network(*inputs), other(*inputs))


def test_weights_are_saved_and_loaded_through_a_parent_model(case, tmp_path):
    make, settings, shapes, _ = case
    parent, other = Parent(make(**settings)), Parent(make(**settings, seed=1))
    for model in (parent, other):
        model(*_inputs(shapes, 1))
    parent.save_weights(tmp_path / "p.weights.h5")
    other.load_weights(tmp_path / "p.weights.h5")
    _assert_same_weights(parent, other)


def test_a_network_is_made_again_from_its_config(case):
    make, settings, _, _ = case
    network = make(**settings, seed=4)
    _assert_same_weights(network, make.from_config(network.get_config()))


def test_savedmodel_gives_the_same_for_any_batch(case, tmp_path):
    make, settings, shapes, _ = case
    network = make(**settings)
    signature = [keras.InputSpec(shape=(None, *shape), dtype="float32") for shape in shapes]
    network.export(tmp_path / "saved", input_signature=signature, verbose=False)
    served = tf.saved_model.load(tmp_path / "saved")  # holds the variables of its functions
    for batch in (1, 3):
        inputs = _inputs(shapes, batch)
        np.testing.assert_allclose(served.serve(*inputs), network(*inputs), atol=1e-5)


def test_outputs_are_float32_under_mixed_precision(case):
    make, settings, shapes, _ = case
    network, full = make(**settings, dtype="mixed_bfloat16"), make(**settings)
    inputs = _inputs(shapes, 2)
    outputs = network(*inputs)
    assert outputs.dtype == "float32"
    assert {w.dtype for w in network.weights} == {"float32"}
    np.testing.assert_allclose(outputs, full(*inputs), atol=0.1)


def test_gradients_reach_every_trainable_weight(case):
    make, settings, shapes, _ = case
    network = make(**settings)
    inputs = [tf.constant(value) for value in _inputs(shapes, 2)]

    @tf.function
    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(network(*inputs, training=True) - 0.3))
        return tape.gradient(loss, [v.value for v in network.trainable_variables])

    for gradient in gradients():
        assert gradient is not None and np.all(np.isfinite(gradient))
