"""A run directory: the resolved configuration, checkpoints, logs and sample pictures of one run.

    config.json   checkpoints/   logs/ (TensorBoard)   samples/*.png

Models that come with the package are run directories too, named "pretrained:NAME".
"""

from pathlib import Path

from lorbms_tf.config import TrainConfig, differences, from_dict, to_dict
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json, write_json

CONFIG_FILE = "config.json"
CHECKPOINTS = "checkpoints"
LOGS = "logs"
SAMPLES = "samples"
_PRETRAINED = Path(__file__).parent / "pretrained"
_PREFIX = "pretrained:"


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


def read_config(run_dir: str) -> TrainConfig:
    """The resolved configuration of a run. UserError where the folder is no run directory."""
    path = resolve(run_dir) / CONFIG_FILE
    if not path.is_file():
        raise UserError(f"--run_dir={run_dir} is no run directory: {path} does not exist")
    return from_dict(TrainConfig, read_json(path), str(path))


def check(config: TrainConfig) -> Path:
    """Checks that a run may be started or continued in the run directory; writes nothing.

    Raises UserError, listing what differs, where a run of another configuration has a checkpoint
    there, or where the folder is not empty and no run directory.
    """
    if config.run_dir.startswith(_PREFIX):
        raise UserError(f"--run_dir={config.run_dir}: models of the package are not trained on")
    folder = Path(config.run_dir)
    path = folder / CONFIG_FILE
    if path.is_file():
        if not any((folder / CHECKPOINTS).glob("*.index")):
            return folder  # nothing was trained yet: a first try may be corrected
        differing = differences(from_dict(TrainConfig, read_json(path), str(path)), config)
        if differing:
            raise UserError(
                f"{folder} holds a run of another configuration; name another --run_dir, or set "
                "these back:\n  " + "\n  ".join(differing)
            )
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"--run_dir={folder} is not empty and holds no run: name another folder")
    return folder


def prepare(config: TrainConfig) -> Path:
    """Makes the run directory with the configuration; raises UserError as `check` does."""
    folder = check(config)
    write_json(folder / CONFIG_FILE, to_dict(config))
    for name in (CHECKPOINTS, LOGS, SAMPLES):
        (folder / name).mkdir(exist_ok=True)
    return folder


def load_model(run_dir: str):
    """The trained model of a run and its configuration: (Lorbms, TrainConfig).

    Raises UserError where there is no run, no checkpoint yet, or the checkpoint does not fit.
    """
    from lorbms_tf.model import Lorbms  # TensorFlow loads only when a model is wanted
    from lorbms_tf.training import checkpoints

    config = read_config(run_dir)
    try:
        model = Lorbms(config)
    except ValueError as error:
        raise UserError(f"{resolve(run_dir) / CONFIG_FILE} fits no model: {error}") from error
    checkpoints.load_weights(resolve(run_dir) / CHECKPOINTS, model)
    return model, config


def latest_step(run_dir: str) -> int:
    """The training step of the run's latest checkpoint. UserError where there is none."""
    from lorbms_tf.training import checkpoints

    return checkpoints.latest_step(resolve(run_dir) / CHECKPOINTS)
