"""Two devices under a MirroredStrategy learn what one device learns from the same global batch.

Of every method (see `tests/test_methods.py`).
"""

import json

import pytest

from lorbms_tf import methods
from tests import copies
from tests.method_examples import EXAMPLES

# In a process of its own: logical devices must be set before TensorFlow is first used.
#
# The weights alone would hide a gradient that is summed over devices instead of averaged, since
# Adam's updates do not depend on its scale; its first moments, also compared, do.
#
# Networks with batch norm, such as the thesis's classifier, are left out, and without weight in the
# others' losses: they see each device's share of the batch, so their gradients differ from one's.
COMPARE = """
import json, sys
from pathlib import Path

import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_visible_devices([], "GPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
tf.config.run_functions_eagerly(True)  # tracing costs far more than two steps

from lorbms_tf.training import checkpoints, loop, planning
from tests.method_examples import EXAMPLES

example, folder = EXAMPLES[sys.argv[1]], Path(sys.argv[2])
data = example.write_data(folder / "data")


def trained(name, strategy):
    config = example.config(
        **data, run_dir=str(folder / name), batch_size=4, max_steps=2, sample_rows=2,
        log_every_steps=1, seed=3, **example.by_device,
    )
    run = loop.Run(planning.plan(config), strategy)
    # Not the singular vectors: power iterations move them, and far.
    named = {k: v for k, v in checkpoints.model_variables(run.model).items() if v.trainable}
    start = {k: v.numpy() for k, v in named.items()}
    run.train()
    weights = {k: v.numpy() for k, v in named.items()}
    moments = {
        f"{name}/{v.path}": v.value.numpy()
        for name, optimizer in run.model.optimizers_by_name.items()
        for v in optimizer.variables
        if name not in example.apart and v.path.endswith("momentum")
    }
    logged = {}
    for path in (run.folder / "logs").glob("events*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                counts = value.tag.startswith(("loss/", "psnr/", "mix/", "balance/"))
                if counts and not any(name in value.tag for name in example.apart):
                    logged[f"{value.tag} at {event.step}"] = tf.make_ndarray(value.tensor)
    return start, weights, moments, logged


def compared(weights):
    return {k: v for k, v in weights.items() if k.split("/")[0] not in example.apart}


def farthest(first, second):
    assert first.keys() == second.keys()
    return max(float(np.abs(first[k] - second[k]).max()) for k in first)


def length(first, second):  # of the difference of all weights together
    return float(np.sqrt(sum(np.sum((first[k] - second[k]) ** 2.0) for k in first)))


devices = [device.name for device in tf.config.list_logical_devices("CPU")]
strategy = tf.distribute.MirroredStrategy(devices)
start, one, one_moments, one_logged = trained("one", None)
same_start, two, two_moments, two_logged = trained("two", strategy)
relative = [
    float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-3))
    for a, b in zip(two_moments.values(), one_moments.values(), strict=True)
]
print(json.dumps({
    "replicas": strategy.num_replicas_in_sync,
    "networks": sorted({k.split("/")[0] for k in compared(one)}),
    "start": farthest(start, same_start),
    "moved": length(compared(start), compared(one)),
    "weights": length(compared(one), compared(two)),
    "moments": max(relative),
    "number of moments": len(relative),
    "logged": farthest(one_logged, two_logged),
    "names logged": sorted(one_logged),
}))
"""


@pytest.fixture(scope="module", params=methods.names())
def result(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("strategy")
    done = copies.run(["-c", COMPARE, request.param, folder])
    assert done.returncode == 0, done.stderr[-4000:]
    return {"method": request.param, **json.loads(done.stdout.splitlines()[-1])}


def test_the_comparison_means_something(result):
    assert result["replicas"] == 2
    assert result["networks"] and not set(result["networks"]) & set(
        EXAMPLES[result["method"]].apart
    )
    assert result["start"] == 0.0 and result["moved"] > 1e-3
    assert result["number of moments"] > 10


def test_two_devices_reach_the_weights_of_one(result):
    # Of the way together: where a gradient is all but nothing, rounding alone tells Adam the way.
    assert result["weights"] < 0.1 * result["moved"]


def test_gradients_are_averaged_over_the_global_batch(result):
    assert result["moments"] < 1e-3


def test_reported_losses_are_those_of_the_global_batch(result):
    steps = {name.rpartition(" ")[2] for name in result["names logged"]}
    assert steps == {"1", "2"}
    assert any(name.startswith("loss/") for name in result["names logged"])
    assert result["logged"] < 1e-4
