"""JSON lines of `lorbms_tf.evaluate` to a table of what was measured alike."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lorbms_tf.errors import UserError

# What a line says of itself, beside its scores.
_NO_SCORES = frozenset(
    ("run_dir", "records_glob", "dataset_hash", "seed", "step", "tau", "records", "protocol")
)
# What must agree between two lines for their scores to be comparable.
_ALIKE = ("dataset_hash", "records", "seed", "protocol")


def read(path: str, flag: str = "table") -> list[dict[str, Any]]:
    """The lines of a file. UserError, naming file and line, where it is not evaluate's output."""
    try:
        texts = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--{flag}={path} cannot be read: {error}") from error
    lines = []
    for number, text in enumerate(texts, start=1):
        try:
            line = json.loads(text)
        except ValueError as error:
            raise UserError(f"--{flag}={path}, line {number} is no JSON: {error}") from error
        if not isinstance(line, dict) or "run_dir" not in line or "records" not in line:
            raise UserError(f"--{flag}={path}, line {number} is no line of lorbms_tf.evaluate")
        lines.append(line)
    if not lines:
        raise UserError(f"--{flag}={path} holds no scores")
    return lines


def check_alike(lines: list[dict[str, Any]], path: str) -> None:
    """Raises UserError where two lines were measured by different protocols, saying what differs.

    The extractor and the resize concern scores of features only: a line without a protocol
    compares with one that has it.
    """
    first = lines[0]
    for number, line in enumerate(lines[1:], start=2):
        for key in _ALIKE:
            one, two = first.get(key), line.get(key)
            if one != two and not (key == "protocol" and None in (one, two)):
                raise UserError(
                    f"--table={path}: lines 1 and {number} differ in {key} ({_short(one)}; "
                    f"{_short(two)}), so their scores do not compare: keep them in files apart"
                )


def _short(value) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def score_names(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of all scores in lines, in their order."""
    names = dict.fromkeys(name for line in lines for name in line)
    return [name for name in names if name not in _NO_SCORES]


def table(lines: list[dict[str, Any]]) -> str:
    """One row a line, one column a score, aligned; "-" where a line lacks a score."""
    names = score_names(lines)
    rows = [["run", "step", *names]]
    for line in lines:
        values = [line.get(name) for name in names]
        shown = [f"{value:.4g}" if isinstance(value, int | float) else "-" for value in values]
        rows.append([str(line["run_dir"]), str(line.get("step", "-")), *shown])
    return aligned(rows)


def aligned(rows: list[list[str]]) -> str:
    """Rows of cells as lines: the first column flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def line(row: list[str]) -> str:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        return "  ".join(cells)

    return "\n".join(map(line, rows))
