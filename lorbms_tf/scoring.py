"""Scores of a trained model on held-out records: loaded, rendered once, and measured."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lorbms_tf import progress, run_directory
from lorbms_tf.config import TrainConfig
from lorbms_tf.data import pipeline
from lorbms_tf.data.damage import BadRecords
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation import extractors, registry, scene_scores
from lorbms_tf.evaluation.registry import Rendered
from lorbms_tf.evaluation.score_config import ScoreConfig, ScoringConfig
from lorbms_tf.evaluation.swap_matrix import SwapMatrix, swap_matrix


class Scored(NamedTuple):
    """What was measured, and what it was measured on.

    scores: by name, after "step" (of the checkpoint), "tau", the number of "records" and the
      "protocol" of the scores of sets. Names of scores of features hold the extractor, as in
      frechet_mobilenet_v2_mix. A score may be infinite (PSNR of an image reproduced exactly).
    swaps: by what the quadrants were compared by, "pixels" or "features", where asked for.
    """

    scores: dict[str, Any]
    rendered: Rendered
    swaps: dict[str, SwapMatrix]
    model: Any  # Lorbms
    trained: TrainConfig
    bad: BadRecords


def check_metrics(config: ScoreConfig) -> None:
    """Raises UserError for unknown metrics and extractors, and for a missing weights file."""
    _check_names(config)
    if needs_extractor(config.metrics):
        extractors.check(config.extractor, config.extractor_weights)


def _check_names(config: ScoreConfig) -> None:
    valid = (*registry.METRICS, *registry.SEAMS, *scene_scores.SCORES, *registry.SWAP_METRICS)
    registry.check_names(config.metrics, valid=valid)


def shown_name(name: str, config: ScoreConfig) -> str:
    """The name of a score with its extractor: frechet_mix -> frechet_mobilenet_v2_mix."""
    if not needs_extractor([name]):
        return name
    if name in registry.SWAP_METRICS:
        return name.replace("features", config.extractor)
    kind, _, of = name.rpartition("_")
    return f"{kind}_{config.extractor}_{of}"


def needs_extractor(metrics) -> bool:
    """Whether any of these metrics is one of features."""
    compared_by = {swap.compared_by for swap in _swap_metrics(metrics)}
    return "features" in compared_by or scene_scores.needs_extractor(metrics)


def _swap_metrics(metrics) -> list[registry.SwapMetric]:
    return [registry.SWAP_METRICS[name] for name in metrics if name in registry.SWAP_METRICS]


def score(config: ScoringConfig) -> Scored:
    """Computes the scores. UserError for metrics, runs or records that cannot be used."""
    _check_names(config)
    extractor = None
    if needs_extractor(config.metrics):
        extractor = extractors.make(config.extractor, config.extractor_weights, config.resize)
    model, trained = run_directory.load_model(config.run_dir, config.checkpoint)
    bad = BadRecords(config.max_bad_records)
    rendered = _render(config, model, trained.image_size, bad)
    images = {
        "real": _real(config, trained.image_size, bad, rendered.reference),
        "mix": rendered.mix,
        "reconstruction": rendered.reconstruction,
    }
    sets = scene_scores.Sets(images, extractor, config.batch_size, config.seed)
    swaps = _swaps(config, model, rendered.reference, extractor)
    step = run_directory.checkpoint_step(config.run_dir, config.checkpoint)
    found = {"step": step, "tau": trained.tau, "records": len(rendered.reference)}
    measured = {
        shown_name(name, config): _measure(name, rendered, sets, swaps) for name in config.metrics
    }
    if extractor or any(name in scene_scores.SCORES for name in config.metrics):
        found["protocol"] = {
            "real": config.real_records or "the references",
            "real_images": len(images["real"]),
            "resize": config.resize if extractor else None,
            "extractor": config.extractor if extractor else None,
            "extractor_sha256": extractor.weights_hash if extractor else None,
        }
    return Scored({**found, **measured}, rendered, swaps, model, trained, bad)


def _measure(
    name: str, rendered: Rendered, sets: scene_scores.Sets, swaps: dict[str, SwapMatrix]
) -> float:
    for of_rendered in (registry.METRICS, registry.SEAMS):
        if name in of_rendered:
            return of_rendered[name](rendered)
    if name in registry.SWAP_METRICS:
        swap = registry.SWAP_METRICS[name]
        return swap.of(swaps[swap.compared_by])
    return scene_scores.compute(name, sets)


def _render(config: ScoringConfig, model, image_size: int, bad) -> Rendered:
    batches = pipeline.evaluation_batches(
        config.records, image_size, config.batch_size, config.seed, config.limit or None, bad
    )
    render = tf.function(model.render, autograph=False, reduce_retracing=True)
    tracked = progress.track(batches, label="rendering", unit="step")
    return registry.render_all(render, pipeline.checked(tracked, config.records))


def _real(config: ScoringConfig, image_size: int, bad, references):
    """The real images: references of --real_records, or those that were rendered."""
    if not config.real_records:
        return references
    batches = pipeline.evaluation_batches(
        config.real_records, image_size, config.batch_size, config.seed, bad=bad
    )
    checked = pipeline.checked(batches, config.real_records)
    return np.concatenate([np.asarray(batch["reference"]) for batch in checked])


def _swaps(config: ScoringConfig, model, references, extractor) -> dict[str, SwapMatrix]:
    """The swap matrices of the scores that are asked for."""
    asked = {swap.compared_by for swap in _swap_metrics(config.metrics)}
    if asked and len(references) < 2:
        raise UserError(f"--metrics: swapping chunks needs two records, not {len(references)}")
    functions = [
        tf.function(function, autograph=False, reduce_retracing=True)
        for function in (model.encode, model.decode)
    ]

    def features(quadrants):
        return extractor(quadrants, config.batch_size)[0]

    describe = {"pixels": None, "features": features}
    return {
        by: swap_matrix(*functions, references, config.seed, config.batch_size, describe[by])
        for by in sorted(asked)
    }
