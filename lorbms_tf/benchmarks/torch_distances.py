"""VGG-16's distance and patch MMD as one writes them in PyTorch: what ours are measured beside."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch.nn import functional

from lorbms_tf.distances import deep
from lorbms_tf.distances.distance_config import TAPS, DistanceConfig
from lorbms_tf.networks.vgg import WIDTHS, layer_names


def forms(names: Sequence[str], config: DistanceConfig, threads: int) -> dict[str, Callable]:
    """Those of some distances that are written here: (images, others, draw) -> None.

    Each computes the distance of a batch of NumPy pictures [B, H, W, 3] and its gradient.
    """
    torch.set_num_threads(threads)
    found = {}
    for name in names:
        if name == "mmd":
            found[name] = _gradient(_mmd(config))
        elif name == "vgg16":
            found[name] = _gradient(_vgg(deep.PAPER_LAYERS))
        elif name.startswith(f"{TAPS}vgg16:"):
            found[name] = _gradient(_vgg(name.rpartition(":")[2].split("+")))
    return found


def _gradient(distance: Callable) -> Callable:
    def compute(images: np.ndarray, others: np.ndarray, draw: int) -> tuple:
        # As models in PyTorch hold their pictures: channels first.
        first, second = (
            torch.from_numpy(np.ascontiguousarray(p.transpose(0, 3, 1, 2)))
            for p in (images, others)
        )
        first.requires_grad_()
        distance(first, second).sum().backward()
        return first.grad

    return compute


def _mmd(config: DistanceConfig) -> Callable:
    patch, count = config.mmd_patch, config.mmd_features

    def distance(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        kernel = torch.randn(count, 3, patch, patch) / config.mmd_sigma
        phases = 2 * math.pi * torch.rand(count)

        def of(pictures: torch.Tensor) -> torch.Tensor:
            bordered = functional.pad(pictures, [patch // 2] * 4, mode="reflect")
            maps = torch.cos(functional.conv2d(bordered, kernel, phases)) * (2 / count) ** 0.5
            return functional.avg_pool2d(maps, config.mmd_window, config.mmd_stride)

        return ((of(first) - of(second)) ** 2).sum(1).mean((1, 2))

    return distance


def _vgg(layers: Sequence[str]) -> Callable:
    names, inputs, weights = layer_names(16), 3, {}
    last = max(map(names.index, layers))
    for name in names[: last + 1]:
        width = WIDTHS[int(name[4]) - 1]
        deviation = (2 / (9 * inputs)) ** 0.5
        weights[name] = (deviation * torch.randn(width, inputs, 3, 3), torch.zeros(width))
        inputs = width
    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)

    def distance(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        maps, total = (torch.cat([first, second]) / 2 + 0.5 - mean) / deviation, 0.0
        for name, (kernel, bias) in weights.items():
            if name.endswith("_1") and name != "conv1_1":
                maps = functional.max_pool2d(maps, 2)
            maps = functional.relu(functional.conv2d(maps, kernel, bias, padding=1))
            if name in layers:
                one, two = functional.normalize(maps, dim=1, eps=1e-10).chunk(2)
                total = total + ((one - two) ** 2).sum(1).mean((1, 2))
        return total

    return distance
