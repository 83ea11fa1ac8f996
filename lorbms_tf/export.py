"""A trained model for serving, or for handing on:

python -m lorbms_tf.export --run_dir=R --export_dir=DIR [--version=N]
python -m lorbms_tf.export --run_dir=R --weights_only=DIR
"""

import dataclasses
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lorbms_tf import files, progress
from lorbms_tf.cli import command, flags, stored_config
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """What to export, and where to."""

    run_dir: str = setting("", "Run directory, or pretrained:NAME.")
    checkpoint: str = setting("latest", "Which one of the run: latest, best, or a step.")
    export_dir: str = setting("", "Folder of versions; the SavedModel is written to DIR/VERSION.")
    version: int = setting(0, "Version, at least 1; 0: one more than the highest there.")
    weights_only: str = setting(
        "",
        "Instead of --export_dir: write a small run directory here, configuration and networks "
        "without the optimizers' state, to be used as a --run_dir by render, evaluate and export.",
    )

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        if not self.run_dir:
            raise UserError("--run_dir is required")
        if bool(self.export_dir) == bool(self.weights_only):
            raise UserError("name either --export_dir or --weights_only")
        require("version", self.version, minimum=0)


def export_saved_model(config: ExportConfig) -> tuple[Path, float]:
    """Writes DIR/VERSION (see `lorbms_tf.serving.saved_model`) and checks it against the model.

    Returns:
      The folder, and the largest difference between reloaded and original outputs.

    Raises:
      UserError: no run or no checkpoint; the model's outputs are not finite; the version
        exists; the folder is of another command, or cannot be written.
      RuntimeError: the written model computes something else; nothing is kept.
    """
    from lorbms_tf.serving import saved_model
    from lorbms_tf.training import run_directory

    parent = Path(config.export_dir)
    stored_config.refuse_other(parent, f"--export_dir={parent}", own=stored_config.EXPORTS)
    model, _ = run_directory.load_model(config.run_dir, config.checkpoint)
    folder = parent / str(config.version or saved_model.next_version(parent))
    progress.say(f"writing {folder}, and comparing what it computes with the model")
    return folder, saved_model.write(model, folder, f"--run_dir={config.run_dir}")


def export_weights(config: ExportConfig) -> Path:
    """Writes a run directory that holds the configuration and the four networks alone.

    Paths of the run's own data and folders are left out of the configuration.

    Raises UserError where there is no run or no checkpoint, or the folder exists.
    """
    from lorbms_tf.training import checkpoints, run_directory

    model, trained = run_directory.load_model(config.run_dir, config.checkpoint)
    step = run_directory.checkpoint_step(config.run_dir, config.checkpoint)
    portable = dataclasses.replace(trained, records="", eval_records="", run_dir="", init_from="")
    folder = Path(config.weights_only)
    with files.atomic_directory(folder) as temporary:
        stored_config.write(temporary, stored_config.TRAINING, portable)
        checkpoints.save_weights(temporary / run_directory.CHECKPOINTS, model, step)
    return folder


def serving_help(folder: Path, chunk_size: int) -> str:
    """The commands that show, run and serve an exported model."""
    parent = shlex.quote(str(folder.parent.resolve()))
    cli, python = command.script("saved_model_cli"), command.python()
    folder = shlex.quote(str(folder))
    return f"""\
Show its signatures:
  {cli} show --dir {folder} --all
Decode a code of zeros:
  {python} -c "import numpy as np; np.save('codes.npy', np.zeros((1, 2, 2, {chunk_size}), 'f4'))"
  {cli} run --dir {folder} --tag_set serve --signature_def decode \\
    --inputs codes=codes.npy --outdir .   # writes images.npy
Serve it (REST on port 8501, gRPC on 8500; new versions in {parent} are picked up):
  docker run --rm -p 8500:8500 -p 8501:8501 -e MODEL_NAME=lorbms \\
    -v {parent}:/models/lorbms:ro tensorflow/serving
  {python} -c "print({{'instances': [[[[0.0] * {chunk_size}] * 2] * 2]}})" | tr "'" '"' |
    curl -d @- http://localhost:8501/v1/models/lorbms:predict"""


def main(argv: Sequence[str]) -> None:
    """Exports, and says what was written and how to use it."""
    command.refuse_arguments(argv)
    config = flags.read(ExportConfig)
    if config.weights_only:
        folder = export_weights(config)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"wrote {folder}: configuration and networks, {size / 1e6:.1f} MB")
        print(command.next_step("lorbms_tf.report", run_dir=folder, out="report.html"))
        return
    from lorbms_tf.training import run_directory

    folder, difference = export_saved_model(config)
    print(f"wrote {folder}: signatures decode (also serving_default), encode, mix")
    print(
        "reloaded it and compared all signatures with the model, batch sizes 1 and 3: "
        f"largest difference {difference:.1e}"
    )
    print(serving_help(folder, run_directory.read_config(config.run_dir).chunk_size))


def console_main() -> None:
    """Entry point of the console script `lorbms-export`."""
    flags.define(ExportConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
