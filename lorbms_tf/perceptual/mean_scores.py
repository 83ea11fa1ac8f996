"""How far generalised means lie from their targets: sliced Wasserstein distances, with errors.

Amir and Weiss (2021), supplement, 2.2 and figure 2: by level of the Laplacian pyramid as Karras et
al. (2018) have it, between the means of all problems and as many targets, one a problem, averaged
over several draws of these without replacement.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lorbms_tf.evaluation.sliced_wasserstein import sliced_wasserstein
from lorbms_tf.evaluation.tables import aligned
from lorbms_tf.progress import track

DRAWS = 5  # of the targets
_GROUPS = 10  # of problems, one of which is left out at a time
TARGETS = "other targets"  # what other targets score: no mean can be expected to be nearer


class Estimate(NamedTuple):
    """A distance and its standard error over the problems (by the jackknife)."""

    value: float
    error: float


def draws(targets: Sequence[np.ndarray], seed: int, count: int = DRAWS) -> list[np.ndarray]:
    """Balanced sets of targets, one a problem and none twice: `count` times [P, S, S, 3].

    targets: [N, S, S, 3] of each of P problems; count is at most N.
    """
    rng = np.random.default_rng([seed, 0])
    orders = [rng.permutation(len(of_problem))[:count] for of_problem in targets]
    chosen = [of_problem[order] for of_problem, order in zip(targets, orders, strict=True)]
    return list(np.stack(chosen, axis=1))


def distances(
    means: Mapping[str, np.ndarray], real: Sequence[np.ndarray], baseline: str = ""
) -> tuple[dict[str, dict[int, Estimate]], dict[str, dict[int, Estimate]]]:
    """Distances by name and level, and how much larger they are than those of `baseline`.

    Errors are over problems: groups of them are left out in turn, the same ones for all names, so
    that differences are more exact than the distances themselves.

    Args:
      means: by name, [P, S, S, 3] in [-1, 1], one a problem; P is at least 2.
      real: balanced sets [P, S, S, 3] (`draws`).
      baseline: one of the names; "" for none.

    Raises ValueError where there is one problem only, or the sizes have no pyramid.
    """
    problems = len(real[0])
    if problems < 2:
        raise ValueError("errors over problems need at least 2 problems")
    kept = list(_kept(problems))
    jobs = [(name, rows) for name in means for rows in [np.arange(problems), *kept]]
    values: dict[str, list[dict[int, float]]] = {name: [] for name in means}
    for name, rows in track(jobs, label="sliced Wasserstein distances", unit="set"):
        values[name].append(_mean_distance(means[name][rows], [one[rows] for one in real]))
    absolute = {name: _estimates(found) for name, found in values.items()}
    if not baseline:
        return absolute, {}
    differences = {
        name: _estimates(
            [
                {level: one[level] - other[level] for level in one}
                for one, other in zip(found, values[baseline], strict=True)
            ]
        )
        for name, found in values.items()
        if name != baseline
    }
    return absolute, differences


def _kept(problems: int) -> Iterator[np.ndarray]:
    """The problems that stay as each group is left out."""
    for group in np.array_split(np.arange(problems), min(_GROUPS, problems)):
        yield np.setdiff1d(np.arange(problems), group)


def _mean_distance(means: np.ndarray, real: Sequence[np.ndarray]) -> dict[int, float]:
    by_draw = [
        sliced_wasserstein(targets, means, seed=number, silent=True)
        for number, targets in enumerate(real)
    ]
    return {level: float(np.mean([one[level] for one in by_draw])) for level in by_draw[0]}


def _estimates(values: Sequence[Mapping[int, float]]) -> dict[int, Estimate]:
    """Of the value of all problems, and those without each group: value and jackknife error."""
    made = {}
    for level, value in values[0].items():
        without = np.array([one[level] for one in values[1:]])
        groups = len(without)
        spread = np.square(without - without.mean()).sum()
        made[level] = Estimate(value, float(np.sqrt((groups - 1) / groups * spread)))
    return made


def average(by_level: Mapping[int, Estimate]) -> float:
    """The mean over the levels."""
    return float(np.mean([estimate.value for estimate in by_level.values()]))


def table(
    absolute: Mapping[str, Mapping[int, Estimate]],
    differences: Mapping[str, Mapping[int, Estimate]],
    baseline: str,
) -> str:
    """A row a name, with errors; then what each has more than the baseline."""
    levels = list(next(iter(absolute.values())))
    header = [f"{level} px" for level in levels]
    rows = [["distance", *header, "mean of levels"]]
    rows += [
        [name, *map(_shown, found.values()), f"{average(found):.1f}"]
        for name, found in absolute.items()
    ]
    if differences:
        rows += [[f"more than {baseline}:", *[""] * len(levels), ""]]
        rows += [
            [
                f"  {name}",
                *(_shown(found[level], "+") for level in levels),
                f"{average(found):+.1f}",
            ]
            for name, found in differences.items()
        ]
    return aligned(rows)


def _shown(estimate: Estimate, sign: str = "") -> str:
    return f"{estimate.value:{sign}.1f} +- {estimate.error:.1f}"
