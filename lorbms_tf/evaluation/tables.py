"""Lines of scores as a table, and tables as files."""

import csv
import io
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lorbms_tf import files
from lorbms_tf.evaluation.lines import score_names
from lorbms_tf.evaluation.scores import Score


def table(lines: list[dict[str, Any]], score: Callable[[str], Score | None]) -> str:
    """One row a line, one column a score, aligned; "-" where a line lacks a score.

    Where all are checkpoints of one run, its mean, SD and best follow; "-" where neither end of a
    score is the better one.

    Args:
      lines: of `lorbms_tf.evaluation.lines`.
      score: (its name in a line) -> the score, None for an unknown one.
    """
    names = score_names(lines)
    rows = [["run", "step", *names]]
    for line in lines:
        values = [line.get(name) for name in names]
        shown = [f"{value:.4g}" if isinstance(value, int | float) else "-" for value in values]
        rows.append([str(line["run_dir"]), str(line.get("step", "-")), *shown])
    one_run = len({line["run_dir"] for line in lines}) == 1
    if one_run and len({line.get("step") for line in lines}) > 1:
        columns = {name: [line.get(name) for line in lines] for name in names}
        rows += _over_training(columns, score)
    return aligned(rows)


def _over_training(
    columns: dict[str, list], score: Callable[[str], Score | None]
) -> list[list[str]]:
    """Mean, SD and best of each score over the checkpoints of a run (thesis, table 4.4)."""
    cells = []
    for name, column in columns.items():
        values = [value for value in column if isinstance(value, int | float)]
        if not values:
            cells.append(["-"] * 3)
            continue
        spread = f"{np.std(values, ddof=1):.4g}" if len(values) > 1 else "-"
        known = score(name)
        better = {None: None, True: max, False: min}[known.higher_is_better if known else None]
        best = f"{better(values):.4g}" if better else "-"
        cells.append([f"{np.mean(values):.4g}", spread, best])
    rows = zip(*cells, strict=True)
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


def write_csv(path: str | os.PathLike, rows: Sequence[Sequence[str]]) -> None:
    """Writes a row a line; cells with commas, quotes or line ends are put in quotes.

    Raises UserError where the file cannot be written.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    with files.atomic_file(path) as file:
        file.write(text.getvalue().encode())
