"""What TF_CONFIG and the flags ask for; what several processes make of it is in test_workers."""

import json
from pathlib import Path

import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.training import strategies
from tests import copies, tiny

ROOT = Path(__file__).resolve().parents[2]
WORKERS = ["a:1", "b:2", "c:3"]


def text(cluster, kind="worker", index=0):
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


def test_workers_are_numbered_in_order():
    assert strategies.read_cluster(text({"worker": WORKERS}, index=2)) == (tuple(WORKERS), 2)
    chief = {"chief": ["z:9"], "worker": WORKERS}
    assert strategies.read_cluster(text(chief, "chief")).index == 0
    assert strategies.read_cluster(text(chief, index=1)) == (("z:9", "a:1", "b:2", "c:3"), 2)
    assert strategies.read_cluster("  ") is None


@pytest.mark.parametrize(
    "value, reason",
    [
        ("{worker", "it is not JSON"),
        ("[1]", 'no "cluster" and "task"'),
        ('{"cluster": {"worker": ["a:1"]}}', 'no "cluster" and "task"'),
        (text({"worker": "a:1"}), "list of addresses"),
        (text({"worker": ["a"]}), "list of addresses"),
        (text({"worker": ["a:b"]}), "list of addresses"),
        (text({"worker": ["a:²"]}), "list of addresses"),
        (text({"worker": ["a:1", "b:65536"]}), "the port of b:65536 is none of 1 to 65535"),
        (text({"worker": ["a:0"]}), "the port of a:0 is none of 1 to 65535"),
        (text({"worker": ["a:1", "b:2", "A:1"]}), "a:1 stands there twice"),
        (text({"chief": ["a:1"], "worker": ["b:1", "a:1"]}), "a:1 stands there twice"),
        (text({"chief": ["a:1", "b:1"], "worker": WORKERS}), "a chief one alone"),
        (text({"worker": WORKERS, "ps": ["d:4"]}), "not ps"),
        (text({"worker": WORKERS}, index=3), "index 3, is not in its cluster"),
        (text({"worker": WORKERS}, index="0"), "index '0', is not in its cluster"),
        (text({"worker": WORKERS}, "chief"), "type 'chief' and index 0"),
        (text({"worker": WORKERS}, ["x"]), "is not in its cluster"),
    ],
)
def test_what_is_wrong_with_a_cluster_is_said(value, reason):
    with pytest.raises(UserError, match="TF_CONFIG is not valid") as caught:
        strategies.read_cluster(value)
    assert reason in str(caught.value) and "host0:4000" in str(caught.value)


def test_several_workers_need_a_cluster(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(UserError, match="--strategy=multi_worker needs .* TF_CONFIG"):
        strategies.make(tiny.config(strategy="multi_worker"))


def test_a_malformed_cluster_is_no_single_worker(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{")
    with pytest.raises(UserError, match="TF_CONFIG"):
        strategies.make(tiny.config())
    assert strategies.is_chief(strategies.make(tiny.config(strategy="one")))


def test_a_gpu_asked_for_where_there_is_none(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    with pytest.raises(UserError, match="--device=gpu, but TensorFlow finds no GPU"):
        strategies.make(tiny.config(device="gpu"))


def test_a_cluster_of_one_is_one_device(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text({"worker": ["localhost:4000"]}))
    strategy = strategies.make(tiny.config())
    assert strategy is tf.distribute.get_strategy()
    strategies.check_agreement(strategy, {"anything": 1})  # with nobody to ask


class Devices:
    def __init__(self, number):
        self.num_replicas_in_sync = number


@pytest.mark.parametrize(
    "jit, devices, gpu, compiled",
    [
        ("auto", 1, True, True),
        ("auto", 1, False, False),
        ("auto", 2, True, False),
        ("on", 1, False, True),
        ("off", 1, True, False),
    ],
)
def test_when_the_step_is_compiled(monkeypatch, jit, devices, gpu, compiled):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: ["gpu"] if gpu else [])
    assert strategies.compiles(jit, Devices(devices)) == compiled


def test_compiling_for_several_devices_is_refused():
    with pytest.raises(UserError, match="--jit=on is for a single device"):
        strategies.compiles("on", Devices(2))


def test_threads_are_set_before_tensorflow_begins():
    code = (
        "import tensorflow as tf\n"
        "from lorbms_tf.training import strategies\n"
        "from tests import tiny\n"
        "strategies.make(tiny.config(intra_op_threads=1))\n"
        "tf.constant(1.0) + 1.0\n"
        "print(tf.config.threading.get_intra_op_parallelism_threads())\n"
    )
    done = copies.run(["-c", code])
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1"]
