"""The machine that a benchmark runs on: its name, its matrix products, memory, and a clock."""

import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf


def say(text: str) -> None:
    """Progress, on stderr: stdout is for the JSON line alone."""
    print(text, file=sys.stderr, flush=True)


def device() -> str:
    """The first GPU's name, or the processor's where TensorFlow sees no GPU."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def threads() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def peak_memory_bytes() -> int:
    """Most memory held at once so far: the GPU's where there is one, else this process's."""
    if tf.config.list_physical_devices("GPU"):
        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


def described() -> dict:
    """The fields that every JSON line has."""
    return {
        "device": device(),
        "threads": threads(),
        "tensorflow": tf.__version__,
        "peak_memory_gb": round(peak_memory_bytes() / 1e9, 3),
    }


def wait_for(made) -> None:
    """Returns when every tensor in a structure has been computed."""
    for tensor in tf.nest.flatten(made):
        np.asarray(tensor)


def seconds_of(function: Callable, *args) -> float:
    """Wall-clock seconds of one call, its results computed."""
    start = time.perf_counter()
    wait_for(function(*args))
    return time.perf_counter() - start


def matrix_rate(side: int, repetitions: int = 5) -> float:
    """Floating-point operations a second (2 a multiply-add) of float32 products [side, side]."""
    factor = tf.constant(np.random.default_rng(0).normal(size=(side, side)), tf.float32)
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(factor, factor)))
    wait_for(product())
    return 2.0 * side**3 / min(seconds_of(product) for _ in range(repetitions))
