"""Which devices train together: one, all of this host, or those of several hosts (TF_CONFIG).

TensorFlow wants this settled before it runs its first operation: a door calls `make` first of all.
"""

import json
import os
import re
from collections import Counter
from typing import NamedTuple

import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.training import meeting
from lorbms_tf.training.interrupts import Interrupts, ending_at_once
from lorbms_tf.training.run_config import RunConfig

_EXAMPLE = (
    '{"cluster": {"worker": ["host0:4000", "host1:4000"]}, "task": {"type": "worker", "index": 0}}'
)


class Cluster(NamedTuple):
    """What TF_CONFIG says: the addresses of all workers, the chief's first, and which we are."""

    workers: tuple[str, ...]
    index: int


def read_cluster(text: str) -> Cluster | None:
    """The cluster of a TF_CONFIG; None for an empty one.

    Raises UserError, saying what is wrong and what a good one looks like.
    """
    if not text.strip():
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        raise _malformed(f"it is not JSON ({error})") from error
    cluster = value.get("cluster") if isinstance(value, dict) else None
    task = value.get("task") if isinstance(value, dict) else None
    if not isinstance(cluster, dict) or not isinstance(task, dict):
        raise _malformed('it has no "cluster" and "task"')
    unknown = sorted(set(cluster) - {"chief", "worker"})
    if unknown:
        raise _malformed(f"tasks are chief and worker, not {', '.join(unknown)}")
    for kind, addresses in cluster.items():
        _check_addresses(kind, addresses)
    counted = Counter(address.lower() for addresses in cluster.values() for address in addresses)
    if twice := [address for address, number in counted.items() if number > 1]:
        raise _malformed(f"{', '.join(twice)} stands there twice: each worker has its own address")
    kind, index = task.get("type"), task.get("index")
    addresses = cluster.get(kind) if isinstance(kind, str) else None
    if not addresses or type(index) is not int or not 0 <= index < len(addresses):
        raise _malformed(f"its task, type {kind!r} and index {index!r}, is not in its cluster")
    chiefs = cluster.get("chief", [])
    first = 0 if kind == "chief" else len(chiefs)
    return Cluster((*chiefs, *cluster.get("worker", [])), first + index)


def _check_addresses(kind: str, addresses) -> None:
    good = isinstance(addresses, list) and all(
        isinstance(a, str) and re.fullmatch(r".+:[0-9]{1,9}", a) for a in addresses
    )
    if not good or (kind == "chief" and len(addresses) != 1):
        raise _malformed(f"{kind} must be a list of addresses host:port, a chief one alone")
    for address in addresses:
        if not 1 <= int(address.rpartition(":")[2]) <= 65535:
            raise _malformed(f"the port of {address} is none of 1 to 65535")


def _malformed(reason: str) -> UserError:
    return UserError(f"the environment variable TF_CONFIG is not valid: {reason}; e.g. {_EXAMPLE}")


def make(config: RunConfig) -> tf.distribute.Strategy:
    """The strategy that --strategy, --device and the environment's TF_CONFIG ask for.

    Sets --intra_op_threads too, which TensorFlow takes before its first operation only.

    Raises UserError for a GPU asked for where there is none, for several workers without a valid
    TF_CONFIG, and where this worker's own address cannot be listened at.
    """
    if config.intra_op_threads:
        tf.config.threading.set_intra_op_parallelism_threads(config.intra_op_threads)
    gpus = tf.config.list_physical_devices("GPU")
    if config.device == "gpu" and not gpus:
        raise UserError(
            "--device=gpu, but TensorFlow finds no GPU here; look at nvidia-smi and install "
            "tensorflow[and-cuda], or take --device=cpu (--verbosity=1 shows what TensorFlow says)"
        )
    if config.device == "cpu" and gpus:
        tf.config.set_visible_devices([], "GPU")
        gpus = []
    kind, cluster = config.strategy, None
    if kind in ("auto", "multi_worker"):
        cluster = read_cluster(os.environ.get("TF_CONFIG", ""))
    if kind == "auto":
        several = cluster is not None and len(cluster.workers) > 1
        kind = "multi_worker" if several else "mirrored" if len(gpus) > 1 else "one"
    if kind == "multi_worker":
        return _multi_worker(cluster)
    return tf.distribute.MirroredStrategy() if kind == "mirrored" else tf.distribute.get_strategy()


def _multi_worker(cluster: Cluster | None) -> tf.distribute.Strategy:
    if cluster is None:
        raise UserError(
            "--strategy=multi_worker needs the environment variable TF_CONFIG on every host, "
            f"e.g. {_EXAMPLE}"
        )
    with Interrupts():
        meeting.wait(*cluster)
    try:
        with ending_at_once():
            return tf.distribute.MultiWorkerMirroredStrategy()
    except tf.errors.OpError as error:
        raise UserError(
            f"worker {cluster.index} cannot start at {cluster.workers[cluster.index]}, its address "
            f"in TF_CONFIG: {error.message}"
        ) from error


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes the run directory: the chief of several, or the only one."""
    resolver = strategy.cluster_resolver
    if not resolver or not resolver.task_type:
        return True
    if resolver.task_type == "chief":
        return True
    return resolver.task_id == 0 and "chief" not in resolver.cluster_spec().jobs


def is_alone(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the only worker, with however many devices."""
    resolver = strategy.cluster_resolver
    return not (resolver and resolver.task_type)


def compiles(jit: str, strategy: tf.distribute.Strategy) -> bool:
    """Whether the training step is compiled with XLA, as --jit and the devices say.

    Raises UserError for --jit=on with several devices: XLA compiles for one.
    """
    several = strategy.num_replicas_in_sync > 1
    if jit == "on" and several:
        raise UserError("--jit=on is for a single device; take --jit=auto, or --strategy=one")
    gpu = bool(tf.config.get_visible_devices("GPU"))
    return jit == "on" or (jit == "auto" and gpu and not several)


# What collective operations end in where a worker does not answer any more.
LOST_WORKER = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


def lost_worker(done: int, saved: int) -> UserError:
    """The message for one of `LOST_WORKER`, after step `done`; `saved`: the last checkpoint's."""
    return UserError(
        f"another worker cannot be reached after step {done}, or has failed: look at what each "
        f"worker said last. The same command on all of them continues from step {saved}"
    )


def check_agreement(strategy: tf.distribute.Strategy, values: dict[str, int]) -> None:
    """Waits until all workers are here, and checks that they bring the same values.

    Args:
      strategy: of the run; with one worker there is nothing to do.
      values: whole numbers by what they stand for.

    Raises:
      UserError, on every worker: naming what differs, with each worker's value.
    """
    resolver = strategy.cluster_resolver
    if not resolver or not resolver.task_type or strategy.num_replicas_in_sync == 1:
        return

    def gather():
        replica = tf.distribute.get_replica_context()
        own = tf.one_hot(replica.replica_id_in_sync_group, strategy.num_replicas_in_sync)
        rows = tf.cast(own, tf.int64)[:, None] * tf.constant(list(values.values()), tf.int64)
        return replica.all_reduce(tf.distribute.ReduceOp.SUM, rows)

    with ending_at_once():
        everywhere = tf.function(lambda: strategy.run(gather), autograph=False)()
        table = strategy.experimental_local_results(everywhere)[0].numpy()  # [replicas, values]
    for name, column in zip(values, table.T, strict=True):
        if len(set(column)) > 1:
            raise UserError(
                f"the workers differ in {name}: {', '.join(map(str, column))}; all need the same "
                "flags, the same records, and a --run_dir that all of them can read"
            )
