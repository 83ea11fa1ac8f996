"""A trained model for serving, or for handing on:

python -m lorbms_tf.export --run_dir=R --export_dir=DIR [--version=N]
python -m lorbms_tf.export --run_dir=R --export_dir=DIR --format=onnx
python -m lorbms_tf.export --run_dir=R --weights_only=DIR
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lorbms_tf import files, methods, progress
from lorbms_tf.cli import command, flags, stored_config
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError
from lorbms_tf.training.method import Trainable

SAVED_MODEL, ONNX = "saved_model", "onnx"  # --format


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """What to export, and where to."""

    run_dir: str = setting("", "Run directory, or pretrained:NAME.")
    checkpoint: str = setting("latest", "Which one of the run: latest, best, or a step.")
    export_dir: str = setting("", "Folder of versions; the SavedModel is written to DIR/VERSION.")
    version: int = setting(0, "Version, at least 1; 0: one more than the highest there.")
    format: str = setting(
        SAVED_MODEL,
        "saved_model, for TensorFlow Serving; or onnx: a file for each signature, in DIR itself.",
        choices=(SAVED_MODEL, ONNX),
    )
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
        if self.format == ONNX and (self.version or self.weights_only):
            raise UserError(
                "--format=onnx writes into --export_dir itself: leave --version and --weights_only "
                "out"
            )


def export_saved_model(config: ExportConfig) -> tuple[Path, float, Trainable]:
    """Writes DIR/VERSION (see `lorbms_tf.serving.saved_model`) and checks it against the model.

    Returns:
      The folder, the largest difference between reloaded and original outputs, and the model.

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
    difference = saved_model.write(model, folder, f"--run_dir={config.run_dir}")
    return folder, difference, model


def export_onnx(config: ExportConfig) -> tuple[Path, float]:
    """Writes DIR/SIGNATURE.onnx (see `lorbms_tf.serving.onnx_files`), checked against the model.

    Returns the folder, and the largest difference. Raises as `export_saved_model`, and UserError
    where a package is missing.
    """
    from lorbms_tf.serving import onnx_files
    from lorbms_tf.training import run_directory

    folder = Path(config.export_dir)
    model, _ = run_directory.load_model(config.run_dir, config.checkpoint)
    progress.say(f"writing {folder}, and comparing what onnxruntime computes with the model")
    return folder, onnx_files.write(model, folder, f"--run_dir={config.run_dir}")


def export_weights(config: ExportConfig) -> Path:
    """Writes a run directory that holds the configuration and the networks alone.

    Paths of the run's own data and folders are left out of the configuration.

    Raises UserError where there is no run or no checkpoint, or the folder exists.
    """
    from lorbms_tf.training import checkpoints, run_directory

    model, trained = run_directory.load_model(config.run_dir, config.checkpoint)
    step = run_directory.checkpoint_step(config.run_dir, config.checkpoint)
    source = methods.get(trained.method).source  # "records", say
    own = dict.fromkeys((source, f"eval_{source}", "run_dir", "init_from"), "")
    portable = dataclasses.replace(trained, **own)
    folder = Path(config.weights_only)
    with files.atomic_directory(folder) as temporary:
        stored_config.write(temporary, stored_config.TRAINING, portable)
        checkpoints.save_weights(temporary / run_directory.CHECKPOINTS, model, step)
    return folder


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
    if config.format == ONNX:
        folder, difference = export_onnx(config)
        print(f"wrote {folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")
        print(
            "compared all of them, run by onnxruntime, with the model, batch sizes 1 and 3: "
            f"largest difference {difference:.1e}"
        )
        return
    from lorbms_tf.serving import saved_model, usage
    from lorbms_tf.training import run_directory

    folder, difference, model = export_saved_model(config)
    signatures = saved_model.served_signatures(model)
    first, *others = signatures
    print(f"wrote {folder}: signatures {', '.join([f'{first} (also serving_default)', *others])}")
    print(
        "reloaded it and compared all signatures with the model, batch sizes 1 and 3: "
        f"largest difference {difference:.1e}"
    )
    if not saved_model.warmed_up(folder):
        print(
            "no requests to warm TensorFlow Serving up were written: they need the package "
            f"tensorflow-serving-api: {command.install('serve')}"
        )
    method = run_directory.read_config(config.run_dir).method
    print(usage.text(folder, method, signatures))


def console_main() -> None:
    """Entry point of the console script `lorbms-export`."""
    flags.define(ExportConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
