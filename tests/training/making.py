"""Configurations of tiny runs, and what a run has written."""

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
