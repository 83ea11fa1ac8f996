"""Checkpoints: every variable of the model and its optimizers, by place, written whole.

    checkpoints/step-N.index, step-N.data-...   the last ones; networks, optimizers, step
    checkpoints/best/                           the best by one metric; networks alone
    checkpoints/damaged/                        what could not be read when a run was continued

A checkpoint is written into a folder of its own, brought to the disk, and moved to its place, the
index last: it is there if, and only if, its index is. A kill leaves nothing but a folder with a
name that starts with a dot, or data without an index; both are removed at the next start.
"""

import sys
from pathlib import Path

import tensorflow as tf

from lorbms_tf import files
from lorbms_tf.errors import UserError
from lorbms_tf.tensorflow_paths import without_signs

BEST = "best"
LATEST = "latest"
_DAMAGED = "damaged"
_BEST_FILE = "best.json"
_PREFIX = "step-"
# Reading past a file's end is an IndexError of TensorFlow's reader, and no OpError.
_UNREADABLE = (tf.errors.OpError, IndexError, RuntimeError, ValueError)
_UNFIT = (*_UNREADABLE, AssertionError)


def model_variables(model) -> dict[str, tf.Variable]:
    """Variables of all saved networks by place: "encoder/0" is the encoder's first."""
    return _numbered(model.saved_networks)


def optimizer_variables(model) -> dict[str, tf.Variable]:
    """Variables of all optimizers by place, such as "generator_optimizer/0"."""
    named = model.optimizers_by_name.items()
    return _numbered({f"{name}_optimizer": optimizer for name, optimizer in named})


def _numbered(owners: dict) -> dict[str, tf.Variable]:
    # By place, not by Keras's names: those count how many layers the process has made so far.
    return {
        f"{name}/{index}": variable.value
        for name, owner in owners.items()
        for index, variable in enumerate(owner.variables)
    }


class Checkpoints:
    """The checkpoints of one run directory, for the one process that trains in it.

    Args:
      folder: where they lie, made if need be.
      model: a compiled `method.Trainable`.
      keep: how many of the last stay.
    """

    def __init__(self, folder: Path, model, keep: int = 3):
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self._folder, self._keep = Path(folder), keep
        parts = {"variables": model_variables(model), "optimizers": optimizer_variables(model)}
        if state := {name: variable.value for name, variable in model.state.items()}:
            parts["state"] = state  # else left out, as checkpoints made before there was any
        self._checkpoint = tf.train.Checkpoint(step=self.step, **parts)

    def save(self, step: int) -> str:
        """Saves all variables as those after `step` training steps; returns the path.

        Raises UserError where the folder cannot be written; the former checkpoint stays whole.
        """
        self.step.assign(step)
        path = _write(self._checkpoint, self._folder, step)
        _keep_only(self._folder, steps(self._folder)[-self._keep :])
        return path

    def restore(self, tidy: bool = True) -> int:
        """Restores the latest whole checkpoint and returns its step; 0 where there is none yet.

        What a kill has left half-written is removed. A damaged checkpoint is set aside, with a
        warning, for the one before: training from there leads to the same state again. Raises
        UserError where none is whole, or where the latest whole one is of another model.

        Args:
          tidy: False where the folder is another process's: nothing is removed or moved.
        """
        if tidy:
            clean(self._folder)
            clean(self._folder / BEST)
        damaged = []
        for step in reversed(steps(self._folder)):
            path = _path(self._folder, step)
            try:
                with without_signs(path) as readable:
                    self._checkpoint.read(readable).assert_existing_objects_matched()
            except _UNFIT as error:
                reason = damage(path)
                if not reason:
                    raise UserError(
                        f"checkpoint {path} does not fit this model: {error}"
                    ) from error
                damaged.append((step, reason))
            else:
                if tidy:
                    self._set_aside(damaged, instead=path)
                return int(self.step.numpy())
        if damaged:
            shown = "\n".join(f"  {_PREFIX}{step}: {reason}" for step, reason in damaged)
            raise UserError(
                f"every checkpoint in {self._folder} is damaged:\n{shown}\nput back a copy, or "
                "name another --run_dir to start afresh"
            )
        return 0

    def _set_aside(self, damaged: list[tuple[int, str]], instead: str) -> None:
        for step, reason in damaged:
            aside = self._folder / _DAMAGED
            aside.mkdir(exist_ok=True)
            for path in _index_first(self._folder.glob(f"{_PREFIX}{step}.*")):
                path.replace(aside / path.name)
            print(
                f"warning: checkpoint {_path(self._folder, step)} is damaged ({reason}); moved it "
                f"to {aside}, continuing from {instead}",
                file=sys.stderr,
            )


def steps(folder: Path) -> list[int]:
    """The steps of which there is a checkpoint in a folder, ascending."""
    names = [path.stem.removeprefix(_PREFIX) for path in folder.glob(f"{_PREFIX}*.index")]
    return sorted(int(name) for name in names if name.isdecimal())


def _path(folder: Path, step: int) -> str:
    return str(folder / f"{_PREFIX}{step}")


def _index_first(paths) -> list[Path]:
    return sorted(paths, key=lambda path: (path.suffix != ".index", path.name))


def _write(checkpoint: tf.train.Checkpoint, folder: Path, step: int) -> str:
    path = Path(_path(folder, step))
    try:
        with files.temporary_directory(path) as temporary:
            checkpoint.write(str(temporary / path.name))
            written = [file for file in _index_first(temporary.iterdir()) if file.is_file()]
            path.with_name(f"{path.name}.index").unlink(missing_ok=True)
            for file in reversed(written):
                files.sync(file)
                file.replace(folder / file.name)
                files.sync(folder)
    except (tf.errors.OpError, OSError) as error:
        full = isinstance(error, tf.errors.ResourceExhaustedError)
        reason = "the disk is full" if full else str(error)
        raise UserError(
            f"cannot write a checkpoint to {folder}: {reason}; the one before stays whole"
        ) from error
    _name_latest(folder)
    return str(path)


def _name_latest(folder: Path) -> None:
    """The file by which TensorFlow's own tools find the latest checkpoint; ours do without."""
    with files.atomic_path(folder / "checkpoint") as temporary:
        temporary.write_text(f'model_checkpoint_path: "{_PREFIX}{steps(folder)[-1]}"\n')


def _keep_only(folder: Path, kept: list[int]) -> None:
    for step in set(steps(folder)) - set(kept):
        for path in _index_first(folder.glob(f"{_PREFIX}{step}.*")):
            path.unlink(missing_ok=True)


def clean(folder: Path) -> None:
    """Removes what a process that was killed while it wrote a checkpoint has left."""
    files.remove_leftovers(folder)
    whole = {f"{_PREFIX}{step}" for step in steps(folder)}
    for path in folder.glob(f"{_PREFIX}*.data-*"):
        if path.name.partition(".")[0] not in whole:
            path.unlink(missing_ok=True)


def damage(path: str) -> str:
    """Why a checkpoint cannot be read, each value against its checksum; empty where it can."""
    try:
        with without_signs(path) as readable:
            reader = tf.train.load_checkpoint(readable)
            for name in reader.get_variable_to_shape_map():
                reader.get_tensor(name)
    except _UNREADABLE as error:
        return str(getattr(error, "message", error)).splitlines()[0]
    return ""


class Best:
    """The best checkpoint by one metric, of which more is better.

    Args:
      folder: of the run's checkpoints; the best lies in `best` there.
      model: whose networks are saved.
      metric: its name.
    """

    def __init__(self, folder: Path, model, metric: str):
        self._folder, self._model, self.metric = Path(folder) / BEST, model, metric
        path = self._folder / _BEST_FILE
        stored = files.read_json(path) if path.is_file() else {}
        same = stored.get("metric") == metric
        self.value: float = stored["value"] if same else float("-inf")

    def offer(self, step: int, value: float) -> bool:
        """Saves the networks if `value` is greater than all before; whether it did.

        Raises UserError where the folder cannot be written; the former best stays whole.
        """
        if not value > self.value:  # a NaN is never best
            return False
        save_weights(self._folder, self._model, step)
        found = {"metric": self.metric, "value": value, "step": step}
        files.write_json(self._folder / _BEST_FILE, found)
        _keep_only(self._folder, [step])
        self.value = value
        return True


def save_weights(folder: Path, model, step: int) -> None:
    """Writes a checkpoint that holds the networks alone, as trained models are handed on.

    Raises UserError where the folder cannot be written.
    """
    _write(_weights(model, step), folder, step)


def _weights(model, step: int = 0) -> tf.train.Checkpoint:
    return tf.train.Checkpoint(
        step=tf.Variable(step, dtype=tf.int64), variables=model_variables(model)
    )


def find(folder: Path, which: str = LATEST) -> tuple[str, int]:
    """Path and step of one checkpoint: "latest", "best", or that of a step such as "1200".

    Raises UserError where there is none, naming those that there are.
    """
    present = steps(folder)
    if which == BEST:
        path = folder / BEST / _BEST_FILE
        if path.is_file():
            step = files.read_json(path)["step"]
            return _path(folder / BEST, step), step
    elif present and which == LATEST:
        return _path(folder, present[-1]), present[-1]
    elif which.isdecimal() and int(which) in present:
        return _path(folder, int(which)), int(which)
    if which == LATEST:
        raise UserError(f"there is no checkpoint in {folder}: train first, or name another run")
    valid = [LATEST, *map(str, present)] if present else []
    valid += [BEST] if (folder / BEST / _BEST_FILE).is_file() else []
    raise UserError(
        f"--checkpoint={which}: there is none in {folder}; valid: {', '.join(valid) or 'none'}"
    )


def load_weights(folder: Path, model, which: str = LATEST) -> int:
    """Loads the networks' variables from a checkpoint (see `find`) and returns its step.

    Raises UserError where there is none, or it is damaged or does not fit the model.
    """
    path, step = find(folder, which)
    try:
        with without_signs(path) as readable:
            status = _weights(model).read(readable)
            status.assert_existing_objects_matched().expect_partial()
    except _UNFIT as error:
        reason = damage(path)
        if reason:
            raise UserError(
                f"checkpoint {path} is damaged ({reason}); name another one by --checkpoint"
            ) from error
        raise UserError(f"checkpoint {path} does not fit its configuration: {error}") from error
    return step
