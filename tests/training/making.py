"""Configurations of tiny runs, what a run has written, and disks that are full."""

import contextlib
import resource

from lorbms_tf.training import checkpoints
from tests import tiny


def config(pattern, folder, **changes):
    settings = {
        "records": pattern,
        "run_dir": str(folder),
        "batch_size": 2,
        "epochs": 2,
        "log_every_steps": 2,
        "sample_every_steps": 3,
        "sample_rows": 2,
        "checkpoint_every_steps": 2,
        "seed": 3,
    }
    return tiny.config(**{**settings, **changes})


def variables(run):
    return {k: v.numpy() for k, v in checkpoints.model_variables(run.model).items()}


@contextlib.contextmanager
def disk_that_takes(size):
    """Files of this process cannot grow beyond `size` bytes: a write fails in its middle."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
