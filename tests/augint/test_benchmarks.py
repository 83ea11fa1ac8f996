"""The speed of a step: fields of the JSON line, never a time; PyTorch's step learns the same."""

import dataclasses
import json

import numpy as np
import pytest

from lorbms_tf.augint import objective
from lorbms_tf.augint.benchmarks.settings import BENCHMARKS, BenchmarkConfig
from lorbms_tf.augint.benchmarks.train_step import is_written_in_pytorch
from lorbms_tf.augint.method import METHOD
from lorbms_tf.augint.model import Autoencoder
from lorbms_tf.data import augmentation, augmented_views
from lorbms_tf.errors import UserError
from tests import tiny


def config(**changes):
    sizes = dataclasses.asdict(tiny.augint_config(adversarial=False))
    return BenchmarkConfig(**{**sizes, "steps": 1, "batch_size": 2, **changes})


def test_the_json_line():
    asked = config(adversarial=True)
    with tiny.eagerly():
        made = BENCHMARKS["train_step"].measure(asked, lambda: METHOD.model(asked, 1))
    json.dumps(made, allow_nan=False)
    assert made["images_per_s"] > 0 and made["threads"] > 0 and made["parameters"] > 100
    assert made["image_size"] == tiny.PHOTO_SIZE and made["batch_size"] == 2
    assert "times_pytorch" not in made  # whose adversary is not written
    with pytest.raises(UserError, match="--steps=0"):
        config(steps=0).validate()


@pytest.mark.parametrize(
    "changes, written",
    [
        ({}, True),
        ({"objective": "ae"}, True),
        ({"objective": "intae"}, False),
        ({"objective": "vae"}, False),
        ({"norm": "layer"}, False),
        ({"precision": "mixed_bfloat16"}, False),
    ],
)
def test_which_steps_are_measured_beside_pytorch(changes, written):
    assert is_written_in_pytorch(config(**changes)) == written


def first(images):
    """Channels first."""
    return np.ascontiguousarray(np.moveaxis(np.asarray(images), -1, 1))


@pytest.mark.extras
@pytest.mark.parametrize(
    "kind, fill", [("characters", "constant"), ("natural", "reflect"), ("natural", "nearest")]
)
def test_pytorch_augments_alike(kind, fill):
    torch = pytest.importorskip("torch")
    from lorbms_tf.augint.benchmarks import torch_step

    random, ranges = np.random.default_rng(0), objective.RANGES[kind]
    images = random.uniform(-1, 1, (4, 16, 16, 3)).astype(np.float32)
    rho = random.uniform(-1, 1, (4, 9)) * ranges.widths
    rho[:, 8] = 0  # hues are turned about another axis
    rho = rho.astype(np.float32)
    ours = augmentation.augment(images, rho, ranges, fill)
    theirs = torch_step.augmented(
        torch.from_numpy(first(images)), torch.from_numpy(rho), ranges, fill
    )
    np.testing.assert_allclose(theirs.numpy(), first(ours), atol=1e-4)


def copy(layers, theirs, side: int, flat: int) -> None:
    """Kernels of our convolutions and dense layers into PyTorch's of the same network.

    flat: the axis of maps [side, side, C] laid flat in the kernel of the dense layer beside them.
    """
    import torch

    modules = [module for module in theirs if isinstance(module, torch.nn.modules.conv._ConvNd)]
    dense = [module for module in theirs if isinstance(module, torch.nn.Linear)]
    beside = dense[0] if flat == 0 else dense[-1]
    for layer in layers:
        kernel = layer.kernel.numpy()
        module = (modules if kernel.ndim == 4 else dense).pop(0)
        if module is beside:
            shape = list(kernel.shape)
            shape[flat : flat + 1] = [side, side, -1]
            kernel = np.moveaxis(kernel.reshape(shape), flat + 2, flat).reshape(kernel.shape)
        kernel = kernel.transpose(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(np.ascontiguousarray(kernel)))
            module.bias.zero_()
    assert not modules and not dense


@pytest.mark.extras
@pytest.mark.parametrize("changes", [{}, {"objective": "ae"}, {"network": "dcgan"}])
def test_pytorch_has_the_same_loss(changes):
    torch = pytest.importorskip("torch")
    from lorbms_tf.augint.benchmarks import torch_step

    asked = config(**changes)
    model = Autoencoder(asked)
    encode, decode = torch_step.encoder(asked), torch_step.decoder(asked)
    ours = model.encoder
    copy([*ours.convs, *ours.hidden, ours.head], encode, side=3, flat=0)
    copy([*model.decoder.hidden, *model.decoder.ups], decode, side=3, flat=1)
    random = np.random.default_rng(1)
    images = random.uniform(-1, 1, (6, 12, 12, 1)).astype(np.float32)
    uniforms = random.uniform(size=(6, augmented_views.DRAWS)).astype(np.float32)
    seen = augmented_views.views(images, uniforms, objective.RANGES[asked.augmentation], asked.fill)
    made = objective.forward(asked)(model.encoder, model.decoder, seen)
    rho = np.stack([2 * uniforms[:, :9] - 1, 2 * uniforms[:, 9:18] - 1])
    theirs = torch_step.loss(
        asked, encode, decode, torch.from_numpy(first(images)), torch.from_numpy(rho),
        torch.from_numpy(uniforms[:, 18:].mean(1)),
    )  # fmt: skip
    expected = np.mean(objective.distances(seen.target, made))
    np.testing.assert_allclose(float(theirs.detach()), expected, rtol=1e-3)
    step = torch_step.step(asked, images, threads=1)
    losses = [float(step()) for _ in range(30)]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
