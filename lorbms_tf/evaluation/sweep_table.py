"""The table of a sweep: mean and spread of each score over the seeds of each variant."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lorbms_tf.evaluation.lines import score_names
from lorbms_tf.evaluation.tables import aligned


def summary(runs: Mapping[tuple[str, int], Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """One entry a variant, in order: its name, its seeds, and each score's mean, SD and values.

    Args:
      runs: (variant, seed) -> lines of `lorbms_tf.evaluate`, one a checkpoint, whose mean is the
        run's value. It is None where a line has none (a score that is not finite).

    The SD is that of a sample (n - 1), None with fewer than two values; so is the mean of none.
    """
    by_variant: dict[str, dict[int, dict[str, float | None]]] = {}
    for (variant, seed), lines in runs.items():
        by_variant.setdefault(variant, {})[seed] = _over_checkpoints(lines)
    return [_entry(variant, by_seed) for variant, by_seed in by_variant.items()]


def _over_checkpoints(lines: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    names = score_names(lines)
    columns = {name: [line.get(name) for line in lines] for name in names}
    return {
        name: None if None in values else float(np.mean(values)) for name, values in columns.items()
    }


def _entry(variant: str, by_seed: Mapping[int, Mapping[str, float | None]]) -> dict[str, Any]:
    scores = {}
    for name in dict.fromkeys(name for found in by_seed.values() for name in found):
        values = [found.get(name) for found in by_seed.values()]
        known = [value for value in values if value is not None]
        scores[name] = {
            "mean": float(np.mean(known)) if known else None,
            "sd": float(np.std(known, ddof=1)) if len(known) > 1 else None,
            "values": values,
        }
    return {"variant": variant, "seeds": list(by_seed), "scores": scores}


def text(summaries: Sequence[Mapping[str, Any]]) -> str:
    """One row a variant: how many runs, and "mean ± SD" of each score; "-" where there is none."""
    names = list(dict.fromkeys(name for entry in summaries for name in entry["scores"]))
    rows = [["variant", "runs", *names]]
    for entry in summaries:
        shown = [_cell(entry["scores"].get(name)) for name in names]
        rows.append([entry["variant"], str(len(entry["seeds"])), *shown])
    return aligned(rows)


def _cell(score: Mapping[str, Any] | None) -> str:
    if score is None or score["mean"] is None:
        return "-"
    spread = "" if score["sd"] is None else f" ± {score['sd']:.2g}"
    return f"{score['mean']:.4g}{spread}"
