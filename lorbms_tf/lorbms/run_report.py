"""What there is to tell of a run: read from its directory, measured and drawn by its model."""

import contextlib
import dataclasses
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lorbms_tf import __version__
from lorbms_tf.data import dataset_file, quadrants, records
from lorbms_tf.data.images import to_float
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation import lines
from lorbms_tf.files import atomic_path, read_json, sha256_file
from lorbms_tf.lorbms import run_page, scoring, sheets
from lorbms_tf.lorbms.method import parameter_rows
from lorbms_tf.lorbms.run_page import Described
from lorbms_tf.lorbms.score_config import ScoringConfig
from lorbms_tf.lorbms.signs import never_mixed
from lorbms_tf.pages import formats
from lorbms_tf.training import checkpoints, event_files, run_directory

_PAIRS_PER_ROW = 5  # of reconstructions
_MASKS = ("1000", "0100", "0010", "0001", "1100", "0011", "1010", "0101")  # of transfers, in turn
_PATHS, _PATH_STEPS = 3, 8
_TOLD_ELSEWHERE = ("shards", "duplicates", "clusters", "distance_quantiles_per_quadrant")


def describe(config: ScoringConfig, scores: str, rows: int, cell: int) -> Described:
    """Everything that the page shows.

    Args:
      config: the run, and how it is scored; without records on the run's own, where they are here.
      scores: a comma list of files of lines that `lorbms_tf.evaluate` has written.
      rows, cell: of the sheets.

    Raises:
      UserError: what was asked for by name cannot be used. What is not there else is in `missing`.
    """
    scoring.check_metrics(config)
    trained = run_directory.read_config(config.run_dir)
    folder = run_directory.resolve(config.run_dir)
    pretrained = folder != Path(config.run_dir)
    run = Described(config.run_dir if pretrained else folder.resolve().name, trained)
    run.facts.append(("run directory", config.run_dir if pretrained else str(folder.resolve())))
    _earlier_scores(folder, scores, run)
    _curves(folder, run)
    _training_records(folder, run)
    pattern = _held_out(config, run)
    if _checkpoint(config, folder, run):
        model = _measure(config, pattern, run, rows, cell) if pattern else None
        model = model or run_directory.load_model(config.run_dir, config.checkpoint)[0]
        run.parameters = parameter_rows(model)
    versions = f"lorbms_tf {__version__}, TensorFlow {tf.__version__}, Keras {keras.__version__}"
    run.facts.append(("software of this page", versions))
    return run


def write(run: Described, path: str) -> None:
    """Writes the page. Raises UserError where it cannot be written."""
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    footer = f"Written by lorbms_tf.report {__version__}, {when}; this page loads nothing."
    with atomic_path(path) as temporary:
        temporary.write_text(run_page.page(run, footer), "utf-8")


def _earlier_scores(folder: Path, scores: str, run: Described) -> None:
    named = [path.strip() for path in scores.split(",") if path.strip()]
    for path in named:
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


def _training_records(folder: Path, run: Described) -> None:
    """What records.json says, and the dataset.json of the records where they still are."""
    run.facts.append(("trained on", run.config.records or "not known"))
    path = folder / run_directory.RECORDS_FILE
    if path.is_file():
        shards = read_json(path)
        size = formats.size(sum(shard["bytes"] for shard in shards))
        hashes = {shard.get("dataset_hash") for shard in shards} - {None}
        told = ", ".join(["", *(f"dataset {digest}" for digest in sorted(hashes))])
        run.facts.append(("its records", f"{len(shards)} shards, {size}{told}"))
    with contextlib.suppress(UserError):  # they may lie elsewhere by now
        _dataset("Dataset that was learnt from", records.find_shards(run.config.records), run)


def _dataset(title: str, shards: list[str], run: Described) -> None:
    path = Path(shards[0]).parent / records.DATASET_FILE
    stored = read_json(path) if path.is_file() else None
    if isinstance(stored, dict):
        kept = {key: value for key, value in stored.items() if key not in _TOLD_ELSEWHERE}
        run.datasets.append((f"{title}: {path}", kept))


def _held_out(config: ScoringConfig, run: Described) -> str:
    """The glob of the records that the run is looked at on; "" where there are none."""
    pattern = config.records or run.config.eval_records
    try:
        shards = records.find_shards(pattern) if pattern else []
    except UserError:
        if config.records:
            raise
        shards = []
    if not shards:
        run.missing.append(
            "Nothing was scored or drawn for this page: no --records were given, and the run's own "
            f"held-out records ({pattern or 'none'}) are not here."
        )
        return ""
    digest = dataset_file.hash_of(shards)
    run.facts.append(("looked at on", f"{pattern}{f', dataset {digest}' if digest else ''}"))
    _dataset("Dataset that it was looked at on", shards, run)
    return pattern


def _checkpoint(config: ScoringConfig, folder: Path, run: Described) -> bool:
    """Whether there is the checkpoint; a run that has none yet is told of without."""
    try:
        path, step = checkpoints.find(folder / run_directory.CHECKPOINTS, config.checkpoint)
    except UserError as error:
        if config.checkpoint != checkpoints.LATEST:
            raise
        run.missing.append(f"There are no scores, sheets and parameters: {error}.")
        return False
    run.facts.append(("checkpoint", f"after step {step:,} ({config.checkpoint})"))
    if caution := never_mixed(run.config, step):
        run.missing.append(f"{caution[0].upper()}{caution[1:]}.")
    for file in sorted(Path(path).parent.glob(f"{Path(path).name}.data-*")):
        run.facts.append((f"sha256 of {file.name}", sha256_file(file)))
    return True


def _measure(config: ScoringConfig, pattern: str, run: Described, rows: int, cell: int) -> Any:
    """Scores and sheets; returns the model."""
    scored = scoring.score(dataclasses.replace(config, records=pattern))
    told = dict(scored.scores)
    step, tau, count = (told.pop(name) for name in ("step", "tau", "records"))
    protocol = told.pop("protocol", None)
    missing = told.pop("missing", {})
    run.scores = {name: value for name, value in told.items() if name not in missing}
    run.missing += [f"{name} cannot be computed: {reason}." for name, reason in missing.items()]
    run.missing += [f"Caution: {text}." for text in scored.cautions]
    run.protocol = (
        f"On {count:,} held-out references, after step {step:,}, with tau {tau:.4g} and seed "
        f"{config.seed} of the drawn candidates."
    )
    if protocol:
        run.protocol += f" Sets are compared with {protocol['real_images']:,} real images"
        run.protocol += f" ({protocol['real']})."
        if protocol["extractor"]:
            run.protocol += f" Features: {protocol['extractor']}, resize {protocol['resize']}."
    if scored.bad.count:
        run.missing.append(scored.bad.summary())
    if "swaps" in scored.swaps:
        swaps = scored.swaps["swaps"]
        run.follows, run.cycle_error = swaps.follows, swaps.cycle_error
    run.sheets = _sheets(scored, rows, cell)
    return scored.model


def _sheets(scored: scoring.Scored, rows: int, cell: int) -> list[tuple]:
    made, pairs = scored.rendered, _transfers(scored.rendered.reference, rows)
    first = slice(rows)
    scenes = sheets.scene_sheet(
        made.reference[first],
        to_float(made.candidates[first]),
        made.mask[first],
        made.mix[first],
        cell=cell,
    )
    first = slice(_PAIRS_PER_ROW * max(1, rows // 2))
    reconstructions = sheets.reconstructions_sheet(
        made.reference[first], made.reconstruction[first], _PAIRS_PER_ROW, cell
    )
    paths = sheets.Transfers(*(values[:_PATHS] for values in pairs))
    paths = paths._replace(masks=np.ones_like(paths.masks))
    return [
        (
            "Mixed scenes",
            "Held-out references, the candidates of their quadrants (framed where they replace), "
            "the quadrants pasted, and what the model decodes from the mixed code (figure 4.2).",
            scenes,
        ),
        (
            "Reconstructions",
            "Held-out references, and what is decoded from their own codes.",
            reconstructions,
        ),
        (
            "Object transfer",
            "The masked quadrants of I_obj put into I_ref, by pasting and by the model (table "
            "4.2); here two held-out references that have nothing to do with each other.",
            sheets.draw_transfers(scored.model, pairs, cell),
        ),
        (
            "Interpolation",
            "From the code of one reference to that of another, on each kind of path.",
            sheets.draw_paths(scored.model, paths, _PATH_STEPS, cell),
        ),
    ]


def _transfers(references: np.ndarray, rows: int) -> sheets.Transfers:
    """Each of the first references as the scene of one from the other half."""
    count = min(rows, len(references))
    others = (np.arange(count) + max(1, len(references) // 2)) % len(references)
    masks = [quadrants.parse_mask(_MASKS[n % len(_MASKS)]) for n in range(count)]
    return sheets.Transfers(
        references[others], references[:count], np.stack(masks), [(None, None)] * count
    )
