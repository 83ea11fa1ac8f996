"""What there is to tell of a run of any method: read from its directory, measured and drawn."""

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from lorbms_tf import __version__
from lorbms_tf.data import comma_lists
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation import lines
from lorbms_tf.files import sha256_file
from lorbms_tf.pages.run_page import Described
from lorbms_tf.training import checkpoints, event_files, run_directory
from lorbms_tf.training.evaluation_config import EvaluationConfig
from lorbms_tf.training.method import Method


def describe(
    method: Method, config: EvaluationConfig, scores: str, rows: int, cell: int
) -> Described:
    """Everything that the page shows.

    Args:
      method: of the run.
      config: the run, and how it is scored (`Evaluation.config`); where it names no data, on those
        of the run, where they are here.
      scores: a comma list of files of lines that `lorbms_tf.evaluate` has written.
      rows: of a sheet.
      cell: side of one image in a sheet, pixels.

    Raises:
      UserError: what was asked for by name cannot be used. What is not there else is in `missing`.
    """
    method.evaluation.check(config)
    trained = run_directory.read_config(config.run_dir)
    folder = run_directory.resolve(config.run_dir)
    pretrained = folder != Path(config.run_dir)
    report = method.report
    run = Described(
        config.run_dir if pretrained else folder.resolve().name,
        trained,
        subtitle=report.subtitle,
        score=method.evaluation.score,
        charts=report.charts,
    )
    run.facts.append(("run directory", config.run_dir if pretrained else str(folder.resolve())))
    _earlier_scores(folder, scores, run)
    _curves(folder, run)
    measured_on = (report.data or _data)(config, run)
    if _checkpoint(method, config, folder, run):
        model = None
        if measured_on:
            measure = report.measure or _measure(method)
            model = measure(measured_on, run, rows, cell)
        model = model or run_directory.load_model(config.run_dir, config.checkpoint)[0]
        run.parameters = [tuple(row[:2]) for row in method.parameter_rows(model)]
    if not run.sheets:
        _samples(folder, run)
    versions = f"lorbms_tf {__version__}, TensorFlow {tf.__version__}, Keras {keras.__version__}"
    run.facts.append(("software of this page", versions))
    return run


def _earlier_scores(folder: Path, scores: str, run: Described) -> None:
    for path in comma_lists.paths(scores):
        run.earlier += lines.read(path, flag="scores")
    for path in sorted(folder.glob("*.jsonl")):
        try:
            run.earlier += lines.read(str(path), flag="scores")
        except UserError as error:
            run.missing.append(f"Scores in the run directory were left out: {error}.")
    run.score_names = lines.score_names(run.earlier)


def _curves(folder: Path, run: Described) -> None:
    run.scalars = event_files.read_scalars(folder / run_directory.LOGS)
    if "progress/epoch" in run.scalars:
        steps, epochs = run.scalars["progress/epoch"]
        run.facts.append(("trained for", f"{steps[-1]:,} steps, {epochs[-1]:.1f} epochs"))


def _checkpoint(method: Method, config: EvaluationConfig, folder: Path, run: Described) -> bool:
    """Whether there is the checkpoint; a run that has none yet is told of without."""
    try:
        path, step = checkpoints.find(folder / run_directory.CHECKPOINTS, config.checkpoint)
    except UserError as error:
        if config.checkpoint != checkpoints.LATEST:
            raise
        run.missing.append(f"There are no scores, sheets and parameters: {error}.")
        return False
    run.facts.append(("checkpoint", f"after step {step:,} ({config.checkpoint})"))
    if caution := method.caution(run.config, step):
        run.missing.append(f"{caution[0].upper()}{caution[1:]}.")
    for file in sorted(Path(path).parent.glob(f"{Path(path).name}.data-*")):
        run.facts.append((f"sha256 of {file.name}", sha256_file(file)))
    return True


def _data(config: EvaluationConfig, run: Described) -> EvaluationConfig | None:
    """What a method that learns from photos says of them; the config where they are here."""
    from lorbms_tf.training import photo_scores

    run.facts.append(("trained on", run.config.photos or "not known"))
    photos = config.photos or run.config.eval_photos
    try:
        data = photo_scores.held_out(config)
        data.held_out_fingerprint()
    except UserError:
        if config.photos:
            raise
        run.missing.append(
            "Nothing was scored or drawn for this page: no --photos were given, and the run's own "
            f"held-out photos ({photos or 'none'}) are not here."
        )
        return None
    run.facts.append(("looked at on", photos))
    return dataclasses.replace(config, photos=photos)


def _measure(method: Method) -> Any:
    """(config, run, rows, cell) adds the scores and pictures of the method; gives the model."""

    def measure(config: EvaluationConfig, run: Described, rows: int, cell: int) -> Any:
        from lorbms_tf.training import photo_scores

        measured = method.evaluation.measure(config)
        values, names = measured.values, method.evaluation.names(config)
        reasons = values.get("missing", {})
        run.scores = {name: values[name] for name in names if name not in reasons}
        run.missing += [f"{name} cannot be computed: {why}." for name, why in reasons.items()]
        run.missing += [f"{note[0].upper()}{note[1:]}." for note in measured.notes if note.strip()]
        run.protocol = (
            f"On {values['records']:,} held-out photos, after step {values['step']:,}, with seed "
            f"{config.seed}."
        )
        model, _ = run_directory.load_model(config.run_dir, config.checkpoint)
        batch = next(iter(photo_scores.held_out(config).held_out(rows, rows)()))
        outputs = model.infer(batch)
        for name, draw in method.pictures.items():
            note = "What the model makes of held-out photos."
            run.sheets.append((name.replace("_", " ").capitalize(), note, draw(batch, outputs)))
        return model

    return measure


def _samples(folder: Path, run: Described) -> None:
    """The first and the last picture that training drew."""
    drawn = sorted((folder / run_directory.SAMPLES).glob("step_*.png"))
    for path in dict.fromkeys([*drawn[:1], *drawn[-1:]]):
        step = int(path.stem.removeprefix("step_"))
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        title = f"Sample picture, step {step:,}"
        run.sheets.append((title, "Drawn in training.", Image.fromarray(pixels)))
