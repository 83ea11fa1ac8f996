"""The benchmark of a training step: its fields, and PyTorch's networks against ours."""

import dataclasses
import json
import sys

import numpy as np
import pytest

from lorbms_tf.deepsim import speed
from lorbms_tf.deepsim.config import SpeedConfig
from lorbms_tf.deepsim.model import Deepsim
from tests import tiny

SQUEEZED = {"encoder": "squeezenet", "comparator": "squeezenet", "layer": "fire2"}


@pytest.fixture(autouse=True)
def eagerly():
    with tiny.eagerly():
        yield


def made(**changes):
    sizes = dataclasses.asdict(tiny.deepsim_config(**changes))
    config = SpeedConfig(**{**sizes, "batch_size": 2, "steps": 1})
    model = Deepsim(config, seed=1)
    model.compile_optimizers(1)
    return config, model


def test_it_tells_photos_a_second():
    config, model = made(adversarial_weight=0.0)
    found = speed.measure(config, model, config.steps)
    json.dumps(found, allow_nan=False)
    assert found["images_per_s"] > 0 and found["batch_size"] == 2 and found["device"]
    assert "times_pytorch" not in found and "torch" not in sys.modules


@pytest.mark.extras
def test_the_generator_and_the_discriminator_in_pytorch_are_ours():
    import torch

    from lorbms_tf.deepsim import torch_step

    weights = {"encoder_weights": "none", "comparator_weights": "none"}
    config, model = made(**SQUEEZED, **weights, comparator_layer=("fire3",))
    torch.manual_seed(0)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype("float32")
    features = np.asarray(model.encode(images))
    theirs = torch_step._Generator(model.generator)
    ours = [*model.generator.firsts, *(x for x in _in_turn(model.generator) if x)]
    for layer, keras_layer in zip(_in_torch(theirs), ours, strict=True):
        _set(layer, keras_layer)
    with torch.no_grad():
        drawn = theirs(torch.from_numpy(features.transpose(0, 3, 1, 2)).contiguous())
    expected = np.asarray(model.generator(features)).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(drawn.numpy(), expected, rtol=1e-3, atol=1e-3)
    assert torch_step._Discriminator(model.discriminator)(drawn).shape == (2, 2)
    step = torch_step.step(model, config, threads=1)
    losses = [float(step(images)) for _ in range(5)]
    assert np.isfinite(losses).all() and len(set(losses)) == 5


def _in_turn(generator):
    return [one for pair in zip(generator.ups, generator.convs, strict=True) for one in pair]


def _in_torch(generator):
    pairs = zip(generator.ups, generator.convs, strict=True)
    later = [one for pair in pairs for one in pair if hasattr(one, "weight")]
    return [*generator.firsts, *later]


def _set(layer, keras_layer):
    import torch

    kernel = np.asarray(keras_layer.kernel).transpose(3, 2, 0, 1)
    layer.weight.data = torch.from_numpy(np.ascontiguousarray(kernel))
    if layer.bias is not None:
        layer.bias.data = torch.from_numpy(np.asarray(keras_layer.bias))
