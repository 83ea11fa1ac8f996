"""Checkpoints: every variable of the model and its three optimizers, by place, written whole.

TensorFlow's checkpoint writer writes to temporary names and renames, and the small file that
names the latest one is replaced last; a kill in the middle leaves the former checkpoint whole.
"""

from pathlib import Path

import tensorflow as tf

from lorbms_tf.errors import UserError

_PREFIX = "step"


def model_variables(model) -> dict[str, tf.Variable]:
    """Variables of all saved networks by place: "encoder/0" is the encoder's first."""
    return _numbered(model.saved_networks)


def optimizer_variables(model) -> dict[str, tf.Variable]:
    """Variables of the three optimizers by place, such as "generator_optimizer/0"."""
    names = ("generator_optimizer", "discriminator_optimizer", "classifier_optimizer")
    return _numbered({name: getattr(model, name) for name in names})


def _numbered(owners: dict) -> dict[str, tf.Variable]:
    # By place, not by Keras's names: those count how many layers the process has made so far.
    return {
        f"{name}/{index}": variable.value
        for name, owner in owners.items()
        for index, variable in enumerate(owner.variables)
    }


class Checkpoints:
    """The checkpoints of one run directory.

    Args:
      folder: where they lie, made if need be.
      model: a compiled `Lorbms`.
      keep: how many of the last stay.
    """

    def __init__(self, folder: Path, model, keep: int = 3):
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self._checkpoint = tf.train.Checkpoint(
            step=self.step,
            variables=model_variables(model),
            optimizers=optimizer_variables(model),
        )
        self._manager = tf.train.CheckpointManager(
            self._checkpoint, str(folder), max_to_keep=keep, checkpoint_name=_PREFIX
        )

    def save(self, step: int) -> str:
        """Saves all variables as those after `step` training steps; returns the path.

        Raises UserError where the folder cannot be written; the former checkpoint stays whole.
        """
        self.step.assign(step)
        try:
            return self._manager.save(checkpoint_number=step)
        except (tf.errors.OpError, OSError) as error:
            raise UserError(
                f"cannot write a checkpoint to {self._manager.directory}: {error}"
            ) from error

    def restore(self) -> int:
        """Restores the latest checkpoint and returns its step; 0 where there is none yet."""
        path = self._manager.latest_checkpoint
        if path is None:
            return 0
        try:
            self._checkpoint.restore(path).assert_existing_objects_matched()
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            raise UserError(f"checkpoint {path} does not fit this model: {error}") from error
        return int(self.step.numpy())


def save_weights(folder: Path, model, step: int) -> None:
    """Writes a checkpoint that holds the networks alone, as trained models are handed on."""
    checkpoint = tf.train.Checkpoint(
        step=tf.Variable(step, dtype=tf.int64), variables=model_variables(model)
    )
    manager = tf.train.CheckpointManager(checkpoint, str(folder), 1, checkpoint_name=_PREFIX)
    manager.save(checkpoint_number=step)


def _latest(folder: Path) -> str:
    path = tf.train.latest_checkpoint(str(folder))
    if path is None:
        raise UserError(f"there is no checkpoint in {folder}: train first, or name another run")
    return path


def latest_step(folder: Path) -> int:
    """The step of the latest checkpoint. Raises UserError where there is none."""
    return int(_latest(folder).rpartition("-")[2])


def load_weights(folder: Path, model) -> int:
    """Loads the networks' variables from the latest checkpoint and returns its step.

    Raises UserError where there is none or it does not fit the model.
    """
    path = _latest(folder)
    step = tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(step=step, variables=model_variables(model))
    try:
        status = checkpoint.restore(path)
        status.assert_existing_objects_matched().expect_partial()
    except (tf.errors.OpError, AssertionError, ValueError) as error:
        raise UserError(f"checkpoint {path} does not fit its configuration: {error}") from error
    return int(step.numpy())
