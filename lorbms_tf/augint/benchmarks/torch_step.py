"""AugIntAE's training step as one writes it in PyTorch: what ours is measured beside."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from lorbms_tf.augint import objective
from lorbms_tf.augint.config import AugintConfig
from lorbms_tf.data.augmentation import Ranges
from lorbms_tf.networks import infogan

_LEAK = {"infogan": infogan.LEAK, "dcgan": 0.2}
_PADDING = {"constant": "zeros", "nearest": "border", "reflect": "reflection"}
_LUMA = (0.299, 0.587, 0.114)
_YIQ = ((0.299, 0.587, 0.114), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))


def step(config: AugintConfig, images: np.ndarray, threads: int) -> Callable[[], np.ndarray]:
    """A function that takes one step of Adam on images [B, S, S, C] and returns its loss.

    config: of objective augint or ae, without an adversary, with batch norms.
    """
    torch.set_num_threads(threads)
    networks = encoder(config), decoder(config)
    variables = [variable for network in networks for variable in network.parameters()]
    optimizer = torch.optim.Adam(variables, lr=config.learning_rate)
    # As models in PyTorch hold their pictures: channels first.
    given = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))

    def take() -> np.ndarray:
        rho = 2 * torch.rand(2, len(given), 9) - 1
        alpha = torch.rand(len(given), 2).mean(1)
        optimizer.zero_grad()
        value = loss(config, *networks, given, rho, alpha)
        value.backward()
        optimizer.step()
        return value.detach().numpy()

    return take


def loss(config: AugintConfig, encode, decode, images, rho, alpha) -> torch.Tensor:
    """The mean absolute difference that a step lowers.

    Args:
      config: says which.
      encode: images [B, C, S, S] -> [B, D].
      decode: the way back.
      images: in [-1, 1].
      rho: of both ends, [2, B, 9], each from -1 to 1 times its range.
      alpha: [B].
    """
    ranges = objective.RANGES[config.augmentation]
    rho = rho * torch.tensor(ranges.widths)
    share = alpha[:, None]
    target = augmented(images, (1 - share) * rho[0] + share * rho[1], ranges, config.fill)
    if config.objective == "ae":
        codes = functional.normalize(encode(target))
    else:
        views = torch.cat([augmented(images, end, ranges, config.fill) for end in rho])
        start, end = functional.normalize(encode(views)).chunk(2)
        angle = torch.acos((start * end).sum(1, keepdim=True).clamp(-1 + 1e-6, 1 - 1e-6))
        codes = torch.sin((1 - share) * angle) * start + torch.sin(share * angle) * end
        codes = functional.normalize(codes)
    return (decode(codes) - target).abs().mean()


def augmented(images, rho, ranges: Ranges, fill: str) -> torch.Tensor:
    """Images [B, C, S, S] turned and coloured by rho [B, 9] (`lorbms_tf.data.augmentation`)."""
    angle, lean = torch.deg2rad(rho[:, 0]), torch.tan(torch.deg2rad(rho[:, 4]))
    cos, sin = torch.cos(angle), torch.sin(angle)
    rows = torch.stack([cos + lean * sin, lean * cos - sin, sin, cos], 1).reshape(-1, 2, 2)
    matrix = rows / (1 + rho[:, 3])[:, None, None]
    shift = -matrix @ rho[:, 1:3, None] * (2 / images.shape[-1])
    grid = functional.affine_grid(torch.cat([matrix, shift], 2), images.shape, align_corners=False)
    warped = functional.grid_sample(
        images + 1, grid, padding_mode=_PADDING[fill], align_corners=False
    )
    return _recoloured(warped - 1, rho[:, 5:]) if ranges.has_colours else warped - 1


def _recoloured(images, rho) -> torch.Tensor:
    brightness, contrast, saturation, hue = (c[:, None, None, None] for c in rho.unbind(1))
    images = (images + 1) * (1 + brightness)
    luma = torch.tensor(_LUMA)[None, :, None, None]
    mean = (images * luma).sum(1, keepdim=True).mean((2, 3), keepdim=True)
    images = mean + (1 + contrast) * (images - mean)
    grey = (images * luma).sum(1, keepdim=True)
    images = grey + (1 + saturation) * (images - grey)
    to_yiq, angle = torch.tensor(_YIQ), 2 * torch.pi * hue[:, 0, 0, 0]
    turn = torch.eye(3).repeat(len(angle), 1, 1)
    turn[:, 1, 1] = turn[:, 2, 2] = torch.cos(angle)
    turn[:, 2, 1] = torch.sin(angle)
    turn[:, 1, 2] = -turn[:, 2, 1]
    matrix = torch.linalg.inv(to_yiq) @ turn @ to_yiq
    return (torch.einsum("bij,bjhw->bihw", matrix, images) - 1).clamp(-1, 1)


def encoder(config: AugintConfig) -> nn.Sequential:
    """Images [B, C, S, S] to codes [B, D], as `lorbms_tf.networks.strided` says."""
    leak, layers, width = _LEAK[config.network], [], config.channels
    for number, maps in enumerate(config.widths):
        layers.append(nn.Conv2d(width, maps, 4, 2, 1))
        layers += [nn.BatchNorm2d(maps)] * (number > 0) + [nn.LeakyReLU(leak)]
        width = maps
    layers.append(nn.Flatten())
    width *= (config.image_size // 2 ** len(config.widths)) ** 2
    if config.network == "infogan":
        layers += [nn.Linear(width, config.dense), nn.BatchNorm1d(config.dense)]
        layers.append(nn.LeakyReLU(leak))
        width = config.dense
    return nn.Sequential(*layers, nn.Linear(width, config.code_size))


def decoder(config: AugintConfig) -> nn.Sequential:
    """Codes [B, D] to images [B, C, S, S]."""
    layers, width, widths = [], config.code_size, config.widths[::-1]
    side = config.image_size // 2 ** len(widths)
    if config.network == "infogan":
        layers = [nn.Linear(width, config.dense), nn.BatchNorm1d(config.dense), nn.ReLU()]
        width = config.dense
    layers += [nn.Linear(width, widths[0] * side**2), nn.Unflatten(1, (widths[0], side, side))]
    for maps, following in zip(widths, (*widths[1:], config.channels), strict=True):
        layers += [nn.BatchNorm2d(maps), nn.ReLU(), nn.ConvTranspose2d(maps, following, 4, 2, 1)]
    return nn.Sequential(*layers, nn.Tanh())
