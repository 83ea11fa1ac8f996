"""A run directory: the resolved configuration, checkpoints, logs and sample pictures of one run.

    config.json   records.json   checkpoints/   logs/ (TensorBoard)   samples/*.png   lock

records.json tells which shards the run learns from (`lorbms_tf.data.fingerprint`).
Models that come with the package are run directories too, named "pretrained:NAME".
"""

import contextlib
import dataclasses
import fcntl
import functools
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from lorbms_tf import methods, progress
from lorbms_tf.cli import command, stored_config
from lorbms_tf.cli.settings import RETIRED, from_dict, setting
from lorbms_tf.cli.stored_config import CONFIG_FILE, LOCK_FILE, TRAINING
from lorbms_tf.errors import UserError
from lorbms_tf.files import not_writable, read_json, remove_leftovers, write_json
from lorbms_tf.training.method import Method
from lorbms_tf.training.run_config import RunConfig

RECORDS_FILE = "records.json"
CHECKPOINTS = "checkpoints"
LOGS = "logs"
SAMPLES = "samples"
README_FILE = "README.md"  # of a model of the package
_PRETRAINED = Path(__file__).parent.parent / "pretrained"
_PREFIX = "pretrained:"


@dataclasses.dataclass(frozen=True, kw_only=True)
class MethodConfig:
    """Whose flags a command has that is about a run."""

    method: str = setting(
        "", "Method whose flags and scores are meant where no --run_dir names a run."
    )

    def validate(self) -> None:
        """Nothing to check: see `asked_method`."""


def pretrained_names() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(path.parent.name for path in _PRETRAINED.glob(f"*/{CONFIG_FILE}"))


def resolve(run_dir: str) -> Path:
    """A `--run_dir` as a folder; "pretrained:NAME" is one inside the package.

    Raises UserError where no model of that name comes with the package.
    """
    if not run_dir.startswith(_PREFIX):
        return Path(run_dir)
    name = run_dir.removeprefix(_PREFIX)
    if name not in pretrained_names():
        valid = ", ".join(_PREFIX + known for known in pretrained_names()) or "none"
        raise UserError(f"--run_dir={run_dir}: no such model; valid names: {valid}")
    return _PRETRAINED / name


def read_config(run_dir: str) -> RunConfig:
    """The resolved configuration of a run, of the kind that its method has.

    A run that names no method is of the first there was. UserError where the folder is no run
    directory.
    """
    if not run_dir:
        raise UserError("--run_dir is required")
    folder = resolve(run_dir)
    if not stored_config.is_there(folder):
        held = stored_config.content(folder)
        reason = f"it holds {held}" if held else f"{folder / CONFIG_FILE} does not exist"
        raise UserError(f"--run_dir={run_dir} is no run directory: {reason}")
    values = stored_config.settings(folder, TRAINING, f"--run_dir={run_dir}")
    method = methods.get(str(values.get("method", methods.DEFAULT)))
    return from_dict(method.config, values, str(folder / CONFIG_FILE))


def method_of(run_dir: str) -> Method:
    """The method of a run. UserError as `read_config`."""
    return methods.get(read_config(run_dir).method)


def asked_method() -> Method:
    """The method that a command is about: that of the run, or of --method without a run.

    Raises UserError where --method names none, or another than the run's.
    """
    run_dir, name = command.early_value("run_dir", ""), command.early_value("method", "")
    if not run_dir:
        return methods.get(name or methods.DEFAULT)
    config = read_config(run_dir)
    if name and name != config.method:
        raise UserError(f"--method={name}: the run in {run_dir} is of --method={config.method}")
    return methods.get(config.method)


def method_of_flags() -> Method:
    """As `asked_method`, for what flags a door defines; the default where that has an error.

    The door tells the error later on, when it asks again.
    """
    try:
        return asked_method()
    except UserError:
        return methods.of_flags()


def continued(config: RunConfig) -> RunConfig:
    """The configuration with which the run that is in its run directory, if any, goes on.

    Says so (stderr) where that is not what was asked for, see `stored_config.continued`. Raises
    UserError where something else is there.
    """
    if not stored_config.is_there(Path(config.run_dir)):
        return config
    kept = stored_config.continued(read_config(config.run_dir), config)
    for name in stored_config.differing_names(config, kept):
        print(
            f"{config.run_dir} was begun with --{name}={getattr(kept, name)} and keeps it",
            file=sys.stderr,
        )
    return kept


def retired(run_dir: str) -> list[str]:
    """Lines to tell before a run goes on that has settings which are none any more.

    None where no run is there yet. Raises UserError where config.json cannot be read.
    """
    folder = resolve(run_dir)
    if not any((folder / CHECKPOINTS).glob("*.index")) or not (folder / CONFIG_FILE).is_file():
        return []
    stored = read_json(folder / CONFIG_FILE)
    return [text for name, text in RETIRED.items() if name in stored]


def check(config: RunConfig, data: list[dict] | None = None) -> list[str]:
    """Checks that a run may be started or continued in the run directory; writes nothing.

    Args:
      config: the resolved settings.
      data: what `fingerprint.fingerprint` says of its records; None: they are not compared.

    Returns:
      what differs from the run that is there, a line each, where --allow_changes is set; else
      nothing differs.

    Raises:
      UserError: a run of another configuration or on other records has a checkpoint there, which
        lists what differs; or the folder is not empty and no run directory.
    """
    if config.run_dir.startswith(_PREFIX):
        raise UserError(f"--run_dir={config.run_dir}: models of the package are not trained on")
    folder = Path(config.run_dir)
    if not stored_config.is_begun(folder, TRAINING, f"--run_dir={folder}"):
        return []
    if not any((folder / CHECKPOINTS).glob("*.index")):
        return []  # nothing was trained yet: a first try may be corrected
    differing = stored_config.differences(read_config(config.run_dir), config)
    known = folder / RECORDS_FILE
    if data is not None and known.is_file():
        from lorbms_tf.data import fingerprint  # loads TensorFlow

        differing += fingerprint.differences(read_json(known), data)
    if differing and not config.allow_changes:
        raise UserError(
            f"{folder} holds a run of another configuration or on other records; name another "
            "--run_dir, set these back, or continue nevertheless with --allow_changes:\n  "
            + "\n  ".join(differing)
        )
    return differing


def prepare(config: RunConfig, data: list[dict] | None = None) -> Path:
    """Makes the run directory, or brings it up to date; raises UserError as `check` does."""
    check(config, data)
    folder = Path(config.run_dir)
    stored_config.write(folder, TRAINING, dataclasses.replace(config, allow_changes=False))
    if data is not None:
        write_json(folder / RECORDS_FILE, data)
    for name in (CHECKPOINTS, LOGS, SAMPLES):
        (folder / name).mkdir(exist_ok=True)
        remove_leftovers(folder / name)
    remove_leftovers(folder)
    return folder


@contextlib.contextmanager
def locked(run_dir: str) -> Iterator[None]:
    """Holds a run directory, made if need be, for this process; a kill lets go of it.

    Raises UserError where another process holds it, naming that, or where it cannot be written.
    """
    path = Path(run_dir) / LOCK_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115 - closed below
    except OSError as error:
        raise not_writable(Path(run_dir), error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "a process that did not say its name"
            raise UserError(
                f"--run_dir={run_dir} is being trained in by {holder}: wait until it has ended, "
                "stop it, or name another folder"
            ) from error
        except OSError as error:
            print(
                f"warning: {path} cannot be locked ({error.strerror}): take care that no other "
                "training uses this run directory",
                file=sys.stderr,
            )
        with contextlib.suppress(OSError):  # a full disk: the lock holds without a name
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
            file.flush()
        yield


def load_model(run_dir: str, checkpoint: str = "latest"):
    """The trained model of a run and its configuration: (`method.Trainable`, its config).

    Args:
      run_dir: the run directory, or "pretrained:NAME".
      checkpoint: "latest", "best", or a step (see `lorbms_tf.training.checkpoints.find`).

    Raises UserError where there is no run, no such checkpoint, or the checkpoint does not fit.
    """
    from lorbms_tf.training import checkpoints  # TensorFlow loads only when a model is wanted

    config = read_config(run_dir)
    _tell_note(run_dir)
    progress.say(f"loading the model of {run_dir}")
    try:
        model = methods.get(config.method).trained_model(config)
    except ValueError as error:
        raise UserError(f"{resolve(run_dir) / CONFIG_FILE} fits no model: {error}") from error
    checkpoints.load_weights(resolve(run_dir) / CHECKPOINTS, model, checkpoint)
    return model, config


@functools.cache
def _tell_note(run_dir: str) -> None:
    """Says once (stderr) what a model of the package is for: the first paragraph of its README."""
    path = resolve(run_dir) / README_FILE
    if run_dir.startswith(_PREFIX) and path.is_file():
        title, _, text = path.read_text("utf-8").partition("\n\n")
        words = " ".join(text.partition("\n\n")[0].split())
        print(f"{title.removeprefix('# ')}: {words}", file=sys.stderr, flush=True)


def checkpoint_step(run_dir: str, checkpoint: str = "latest") -> int:
    """The training step of one checkpoint of a run. UserError where there is none."""
    from lorbms_tf.training import checkpoints

    return checkpoints.find(resolve(run_dir) / CHECKPOINTS, checkpoint)[1]
