"""What is measured of paths: how long, how even, and how natural their middles are."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lorbms_tf import progress
from lorbms_tf.data import images
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation import frechet
from lorbms_tf.evaluation.batches import in_batches
from lorbms_tf.features import registry
from lorbms_tf.latent_paths import finding, lengths, models, pictures
from lorbms_tf.latent_paths.config import PLAIN, PathsConfig
from lorbms_tf.latent_paths.energy import PathMetric

_DECODED_AT_ONCE = 64
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


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
    for name in (*config.metrics, config.judge):  # weights are missed before the work begins
        finding.weights_of(name, config)
    decode = _in_parts(codec)
    if codec.encode is None:
        ends = finding.drawn_ends(codec, config.pairs, config.mask, config.sphere, config.seed)
        given = decode(np.stack([ends.starts, ends.ends]))
    else:
        given = pictures.read(config, codec.side, codec.channels)
        ends = finding.ends_of(codec, given, config.mask, config.sphere)
    straight = decode(finding.plain("linear", ends, config.segments))
    real = given.reshape(-1, *given.shape[2:])
    measured, whole = {}, True
    for name in config.metrics:
        progress.say(f"{name}: {config.pairs} paths of {config.segments} steps")
        paths = finding.found(name, codec, ends, config, config.seed)
        judge = config.judge if name in PLAIN else name
        metric = finding.metric_of(judge, config, config.seed)
        measured[name] = _measured(metric, judge, decode(paths.codes), straight, real, config)
        whole &= paths.whole
        if not whole:
            progress.say(f"stopped: {name} has the best paths so far, the metrics behind it none")
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
        "weights": {n: w for n in config.metrics if (w := finding.weights_of(n, config))},
    }
    return Results(measured, description, whole)


def _codec(config: PathsConfig) -> models.Codec:
    if config.saved_model:
        return models.of_saved_model(config.saved_model)
    return models.of_run(config.run_dir, config.checkpoint)


def _in_parts(codec: models.Codec) -> Callable[[np.ndarray], np.ndarray]:
    """codes [P, K, D] -> pictures [P, K, S, S, C], some at a time."""

    def decode(codes: np.ndarray) -> np.ndarray:
        flat = in_batches(codec.decode, _DECODED_AT_ONCE, codes.reshape(-1, codes.shape[2]))
        return flat.reshape(*codes.shape[:2], *flat.shape[1:])

    return decode


def _measured(
    metric: PathMetric,
    judge: str,
    made: np.ndarray,
    straight: np.ndarray,
    real: np.ndarray,
    config: PathsConfig,
) -> Measured:
    steps, linear = (_steps(metric, part) for part in (made, straight))
    if not (np.isfinite(steps).all() and np.isfinite(linear).all()):
        raise UserError(f"{judge} is not a number between some pictures of a path")
    whole, whole_linear = steps.sum(axis=1), linear.sum(axis=1)
    ratio = np.where(whole_linear > 0, whole / np.where(whole_linear > 0, whole_linear, 1), 1.0)
    uneven = lengths.largest_over_mean(steps)
    eye = _eye(config)
    perceived = lengths.variation(_steps(finding.metric_of(f"{eye}/none", config), made))
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
    if config.extractor:
        scores |= _frechet(made, real, config)
    total = np.where(whole > 0, whole, 1.0)[:, None]
    along = np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1) / total], axis=1)
    return Measured(scores, made, along)


def _steps(metric: PathMetric, made: np.ndarray) -> np.ndarray:
    """Lengths of segments [P, K - 1], path by path: deep distances need much memory."""
    return np.concatenate([lengths.steps(metric, made[i : i + 1]) for i in range(len(made))])


def _eye(config: PathsConfig) -> str:
    """The metric that stands for the eye: the first one of a network, else the judge."""
    deep = [n for n in config.metrics if n not in PLAIN and finding.weights_of(n, config)]
    return (deep or [config.judge])[0].partition("/")[0]


def middle_errors(made: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far the picture in the middle is from the mean of the ends: mean and deviation of luma.

    pictures [P, K, S, S, C] in [-1, 1] -> two arrays [P], of the same scale.
    """
    luma = made @ _LUMA if made.shape[-1] == 3 else made[..., 0]
    errors = []
    for moment in (luma.mean(axis=(2, 3)), luma.std(axis=(2, 3))):
        middle = moment[:, moment.shape[1] // 2]
        errors.append(np.abs(middle - (moment[:, 0] + moment[:, -1]) / 2))
    return errors[0], errors[1]


def _frechet(made: np.ndarray, real: np.ndarray, config: PathsConfig) -> dict[str, Any]:
    """The distance of pictures in the middle from real ones, how many there are, and a caution."""
    network = registry.score_network(config.extractor, config.extractor_weights)
    sets = (real, made[:, made.shape[1] // 2])
    one, two = (network(images.to_uint8(np.repeat(s, 3 // s.shape[-1], axis=-1))) for s in sets)
    scores = {
        "middle_frechet": frechet.frechet_distance(one, two),
        "middle_frechet_pictures": [len(one), len(two)],
    }
    caution = frechet.caution(min(len(one), len(two)), one.shape[1])
    return {**scores, "caution": caution} if caution else scores
