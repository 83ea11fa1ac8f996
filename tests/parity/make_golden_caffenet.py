"""What PyTorch says of CaffeNet's layers on `inputs`, as JSON: `make parity` runs it.

python make_golden_caffenet.py OUT.json
"""

import json
import sys

import inputs
import torch


def moved(array):
    """Maps [B, H, W, C] as PyTorch has them, [B, C, H, W]."""
    return torch.from_numpy(array).permute(0, 3, 1, 2)


def numbers():
    norm = torch.nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)
    maps, kernel, bias = inputs.grouped()
    kernel = torch.from_numpy(kernel).permute(3, 2, 0, 1)  # [filters, C / groups, k, k]
    large = moved(inputs.convolved_maps()).requires_grad_()
    normalised = norm(large)
    (normalised**2).sum().backward()
    convolved = torch.nn.functional.conv2d(
        moved(maps), kernel, torch.from_numpy(bias), padding=1, groups=2
    )
    behind, *dense = inputs.dense_behind_maps()
    flat = moved(behind).flatten(start_dim=1)  # channel by channel
    found = {
        "response_normalised": normalised.detach().permute(0, 2, 3, 1),
        "its_gradient": large.grad.permute(0, 2, 3, 1),
        "grouped_convolution": convolved.permute(0, 2, 3, 1),
        "dense_behind_maps": torch.nn.functional.linear(flat, *map(torch.from_numpy, dense)),
    }
    found = {
        name: [float(f"{value:.7g}") for value in values.flatten().tolist()]
        for name, values in found.items()
    }
    return {**found, "versions": {"torch": torch.__version__}}


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(numbers(), file, sort_keys=True)
        file.write("\n")
