"""Two worker processes that find each other by TF_CONFIG learn what one learns alone."""

import json
import os
import random
import socket
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests import copies, tiny

PATIENCE = 900.0  # seconds; only hanging processes take so long

# As in test_strategy, the classifier is left out: its batch norm sees each worker's share.
# Each worker trains one step and then, as after a restart, one more; a process alone does both.
WORKER = """
import json, sys
from pathlib import Path

import numpy as np
import tensorflow as tf

tf.config.run_functions_eagerly(True)  # tracing costs far more than two steps

from lorbms_tf.training import checkpoints, loop, planning, strategies
from tests import tiny

pattern, folder, number = sys.argv[1], Path(sys.argv[2]), sys.argv[3]


def config(name, steps, **changes):
    return tiny.config(
        records=pattern, run_dir=str(folder / name), batch_size=4, max_steps=steps, sample_rows=2,
        log_every_steps=1, checkpoint_every_steps=1, lambda_cls=0.0, ema_decay=0.9, clip_norm=0.5,
        seed=3, **changes,
    )


def weights(run):
    named = checkpoints.model_variables(run.model)
    # Not the singular vectors: power iterations move them, and far.
    named = {k: v for k, v in named.items() if v.trainable or k.startswith("averaged")}
    for name in ("generator_optimizer", "discriminator_optimizer"):
        for i, v in enumerate(getattr(run.model, name).variables):
            if v.path.endswith(("momentum", "velocity")):
                named[f"{name} {i}"] = v.value
    return {k.replace("/", " "): v.numpy() for k, v in named.items()}


if number == "alone":
    run = loop.Run(planning.plan(config("alone", 2)))
    np.savez(folder / "start", **weights(run))
    run.train()
    np.savez(folder / "alone", **weights(run))
    sys.exit()
strategy = strategies.make(config("together", 1))
chief = strategies.is_chief(strategy)
first = loop.Run(planning.plan(config("together", 1), chief), strategy)
made = first.train()
second = loop.Run(planning.plan(config("together", 2), chief), strategy)
more = second.train()
np.savez(folder / f"together{number}", **weights(second))
print(json.dumps({
    "chief": chief,
    "replicas": strategy.num_replicas_in_sync,
    "steps": [made, second.first_step, more],
    "folder": str(second.folder),
}))
"""


def free_ports(count):
    """Ports below those that systems hand out, so that nobody gets one before it is used."""
    ports = []
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            if probe.connect_ex(("localhost", port)) != 0:
                ports.append(port)
        if len(ports) == count:
            return ports
    raise AssertionError("a hundred ports are taken")


def start(script, *arguments, workers=(), number="alone"):
    """A process that runs a Python script, as one of the workers, and the files of its output."""
    cluster = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": number}}
    files = tempfile.NamedTemporaryFile("r"), tempfile.NamedTemporaryFile("r")  # noqa: SIM115
    environment = {**os.environ, "TF_CONFIG": json.dumps(cluster) if workers else ""}
    return copies.Copy(["-c", script, *arguments, number], *files, env=environment), *files


def outputs(started):
    """What the processes print, (standard output, errors, exit code) each; none is left behind."""
    try:
        for process, *_ in started:
            process.wait(PATIENCE)
        return [(out.read(), errors.read(), process.returncode) for process, out, errors in started]
    finally:
        for process, *files in started:
            process.kill()
            for file in files:
                file.close()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    pattern = tiny.write_records(folder / "records", 8, draw=tiny.noise)
    workers = [f"localhost:{port}" for port in free_ports(2)]
    done = outputs([start(WORKER, pattern, folder, workers=workers, number=n) for n in (0, 1)])
    done += outputs([start(WORKER, pattern, folder)])
    for _, errors, code in done:
        assert code == 0, errors[-4000:]
    return folder, [json.loads(out.splitlines()[-1]) for out, _, _ in done[:2]]


def compared(path):
    """The saved variables besides the classifier's."""
    with np.load(path) as saved:
        return {k: v for k, v in saved.items() if not k.startswith("classifier")}


def length(*variables):
    """Of all the values together, or of the difference of two sets of them."""
    one, other = variables if len(variables) == 2 else (*variables, dict.fromkeys(*variables, 0))
    assert one.keys() == other.keys()
    return np.sqrt(sum(np.sum((one[name] - other[name]) ** 2.0) for name in one))


def kinds(variables):
    """What Adam remembers, and the weights with their averages."""
    moments = {k: v for k, v in variables.items() if "optimizer" in k}
    return moments, {k: v for k, v in variables.items() if k not in moments}


def test_two_workers_reach_the_weights_of_one(trained):
    folder, told = trained
    assert [worker["replicas"] for worker in told] == [2, 2]
    alone = compared(folder / "alone.npz")
    assert {name.split(" ")[0] for name in alone} == {
        "encoder",
        "decoder",
        "discriminator",
        "averaged_encoder",
        "averaged_decoder",
        "generator_optimizer",
        "discriminator_optimizer",
    }
    moments, weights = kinds(alone)
    way = length(kinds(compared(folder / "start.npz"))[1], weights)
    assert way > 1e-3 and len(moments) > 20
    for number in (0, 1):
        together = compared(folder / f"together{number}.npz")
        assert together.keys() == alone.keys()
        # Of the way together: where a gradient is all but nothing, rounding tells Adam the way.
        assert length(kinds(together)[1], weights) < 0.1 * way
        assert length(kinds(together)[0], moments) < 0.01 * length(moments)


def test_both_end_together_and_continue_from_the_same_checkpoint(trained):
    assert [worker["steps"] for worker in trained[1]] == [[1, 1, 1], [1, 1, 1]]


def test_only_the_chief_writes_the_run_directory(trained):
    folder, (first, second) = trained
    assert first["chief"] and not second["chief"]
    assert Path(first["folder"]) == folder / "together"
    assert not Path(second["folder"]).exists()  # temporary, and cleaned up
    assert tf.train.latest_checkpoint(str(folder / "together" / "checkpoints")).endswith("step-2")
    assert len(list((folder / "together" / "logs").glob("events*"))) == 2  # one a start


DISAGREE = """
import sys
import tensorflow as tf
from lorbms_tf.errors import UserError
from lorbms_tf.training import strategies
from tests import tiny

strategy = strategies.make(tiny.config(strategy="multi_worker"))
try:
    strategies.check_agreement(strategy, {"the colour": int(sys.argv[1]), "the size": 7})
except UserError as error:
    print(error)
"""


def test_workers_of_different_flags_stop_with_a_message():
    workers = [f"localhost:{port}" for port in free_ports(2)]
    done = outputs([start(DISAGREE, workers=workers, number=n) for n in (0, 1)])
    for out, errors, code in done:
        assert code == 0, errors[-4000:]
        assert "the workers differ in the colour: 0, 1; all need the same flags" in out
