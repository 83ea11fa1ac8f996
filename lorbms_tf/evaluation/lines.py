"""Lines of scores, JSON objects: written, read again, and refused where they do not compare."""

import contextlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lorbms_tf import files
from lorbms_tf.errors import UserError

# What a line says of itself, beside its scores: which run, on which data, measured how.
_SOURCES = ("records_glob", "photos")  # by what the data were found
_NO_SCORES = frozenset(
    (
        *("run_dir", "method", *_SOURCES, "dataset_hash", "seed", "limit"),
        *("step", "tau", "records", "protocol", "missing"),
    )
)
# How the patches of swd_mix and swd_reconstruction lie in the two sets: a part of the protocol. In
# lines that do not say it they lay at the same places, which has a name of its own now.
PATCHES, DRAWN_APART = "swd_patches", "drawn apart"
_FORMER = {"swd_mix": "swd_paired_mix", "swd_reconstruction": "swd_paired_reconstruction"}
# What must agree between two lines for their scores to be comparable, beside the protocol.
_ALIKE = ("dataset_hash", "records", "seed")


def text(origin: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """One line of JSON: where the scores come from, then the scores; null where not finite.

    Args:
      origin: run and data (`lorbms_tf.training.method.Evaluation.origin`).
      values: what was measured (`lorbms_tf.training.method.Measured.values`).
    """
    finite = {name: _finite(value) for name, value in values.items()}
    return json.dumps({**origin, **finite}, allow_nan=False)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read(path: str, flag: str = "table") -> list[dict[str, Any]]:
    """The lines of a file, their scores by today's names.

    Raises UserError, naming file and line, where it is not evaluate's output.
    """
    lines = files.read_json_lines(path, flag, {"run_dir", "records"}, "lorbms_tf.evaluate")
    return [_by_present_names(line) for line in lines]


def _by_present_names(line: dict[str, Any]) -> dict[str, Any]:
    if PATCHES in (line.get("protocol") or {}):
        return line
    return {_FORMER.get(name, name): value for name, value in line.items()}


def score_names(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of all scores in lines, in their order."""
    names = dict.fromkeys(name for line in lines for name in line)
    return [name for name in names if name not in _NO_SCORES]


def source(line: Mapping[str, Any]) -> str | None:
    """By what the data of a line were found; None where it does not say."""
    return next((line[name] for name in _SOURCES if name in line), None)


def check_dataset(path: str, digest: str | None) -> None:
    """Raises UserError where a file that lines are added to holds scores on another dataset.

    What is not known is not compared: lines without a hash, and data without one (None).
    """
    if not digest or not files.is_file(path):
        return
    for number, line in enumerate(files.read_lines(path, f"--out={path}"), start=1):
        with contextlib.suppress(ValueError):  # a line of somebody else's
            held = json.loads(line)
            known = held.get("dataset_hash") if isinstance(held, dict) else None
            if known and known != digest:
                raise UserError(
                    f"--out={path} holds scores on another dataset (line {number}: "
                    f"{source(held)}, {known[:12]}...; these records: "
                    f"{digest[:12]}...), which do not compare: name another file, or pass "
                    "--allow_other_dataset"
                )


def check_alike(lines: Sequence[Mapping[str, Any]], path: str) -> None:
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


def _measured(line: Mapping[str, Any]) -> dict[str, Any]:
    """What must agree: the records, always; of the protocol what the line knows."""
    protocol = (line.get("protocol") or {}).items()
    parts = {f"protocol ({name})": value for name, value in protocol if value is not None}
    return {**{key: line.get(key) for key in _ALIKE}, **parts}


def _short(value: Any) -> str:
    shown = json.dumps(value)
    return shown if len(shown) <= 200 else f"{shown[:200]}..."


def answers(
    line: Mapping[str, Any],
    origin: Mapping[str, Any],
    names: Iterable[str],
    conditions: Mapping[str, Any],
) -> bool:
    """Whether a line holds all scores that are asked for, of these data and measured in this way.

    Args:
      line: one of `read`.
      origin: run and data.
      names: of the scores.
      conditions: parts of the protocol; a line that does not know one is not compared in it.
    """
    protocol = line.get("protocol") or {}
    return (
        all(line.get(name) == value for name, value in origin.items())
        and all(protocol.get(name) in (None, value) for name, value in conditions.items())
        and all(name in line for name in names)
    )
