"""The first weights of a run that starts from another run's networks (--init_from)."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.tensorflow_paths import without_signs
from lorbms_tf.training import checkpoints, run_directory

AVERAGED = "averaged_"  # what the names of networks begin with that are moving averages
_VALUE = (
    "variables/{}/.ATTRIBUTES/VARIABLE_VALUE"  # TensorFlow's name of a variable in a checkpoint
)


def check(init_from: str) -> str:
    """Path of the checkpoint that a run starts from: the latest of a run, or of pretrained:NAME.

    Raises UserError, naming --init_from, where there is none.
    """
    try:
        run_directory.read_config(init_from)
        return checkpoints.find(_folder(init_from))[0]
    except UserError as error:
        text = (
            str(error).removeprefix(f"--run_dir={init_from} ").replace("--run_dir", "--init_from")
        )
        raise UserError(f"--init_from={init_from}: {text}") from error


def load(model, init_from: str) -> None:
    """Sets every network of a model to that of another run; optimizers stay as they are.

    Where the other run has a moving average of a network, the average is taken, which makes all of
    its pictures; a moving average that only this run has starts as its network does. Networks that
    the model lists as `may_start_anew` keep their weights where the other run lacks them.

    Args:
      model: a `method.Trainable`.
      init_from: run directory, or "pretrained:NAME".

    Raises UserError where the other run lacks a network, has it in other sizes, or its checkpoint
    is damaged.
    """
    path = check(init_from)
    if reason := checkpoints.damage(path):
        raise UserError(f"--init_from={init_from}: checkpoint {path} is damaged ({reason})")
    with without_signs(path) as readable:
        reader = tf.train.load_checkpoint(readable)
    for name, network in model.saved_networks.items():
        values = _values(reader, name.removeprefix(AVERAGED))
        if not values and name in getattr(model, "may_start_anew", ()):
            continue
        _check_sizes(name, network, values, init_from)
        for variable, value in zip(network.variables, values, strict=True):
            variable.assign(value)


def _folder(init_from: str) -> Path:
    return run_directory.resolve(init_from) / run_directory.CHECKPOINTS


def _values(reader, name: str) -> list[np.ndarray]:
    """The variables of a network, of its average where there is one; empty where neither is."""
    for source in (AVERAGED + name, name):
        values = []
        while reader.has_tensor(key := _VALUE.format(f"{source}.S{len(values)}")):
            values.append(reader.get_tensor(key))
        if values:
            return values
    return []


def _check_sizes(name: str, network, values: list[np.ndarray], init_from: str) -> None:
    if not values:
        raise UserError(f"--init_from={init_from} has no network {name}")
    shapes = [tuple(variable.shape) for variable in network.variables]
    there = [value.shape for value in values]
    if shapes != there:
        pairs = zip(shapes, there, strict=False)
        differing = next((pair for pair in pairs if pair[0] != pair[1]), None)
        shown = f"{differing[1]} there, {differing[0]} here" if differing else ""
        number = f"{len(there)} variables there, {len(shapes)} here"
        raise UserError(
            f"--init_from={init_from}: its {name} has other sizes ({shown or number}); take the "
            f"sizes of {run_directory.resolve(init_from) / run_directory.CONFIG_FILE}"
        )
