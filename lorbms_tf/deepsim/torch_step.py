"""A training step of DeePSiM as one writes it in PyTorch: what ours is measured beside.

Encoder and comparator are SqueezeNet; all networks have the sizes of ours, and random weights.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from lorbms_tf.deepsim.config import DeepsimConfig
from lorbms_tf.deepsim.objective import PIXEL
from lorbms_tf.gan.losses import FAKE, REAL
from lorbms_tf.networks.deepsim_discriminator import DROPOUT
from lorbms_tf.networks.squeezenet import LAYOUTS
from lorbms_tf.networks.upconv import SLOPE


def step(model: Any, config: DeepsimConfig, threads: int) -> Callable[[np.ndarray], Any]:
    """Images [B, S, S, 3] in [-1, 1] -> the loss of a step of both networks, which it makes.

    model: a `Deepsim`, whose sizes are taken. Raises ValueError where its encoder or comparator is
      another network than SqueezeNet, or there is no adversary.
    """
    if {config.encoder, config.comparator} != {"squeezenet"} or not config.has_adversary:
        raise ValueError("the step in PyTorch has SqueezeNets and an adversary")
    torch.set_num_threads(threads)
    encoder = _SqueezeNet(model.encoder_network, [config.layer])
    comparator = _SqueezeNet(model.encoder_network, config.comparator_layer)
    generator, discriminator = _Generator(model.generator), _Discriminator(model.discriminator)
    rates = {"lr": config.learning_rate, "betas": (config.adam_beta_1, config.adam_beta_2)}
    adams = [torch.optim.Adam(one.parameters(), **rates) for one in (generator, discriminator)]

    def compute(pictures: np.ndarray) -> Any:
        images = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
        with torch.no_grad():
            features = config.feature_scale * encoder(images)[0]
            wanted = comparator(images)
        made = generator(features)
        discriminator.requires_grad_(False)
        loss = config.image_weight * PIXEL**2 * _half_squares(made, images)
        for maps, others in zip(comparator(made), wanted, strict=True):
            loss = loss + config.feature_weight * _half_squares(maps, others)
        loss = loss + config.adversarial_weight * _judged(discriminator(made), REAL)
        discriminator.requires_grad_(True)
        _update(adams[0], loss)
        judged = _judged(discriminator(images), REAL)
        _update(adams[1], judged + _judged(discriminator(made.detach()), FAKE))
        return loss.detach()

    return compute


class _SqueezeNet(nn.Module):
    def __init__(self, network: Any, names: Sequence[str]):
        super().__init__()
        self._names, self._pooled = list(names), LAYOUTS[network.settings["version"]].pooled
        self.stem = _like(network.conv1)
        self.fires = nn.ModuleList(
            nn.ModuleList(map(_like, (fire.squeeze1x1, fire.expand1x1, fire.expand3x3)))
            for fire in network.fires
        )
        self.requires_grad_(False)

    def forward(self, images: torch.Tensor) -> list:
        found, maps = {}, torch.relu(self.stem(images * PIXEL))
        for number in range(1, 2 + len(self.fires)):
            name = f"fire{number}" if number > 1 else "conv1"
            if number > 1:
                squeeze, one, three = self.fires[number - 2]
                squeezed = torch.relu(squeeze(maps))
                maps = torch.relu(torch.cat([one(squeezed), three(squeezed)], dim=1))
            found[name] = maps
            if len(found.keys() & set(self._names)) == len(self._names):
                break
            if name in self._pooled:
                maps = functional.max_pool2d(maps, 3, 2, ceil_mode=True)
        return [found[name] for name in self._names]


class _Generator(nn.Module):
    def __init__(self, network: Any):
        super().__init__()
        self._start, self._size = network.start, network.settings["image_size"]
        self.firsts = nn.ModuleList(map(_like, network.firsts))
        self.ups = nn.ModuleList(map(_like, network.ups))
        self.convs = nn.ModuleList(_like(one) if one else nn.Identity() for one in network.convs)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        for first in self.firsts:
            maps = functional.leaky_relu(first(maps), SLOPE)
        if maps.dim() == 2:
            maps = maps.reshape(len(maps), -1, self._start, self._start)
        elif maps.shape[-1] != self._start:
            maps = functional.interpolate(maps, (self._start,) * 2, mode="bilinear")
        for up, conv in zip(self.ups[:-1], self.convs[:-1], strict=True):
            maps = functional.leaky_relu(up(maps), SLOPE)
            if not isinstance(conv, nn.Identity):
                maps = functional.leaky_relu(conv(maps), SLOPE)
        images = self.ups[-1](maps)
        edge = (images.shape[-1] - self._size) // 2
        return images[..., edge : edge + self._size, edge : edge + self._size]


class _Discriminator(nn.Module):
    def __init__(self, network: Any):
        super().__init__()
        self.convs = nn.ModuleList(map(_like, network.convs))
        self.hidden, self.head = _like(network.hidden), _like(network.head)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        for conv in self.convs:
            maps = torch.relu(conv(maps))
        pooled = functional.dropout(maps.mean((2, 3)), DROPOUT)
        return self.head(functional.dropout(torch.relu(self.hidden(pooled)), DROPOUT))


def _like(layer: Any) -> nn.Module:
    """A layer of PyTorch of a Keras layer's sizes."""
    kernel = tuple(layer.kernel.shape)
    if isinstance(layer, keras.layers.Dense):
        return nn.Linear(*kernel)
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return nn.ConvTranspose2d(kernel[3], kernel[2], 4, 2, padding=1, bias=False)
    padding = kernel[0] // 2 if layer.padding == "same" else 0
    strides = layer.strides[0]
    return nn.Conv2d(kernel[2], kernel[3], kernel[0], strides, padding, bias=layer.use_bias)


def _half_squares(values: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    return 0.5 * ((values - others) ** 2).sum() / len(values)


def _judged(logits: torch.Tensor, kind: int) -> torch.Tensor:
    return functional.cross_entropy(logits, torch.full((len(logits),), kind))


def _update(adam: torch.optim.Adam, loss: torch.Tensor) -> None:
    adam.zero_grad()
    loss.backward()
    adam.step()
