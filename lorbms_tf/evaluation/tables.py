"""JSON lines of `lorbms_tf.evaluate` to a table of what was measured alike."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json_lines

# What a line says of itself, beside its scores.
_NO_SCORES = frozenset(
    (
        "run_dir",
        "records_glob",
        "dataset_hash",
        "seed",
        "limit",
        "step",
        "tau",
        "records",
        "protocol",
        "missing",
    )
)
_LOWER_IS_BETTER = ("frechet", "kernel", "swd", "swap_cycle_error", "seams_mix")
_NO_BEST = ("seams_reconstruction", "seams_pasted")  # the floor and the ceiling of seams_mix
# How the patches of swd_mix and swd_reconstruction lie in the two sets: a part of the protocol. In
# lines that do not say it they lay at the same places, which has a name of its own now.
PATCHES, DRAWN_APART = "swd_patches", "drawn apart"
_FORMER = {"swd_mix": "swd_paired_mix", "swd_reconstruction": "swd_paired_reconstruction"}
# What must agree between two lines for their scores to be comparable, beside the protocol.
_ALIKE = ("dataset_hash", "records", "seed")


def read(path: str, flag: str = "table") -> list[dict[str, Any]]:
    """The lines of a file, their scores by today's names.

    Raises UserError, naming file and line, where it is not evaluate's output.
    """
    lines = read_json_lines(path, flag, {"run_dir", "records"}, "lorbms_tf.evaluate")
    return [_by_present_names(line) for line in lines]


def _by_present_names(line: dict[str, Any]) -> dict[str, Any]:
    if PATCHES in (line.get("protocol") or {}):
        return line
    return {_FORMER.get(name, name): value for name, value in line.items()}


def check_alike(lines: list[dict[str, Any]], path: str) -> None:
    """Raises UserError where two lines were measured by different protocols, saying what differs.

    The extractor and the resize concern scores of features only: where a line does not know a
    part of the protocol, it is compared in the other parts.
    """
    known: dict[str, tuple[int, Any]] = {}  # by what: the first line that knows it, and its value
    for number, line in enumerate(lines, start=1):
        for key, value in _measured(line).items():
            first, held = known.setdefault(key, (number, value))
            if held != value:
                raise UserError(
                    f"--table={path}: lines {first} and {number} differ in {key} ({_short(held)}; "
                    f"{_short(value)}), so their scores do not compare: keep them in files apart"
                )


def _measured(line: dict[str, Any]) -> dict[str, Any]:
    """What must agree: the records, always; of the protocol what the line knows."""
    protocol = (line.get("protocol") or {}).items()
    parts = {f"protocol ({name})": value for name, value in protocol if value is not None}
    return {**{key: line.get(key) for key in _ALIKE}, **parts}


def has_patches(names: Iterable[str]) -> bool:
    """Whether any of these scores depends on how patches are drawn."""
    return any(name in _FORMER for name in names)


def _short(value) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def score_names(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of all scores in lines, in their order."""
    names = dict.fromkeys(name for line in lines for name in line)
    return [name for name in names if name not in _NO_SCORES]


def table(lines: list[dict[str, Any]]) -> str:
    """One row a line, one column a score, aligned; "-" where a line lacks a score.

    Where all are checkpoints of one run, its mean, SD and best follow.
    """
    names = score_names(lines)
    rows = [["run", "step", *names]]
    for line in lines:
        values = [line.get(name) for name in names]
        shown = [f"{value:.4g}" if isinstance(value, int | float) else "-" for value in values]
        rows.append([str(line["run_dir"]), str(line.get("step", "-")), *shown])
    one_run = len({line["run_dir"] for line in lines}) == 1
    if one_run and len({line.get("step") for line in lines}) > 1:
        rows += _over_training([[line.get(name) for line in lines] for name in names], names)
    return aligned(rows)


def _over_training(columns: list[list], names: list[str]) -> list[list[str]]:
    """Mean, SD and best of each score over the checkpoints of a run (thesis, table 4.4)."""
    found = []
    for name, column in zip(names, columns, strict=True):
        values = [value for value in column if isinstance(value, int | float)]
        if not values:
            found.append(["-"] * 3)
            continue
        spread = f"{np.std(values, ddof=1):.4g}" if len(values) > 1 else "-"
        best = (min if name.startswith(_LOWER_IS_BETTER) else max)(values)
        shown = "-" if name in _NO_BEST else f"{best:.4g}"
        found.append([f"{np.mean(values):.4g}", spread, shown])
    rows = zip(*found, strict=True)
    return [[what, "", *row] for what, row in zip(("mean", "SD", "best"), rows, strict=True)]


def aligned(rows: list[list[str]], left: int = 1) -> str:
    """Rows of cells as lines: the first `left` columns flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def line(row: list[str]) -> str:
        cells = zip(row, widths, strict=True)
        return "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(cells)
        )

    return "\n".join(map(line, rows))
