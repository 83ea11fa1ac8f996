"""What PyPI's lpips says of `inputs`, as JSON: `make parity` runs it (oracles_torch.txt).

python make_golden_lpips.py OUT.json

Its networks get the random weights of `inputs`: what is compared is the arithmetic.
"""

import importlib.metadata
import json
import sys

import inputs
import torch

# torchvision's own operators take no part here. Where they do not fit this torch (a CPU build of
# one of the two), their declaration will do.
for operator in ("nms", "qnms"):
    torch.library.define(
        f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
    )

import lpips  # noqa: E402


def model(network):
    """The package's LPIPS with the weights and heads of `inputs`."""
    made = lpips.LPIPS(net=network, pretrained=False, pnet_rand=True, eval_mode=True, verbose=False)
    state = {name: torch.from_numpy(value) for name, value in inputs.state_dict(network).items()}
    # Its slices keep the names of the layers, after that of the slice.
    own = made.net.state_dict()
    for name in own:
        own[name] = state[f"features.{name.partition('.')[2]}"]
    made.net.load_state_dict(own)
    for layer, head in zip(made.lins, inputs.heads(network), strict=True):
        layer.model[-1].weight.data = torch.from_numpy(head)[None, :, None, None]
    return made


def numbers():
    pairs = [torch.from_numpy(p).permute(0, 3, 1, 2) for p in inputs.pictures()]
    found = {}
    with torch.no_grad():
        for network in inputs.CONVS:
            total, layers = model(network)(*pairs, retPerLayer=True)
            found[network] = {
                "distance": total.flatten().tolist(),
                "layers": [layer.flatten().tolist() for layer in layers],
            }
    found["versions"] = {
        "torch": torch.__version__,
        "lpips": importlib.metadata.version("lpips"),
    }
    return found


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(numbers(), file, sort_keys=True)
        file.write("\n")
