"""LPIPS against PyPI's lpips (golden_lpips.json, made by `make parity`).

The weights come through files in torchvision's layout, so their readers are tested too.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from lorbms_tf.distances import deep
from lorbms_tf.distances.distance_config import DistanceConfig
from lorbms_tf.features import named_distances, taps
from tests.parity import inputs

GOLDEN = json.loads((Path(__file__).parent / "golden_lpips.json").read_text())
NETWORKS = {"vgg": "vgg16", "squeeze": "squeezenet", "alex": "alexnet"}


@pytest.mark.parametrize("network", NETWORKS)
def test_lpips_is_that_of_the_package(network, tmp_path):
    weights, heads = str(tmp_path / "network.npz"), str(tmp_path / "heads.npz")
    np.savez(weights, **inputs.state_dict(network))
    learned = inputs.heads(network)
    np.savez(heads, **{f"{network}/lin{i}": head for i, head in enumerate(learned)})
    settings = {f"{NETWORKS[network]}_weights": weights, "lpips_heads": heads}
    distance = named_distances.make(f"lpips_{network}", DistanceConfig(**settings))
    pictures = inputs.pictures()
    np.testing.assert_allclose(
        distance(*pictures), GOLDEN[network]["distance"], rtol=1e-5, atol=1e-6
    )
    layers = deep.LPIPS_LAYERS[network]
    tapped = taps.make(NETWORKS[network], layers, weights)
    by_layer = dict(zip(layers, learned, strict=True))
    parts = deep.lpips(tapped, by_layer).parts(*pictures)
    found = [np.asarray(parts[layer]) for layer in layers]
    np.testing.assert_allclose(found, GOLDEN[network]["layers"], rtol=1e-5, atol=1e-6)
