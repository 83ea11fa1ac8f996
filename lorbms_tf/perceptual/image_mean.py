"""The experiment of the generalised image mean: all problems under all distances, and the scores.

Amir and Weiss (2021), supplement, 2.2 and figures 2 to 4. The door is `lorbms_tf.image_mean`.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from lorbms_tf import files, progress
from lorbms_tf.errors import UserError
from lorbms_tf.features import named_distances
from lorbms_tf.perceptual import generators, mean_report, mean_scores, problems
from lorbms_tf.perceptual.generalised_mean import Descent, MeanSearch
from lorbms_tf.perceptual.mean_config import SPATIAL, ImageMeanConfig
from lorbms_tf.perceptual.mean_files import MeanFiles

SCORES = "scores.json"
_PAIRS_ONLY = ("mmd_exact", "nngp")  # compare as many pictures with as many


class Results(NamedTuple):
    """What came of the problems.

    table: of the distances from the targets, as lines.
    scores: the same as JSON values.
    paths: of the pictures and pages that were written.
    """

    table: str
    scores: dict[str, Any]
    paths: list[Path]


def run(config: ImageMeanConfig) -> Results:
    """Makes the means that are missing in the folder of results, scores all and draws them.

    Raises UserError for photos, generators, distances or a folder that cannot be used.
    """
    given = problem_set(config)
    searches = _searches(config)
    results = MeanFiles(config)
    _make(config, given, searches, results)
    targets = [given.targets(n, config.num_targets) for n in range(config.num_problems)]
    means = {name: results.means(name, config.num_problems) for name in config.distances}
    return _scored(config, given, targets, means)


def problem_set(config: ImageMeanConfig) -> problems.Spatial | problems.Generator:
    """The problems of a configuration. UserError where what they are made of cannot be used."""
    if config.problems == SPATIAL:
        return problems.spatial(
            config.images,
            config.num_problems,
            config.image_size,
            config.short_side,
            config.shift,
            config.seed,
        )
    return generators.problem_set(config)


def _searches(config: ImageMeanConfig) -> dict[str, MeanSearch]:
    descent = Descent(config.epochs, config.batch_size, config.learning_rate, config.pixel_weight)
    made = {}
    for name in config.distances:
        distance = named_distances.make(name, config, config.seed)
        if distance.window > config.image_size:
            raise UserError(
                f"--mmd_window={config.mmd_window} is larger than --image_size={config.image_size}"
            )
        made[name] = MeanSearch(_one_to_many(name, distance), descent)
    return made


def _one_to_many(name: str, distance: Callable) -> Callable:
    """A distance of one picture [1, S, S, 3] from B others."""
    if name not in _PAIRS_ONLY:
        return distance

    def of_pairs(image: Any, others: Any, draw: Any) -> Any:
        return distance(ops.repeat(image, others.shape[0], axis=0), others, draw)

    return of_pairs


def _make(
    config: ImageMeanConfig,
    given: problems.Spatial | problems.Generator,
    searches: dict[str, MeanSearch],
    results: MeanFiles,
) -> None:
    """Finds the means that are missing, problem by problem."""
    jobs = [
        (number, name)
        for number in range(config.num_problems)
        for name in results.missing(number, searches)
    ]
    here, targets = -1, None
    for number, name in progress.track(jobs, label="generalised means", unit="mean"):
        if number != here:
            here, targets = number, given.targets(number, config.num_targets)
        begun = time.monotonic()
        try:
            mean = searches[name](targets, config.seed, number)
        except ValueError as error:
            raise UserError(f"problem {number} under --distances={name}: {error}") from error
        seconds = round(time.monotonic() - begun, 2)
        results.add(number, name, mean, of=given.name(number), seconds=seconds)


def _scored(
    config: ImageMeanConfig,
    given: problems.Spatial | problems.Generator,
    targets: list[np.ndarray],
    means: dict[str, np.ndarray],
) -> Results:
    """Distances of the means from the targets, the table, the sheet and the page."""
    real = mean_scores.draws(targets, config.seed)
    baseline = config.distances[0]
    absolute, differences = mean_scores.distances(means, real, baseline)
    floor, _ = mean_scores.distances({mean_scores.TARGETS: real[-1]}, real[:-1])
    absolute |= floor
    told = mean_scores.table(absolute, differences, baseline)
    scores = {
        "problems": config.problems,
        "num_problems": config.num_problems,
        "score": "sliced Wasserstein distance as Karras et al. (2018), by level",
        "distances": _as_json(absolute),
        "differences": _as_json(differences),
    }
    folder = Path(config.out)
    files.write_json(folder / SCORES, scores)
    rows = min(config.sheet_rows, config.num_problems)
    names = [given.name(number) for number in range(rows)]
    sheet = mean_report.sheet(targets[:rows], {k: v[:rows] for k, v in means.items()}, names)
    paths = mean_report.write(folder, sheet, absolute, told)
    return Results(told, scores, [folder / SCORES, *paths])


def _as_json(estimates: dict[str, dict[int, mean_scores.Estimate]]) -> dict[str, Any]:
    return {
        name: {str(level): one._asdict() for level, one in found.items()}
        for name, found in estimates.items()
    }
