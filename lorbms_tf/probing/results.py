"""JSON lines of finished runs, and the table that they make (as table 4.3 of the thesis)."""

from typing import Any

import numpy as np

from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.tables import aligned
from lorbms_tf.files import check_writable, is_file, read_json_lines, write_json_lines

ROW = ("features", "weights", "finetuned")  # what runs of one row of the table have in common
_RUN = ("features", "weights_sha256", "finetuned", "fold", "seed")  # what tells runs apart
SCORES = ("accuracy", "mean_average_precision")
_COLUMNS = ("features", "weights", "network", "score", "SD", "runs", "classifier")


def read(path: str, flag: str) -> list[dict[str, Any]]:
    """The lines of a file. UserError, naming file and line, where it is not the probe's output."""
    return read_json_lines(path, flag, {*ROW, *_RUN, "protocol"}, "lorbms_tf.probe")


def check_alike(lines: list[dict[str, Any]], protocol: dict[str, Any], where: str) -> None:
    """Raises UserError, saying what differs, where a line has another protocol."""
    for number, line in enumerate(lines, start=1):
        held = line["protocol"]
        names = [name for name in {**held, **protocol} if held.get(name) != protocol.get(name)]
        if names:
            differing = "; ".join(f"{n}: {held.get(n)}, {protocol.get(n)}" for n in sorted(names))
            raise UserError(
                f"{where}, line {number} was measured by another protocol ({differing}), so the "
                "scores do not compare: keep them in files apart"
            )


class Results:
    """The finished runs in a file; without a file, of this process.

    Args:
      path: the file; "" for none. It is made with the first run.
      protocol: of all runs.

    Raises UserError where the file is something else, of another protocol, or cannot be written.
    """

    def __init__(self, path: str, protocol: dict[str, Any]):
        self._path, self._protocol = path, protocol
        if path:
            check_writable(path)  # before the runs, which may take hours
        self.lines = read(path, "out") if path and is_file(path) else []
        check_alike(self.lines, protocol, f"--out={path}")

    def find(self, run: dict[str, Any]) -> dict[str, Any] | None:
        """The line of a run that is finished: one that agrees in all that tells runs apart."""
        same = (line for line in self.lines if all(line[n] == run[n] for n in _RUN))
        return next(same, None)

    def add(self, line: dict[str, Any]) -> dict[str, Any]:
        """Keeps the line of a run and returns it, with the protocol.

        Raises UserError where the file cannot be written.
        """
        self.lines.append({**line, "protocol": self._protocol})
        if self._path:
            write_json_lines(self._path, self.lines)
        return self.lines[-1]


def describe(protocol: dict[str, Any]) -> str:
    """A protocol in words, for people."""
    words = (f"{name} {value}" for name, value in protocol.items() if "sha256" not in name)
    return "protocol: " + ", ".join(words)


def table(lines: list[dict[str, Any]]) -> str:
    """A row for each network: mean and standard deviation over folds and seeds, in percent.

    The deviation is that of a sample; with a single run there is none.
    """
    rows: dict[tuple, list[dict]] = {}
    for line in lines:
        rows.setdefault(tuple(line[name] for name in ROW), []).append(line)
    cells = [list(_COLUMNS), *(_cells(row, runs) for row, runs in rows.items())]
    cells[0][3] = _score_name(lines[0]).replace("_", " ") if lines else "score"
    return aligned(cells, left=3)


def _cells(row: tuple, runs: list[dict]) -> list[str]:
    features, weights, finetuned = row
    found = [100 * run[_score_name(run)] for run in runs]
    deviation = f"{np.std(found, ddof=1):.1f}" if len(found) > 1 else "-"
    parameters = runs[0]["classifier_parameters"]
    return [
        features,
        weights,
        "fine-tuned" if finetuned else "frozen",
        f"{np.mean(found):.1f} %",
        deviation,
        str(len(runs)),
        f"{parameters:,}" if parameters else "-",
    ]


def _score_name(line: dict[str, Any]) -> str:
    return next(name for name in SCORES if name in line)
