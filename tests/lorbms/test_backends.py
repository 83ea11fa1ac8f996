"""The thesis's networks, mixing and losses on other Keras backends, against TensorFlow's numbers.

Training, data and export are TensorFlow's; what is written in keras.ops alone is not.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-4  # float32 through some forty layers, in another order of sums
# Weights are set from one generator: each backend draws its own initial ones.
SCRIPT = """
import sys
import numpy as np
from keras import ops, tree
from lorbms_tf.lorbms import building, mixing, objective
from lorbms_tf.lorbms.config import LorbmsConfig
from lorbms_tf.networks.spectral_norm import advance_spectral_norms

config = LorbmsConfig(
    image_size=32, chunk_size=4, encoder_stem=4, encoder_layers=(1, 2, 1, 1), encoder_growth=2,
    decoder_layers=(1, 1, 2, 1), decoder_widths=(4, 6, 4, 4), decoder_growth=2,
    discriminator_widths=(2, 4), classifier_widths=(2, 4, 4, 4, 2), classifier_dense=(4, 4),
    records="x", run_dir="x",
)
networks = building.build_networks(config)
rng = np.random.default_rng(0)
for network in networks:
    network.set_weights([rng.normal(0, 0.4, weight.shape) for weight in network.get_weights()])
    for variable in network.weights:
        if "variance" in variable.path:
            variable.assign(ops.ones(variable.shape))
    advance_spectral_norms(network)
images = rng.uniform(-1, 1, (2, 5, 32, 32, 3)).astype("float32")
reference, candidates = ops.convert_to_tensor(images[:, 0]), ops.convert_to_tensor(images[:, 1:])
mask = mixing.replacement_mask(ops.convert_to_tensor([[1.0, 9, 1, 9], [9, 9, 1, 9]]), 2.0)
out = {}
for dynamic in (False, True):
    scene = objective.forward(networks, reference, candidates, mask, dynamic)
    for name in ("reconstruction", "mix", "cycle"):
        out[f"{name}{dynamic}"] = getattr(scene, name)
for name, value in objective.generator_loss(networks, scene, config)._asdict().items():
    if value is not None:  # a term that this configuration does not have
        out[name] = value
for name in ("discriminator", "classifier"):
    losses = getattr(objective, f"{name}_loss")
    values = losses(networks, scene, *([config] if name == "classifier" else []))
    out.update({f"{name}{i}": value for i, value in enumerate(tree.flatten(values))})
np.savez(sys.argv[1], **{name: ops.convert_to_numpy(value) for name, value in out.items()})
assert "tensorflow" in sys.modules or sys.argv[2] != "tensorflow"
"""


def values(backend: str, folder: Path) -> dict[str, np.ndarray]:
    """What the script computes on a backend, in a process of its own."""
    out = folder / f"{backend}.npz"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(out), backend],
        cwd=ROOT, capture_output=True, text=True, timeout=600,
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with np.load(out) as arrays:
        return dict(arrays)


@pytest.mark.extras
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_another_backend_computes_what_tensorflow_does(backend, tmp_path):
    expected, seen = values("tensorflow", tmp_path), values(backend, tmp_path)
    assert expected.keys() == seen.keys() and len(expected) > 10
    for name, array in expected.items():
        assert np.isfinite(array).all() and np.any(array)
        np.testing.assert_allclose(seen[name], array, rtol=TOLERANCE, atol=TOLERANCE, err_msg=name)
