"""What `lorbms_tf.report` shows of a run of the thesis: records, scores, swap matrix, sheets."""

import contextlib
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from lorbms_tf.data import dataset_file, quadrants, records, stages
from lorbms_tf.data.images import to_float
from lorbms_tf.data.quadrants import NAMES, PLACES
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.swap_matrix import SwapMatrix
from lorbms_tf.files import read_json
from lorbms_tf.lorbms import scoring, sheets
from lorbms_tf.lorbms.score_config import ScoringConfig
from lorbms_tf.pages import charts, formats, html
from lorbms_tf.pages.run_page import Described
from lorbms_tf.training import run_directory

_PAIRS_PER_ROW = 5  # of reconstructions
_MASKS = ("1000", "0100", "0010", "0001", "1100", "0011", "1010", "0101")  # of transfers, in turn
_PATHS, _PATH_STEPS = 3, 8
_TOLD_ELSEWHERE = ("shards", "duplicates", "clusters", "distance_quantiles_per_quadrant")


def data(config: ScoringConfig, run: Described) -> ScoringConfig | None:
    """Adds what the run learned from and is looked at on; None where there are no such records.

    Raises UserError where records were asked for by name and are not there.
    """
    run.parameters_title = "Trainable parameters (table 3.6 counts alike)"
    if run.config.autoencoder_steps:
        run.mark = ("mixing begins", run.config.autoencoder_steps)
    _training_records(run_directory.resolve(config.run_dir), run)
    pattern = _held_out(config, run)
    return dataclasses.replace(config, records=pattern) if pattern else None


def _training_records(folder: Path, run: Described) -> None:
    """What records.json says, and the dataset.json of the records where they still are."""
    sets = stages.parse(run.config.records, run.config.stages)
    run.facts.append(("trained on", ", then ".join(s.pattern for s in sets) or "not known"))
    path = folder / run_directory.RECORDS_FILE
    if path.is_file():
        shards = read_json(path)
        size = formats.size(sum(shard["bytes"] for shard in shards))
        hashes = {shard.get("dataset_hash") for shard in shards} - {None}
        told = ", ".join(["", *(f"dataset {digest}" for digest in sorted(hashes))])
        run.facts.append(("its records", f"{len(shards)} shards, {size}{told}"))
    for one in sets:
        with contextlib.suppress(UserError):  # they may lie elsewhere by now
            _dataset("Dataset that was learnt from", records.find_shards(one.pattern), run)


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


def measure(config: ScoringConfig, run: Described, rows: int, cell: int) -> Any:
    """Adds scores, the swap matrix and sheets; returns the model."""
    scored = scoring.score(config)
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
        run.sections.append(swap_section(scored.swaps["swaps"]))
    run.sheets = _sheets(scored, rows, cell)
    return scored.model


def swap_section(swaps: SwapMatrix) -> tuple[str, str, str]:
    """The section on the swap matrix: title, how to read it, and its HTML."""
    rows = [f"{name}, {place}" for name, place in zip(NAMES, PLACES, strict=True)]
    panels = []
    for title, values in (
        ("How far each quadrant follows", swaps.follows),
        ("Error after encoding again", swaps.cycle_error),
    ):
        svg = charts.svg_text(charts.matrix(values, rows, list(PLACES)), title)
        panels.append(f"<div>{html.heading(title)}{svg}</div>")
    note = (
        "One chunk of a photo's code (row) is replaced by another photo's, and the code decoded. "
        "Left: how far each quadrant (column) went from the first photo's reconstruction (0) to "
        "the second's (1); ideal is 1 on the diagonal and 0 elsewhere. Right: the picture is "
        "encoded again; squared distance of each chunk (column) to what was decoded, in units of "
        "that between two photos; ideal is 0."
    )
    return "Swap matrix", note, f'<div class="two">{"".join(panels)}</div>'


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
