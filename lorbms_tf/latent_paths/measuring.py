"""What is measured of paths: how long, how even, and how natural their middles are."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lorbms_tf import progress
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation import frechet
from lorbms_tf.features import registry
from lorbms_tf.latent_paths import equalise, finding, lengths, models, pictures
from lorbms_tf.latent_paths.config import PLAIN, PathsConfig
from lorbms_tf.latent_paths.metrics import Metrics


class Measured(NamedTuple):
    """Of one metric: its scores by name, its pictures [P, K, S, S, C], its cumulative lengths."""

    scores: dict[str, Any]
    pictures: np.ndarray
    cumulative: np.ndarray  # [P, K], shares of each path's length


class Results(NamedTuple):
    """All of a run of `lorbms_tf.paths`.

    whole: False where Ctrl-C came: some paths are not there, or coarser.
    """

    metrics: dict[str, Measured]
    description: dict[str, Any]
    whole: bool


def measure(config: PathsConfig) -> Results:
    """Finds and measures the paths. UserError for models, pictures and weights of no use."""
    codec = _codec(config)
    finding.check(config.metrics, codec)
    metrics = Metrics(config, config.seed)
    weights = {name: metrics.weights(name) for name in (*config.metrics, config.judge)}
    if codec.encode is None:
        ends = finding.drawn_ends(codec, config.pairs, config.mask, config.sphere, config.seed)
        given = lengths.decoded(codec.decode, np.stack([ends.starts, ends.ends]))
    else:
        given = pictures.read(config, codec.side, codec.channels)
        ends = finding.ends_of(codec, given, config.mask, config.sphere)
    straight = lengths.decoded(codec.decode, finding.plain("linear", ends, config.segments))
    real = given.reshape(-1, *given.shape[2:])
    middles = _frechet_to(real, config)
    measured, whole = {}, True
    for name in config.metrics:
        progress.say(f"{name}: {config.pairs} paths of {config.segments} steps")
        try:
            paths = finding.named_paths(name, codec, ends, metrics)
            judge = config.judge if name in PLAIN else name
            made = lengths.decoded(codec.decode, paths.codes)
            measured[name] = _measured(metrics, judge, made, straight, middles)
            whole = paths.whole
        except KeyboardInterrupt:  # outside of a search, which keeps its best paths by itself
            if not measured:
                raise
            whole = False
        if not whole:
            progress.say(f"stopped at {name}: what was found before is kept")
            break
    description = {
        "model": config.run_dir or config.saved_model,
        "pairs": config.pairs,
        "segments": config.segments,
        "equalise": config.equalise,
        "sphere": ends.sphere,
        "mask": config.mask,
        "seed": config.seed,
        "judge": config.judge,
        "weights": {name: weights[name] for name in config.metrics if weights[name]},
    }
    return Results(measured, description, whole)


def _codec(config: PathsConfig) -> models.Codec:
    if config.saved_model:
        return models.of_saved_model(config.saved_model)
    return models.of_run(config.run_dir, config.checkpoint)


def _measured(
    metrics: Metrics, judge: str, made: np.ndarray, straight: np.ndarray, middles: Callable
) -> Measured:
    metric = metrics.metric(judge)
    steps, linear = (lengths.steps(metric, part) for part in (made, straight))
    if not (np.isfinite(steps).all() and np.isfinite(linear).all()):
        raise UserError(f"{judge} is not a number between some pictures of a path")
    whole, whole_linear = steps.sum(axis=1), linear.sum(axis=1)
    ratio = np.where(whole_linear > 0, whole / np.where(whole_linear > 0, whole_linear, 1), 1.0)
    uneven = lengths.largest_over_mean(steps)
    eye = _eye(metrics)
    perceived = lengths.variation(lengths.steps(metrics.metric(f"{eye}/none"), made))
    light, contrast = middle_errors(made)
    scores = {
        "length_over_linear": float(ratio.mean()),
        "length_over_linear_sd": float(ratio.std()),
        "largest_over_mean_step": float(uneven.mean()),
        "largest_over_mean_step_sd": float(uneven.std()),
        "middle_brightness_error": float(light.mean()),
        "middle_contrast_error": float(contrast.mean()),
        "perceived_variation": float(perceived.mean()),
        "perceived_by": eye,
        "measured_by": judge,
    }
    scores |= middles(made[:, made.shape[1] // 2])
    total = np.where(whole > 0, whole, 1.0)[:, None]
    along = np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1) / total], axis=1)
    return Measured(scores, made, along)


def _eye(metrics: Metrics) -> str:
    """The metric that stands for the eye: the first one of a network, else the judge."""
    names = metrics.config.metrics
    deep = [n for n in names if n not in PLAIN and metrics.weights(n)]
    return (deep or [metrics.config.judge])[0].partition("/")[0]


def middle_errors(made: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far the picture in the middle is from the mean of the ends: mean and deviation of luma.

    pictures [P, K, S, S, C] in [-1, 1] -> two arrays [P], of the same scale.
    """
    luma = np.asarray(equalise.luma(made))
    errors = []
    for moment in (luma.mean(axis=(2, 3, 4)), luma.std(axis=(2, 3, 4))):
        middle = moment[:, moment.shape[1] // 2]
        errors.append(np.abs(middle - (moment[:, 0] + moment[:, -1]) / 2))
    return errors[0], errors[1]


def _frechet_to(real: np.ndarray, config: PathsConfig) -> Callable[[np.ndarray], dict[str, Any]]:
    """A function of pictures [P, S, S, C] to the scores of their distance to real ones, if any."""
    if not config.extractor:
        return lambda middles: {}
    network = registry.score_network(config.extractor, config.extractor_weights)
    features = network(_coloured(real))

    def scores(middles: np.ndarray) -> dict[str, Any]:
        counts = [len(real), len(middles)]
        distance = frechet.frechet_distance(features, network(_coloured(middles)))
        values = {"middle_frechet": distance, "middle_frechet_pictures": counts}
        caution = frechet.caution(min(counts), features.shape[1])
        return {**values, "caution": caution} if caution else values

    return scores


def _coloured(made: np.ndarray) -> np.ndarray:
    """Pictures as the networks of scores read them: float32 [N, S, S, 3] in [-1, 1]."""
    return np.repeat(made, 3, axis=-1) if made.shape[-1] == 1 else made
