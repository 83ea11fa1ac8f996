"""Scores of a trained model on held-out records: loaded, rendered once, and measured."""

import contextlib
import sys
from collections import ChainMap
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lorbms_tf import progress
from lorbms_tf.data import pipeline, records
from lorbms_tf.data.damage import BadRecords
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation import lines, scene_scores
from lorbms_tf.evaluation.scores import check_names
from lorbms_tf.evaluation.swap_matrix import SwapMatrix, swap_matrix
from lorbms_tf.features import registry as networks
from lorbms_tf.features.network import FeatureNetwork
from lorbms_tf.lorbms.config import LorbmsConfig
from lorbms_tf.lorbms.score_config import ScoreConfig, ScoringConfig
from lorbms_tf.lorbms.scores import registry
from lorbms_tf.lorbms.scores.registry import Rendered
from lorbms_tf.training import run_directory


class Scored(NamedTuple):
    """What was measured, and what it was measured on.

    scores: by name, after "step" (of the checkpoint), "tau", the number of "records" and the
      "protocol" of the scores of sets. Names of scores of features hold the extractor, as in
      frechet_mobilenet_v2_mix. A score may be infinite (PSNR of an image reproduced exactly).
      It is None where it could not be computed; "missing" then says why, by the same names.
    swaps: the swap matrices that were asked for, by pixels ("swaps") and by "feature_swaps".
    cautions: what is to be known beside the scores, in sentences.
    """

    scores: dict[str, Any]
    rendered: Rendered
    swaps: dict[str, SwapMatrix]
    model: Any  # Lorbms
    trained: LorbmsConfig
    bad: BadRecords
    cautions: list[str]


def check_metrics(config: ScoreConfig) -> None:
    """Raises UserError for unknown metrics and extractors, and for a missing weights file."""
    check_names(config.metrics, "metrics", registry.SCORES)
    if registry.needs_extractor(config.metrics):
        networks.check_score_network(config.extractor, config.extractor_weights)


def score(config: ScoringConfig) -> Scored:
    """Computes the scores; one that cannot be had does not cost the others.

    What is known to be missing before the pass is said at once, on stderr. Raises UserError for
    metrics, runs or records that cannot be used, and where no score at all can be computed.
    """
    check_metrics(config)
    missing = _too_few(config)
    possible = tuple(name for name in config.metrics if name not in missing)
    if config.metrics and not possible:
        raise UserError(_nothing(missing))
    for name, reason in missing.items():
        print(f"{name} cannot be computed: {reason}", file=sys.stderr, flush=True)
    extractor = None
    if registry.needs_extractor(possible):
        extractor = networks.score_network(
            config.extractor, config.extractor_weights, config.resize
        )
    model, trained = run_directory.load_model(config.run_dir, config.checkpoint)
    bad = BadRecords(config.max_bad_records)
    rendered = _render(config, model, trained.image_size, bad)
    images = {
        "real": _real(config, trained.image_size, bad, rendered.reference),
        "mix": rendered.mix,
        "reconstruction": rendered.reconstruction,
        scene_scores.REFERENCES: rendered.reference,
    }
    outputs = _outputs(extractor) if extractor else None
    sets = scene_scores.Sets(images, outputs, config.batch_size, config.seed)
    swaps = _Swaps(config, model, rendered.reference, outputs)
    read = ChainMap(rendered._asdict(), sets, swaps)
    values = {**dict.fromkeys(config.metrics), **_values(possible, read, missing)}
    if config.metrics and len(missing) == len(values):
        raise UserError(_nothing(missing))
    found = {
        "step": run_directory.checkpoint_step(config.run_dir, config.checkpoint),
        "tau": trained.tau,
        "records": len(rendered.reference),
    }
    if extractor or any(name in scene_scores.SCORES for name in possible):
        found["protocol"] = _protocol(config, possible, len(images["real"]), extractor)
    shown = {name: registry.shown_name(name, config.extractor) for name in values}
    found.update({shown[name]: value for name, value in values.items()})
    if missing:
        found["missing"] = {shown[name]: reason for name, reason in missing.items()}
    known = [name for name in possible if name in scene_scores.SCORES and name not in missing]
    cautions = [text for text in (scene_scores.caution(name, sets) for name in known) if text]
    return Scored(found, rendered, dict(swaps), model, trained, bad, list(dict.fromkeys(cautions)))


def _values(names: tuple[str, ...], read: Any, missing: dict[str, str]) -> dict[str, float]:
    """The scores that can be computed, by name; for others `missing` gets the reason."""
    values = {}
    for name in names:
        try:
            values[name] = registry.SCORES[name].checked(read)
        except ValueError as error:
            missing[name] = str(error)
    return values


def _outputs(extractor: FeatureNetwork) -> Callable:
    """(Images [N, H, W, 3] in [-1, 1], images at a time) -> features and logits, with progress."""
    label = f"features by {extractor.name}"
    return lambda images, batch_size: extractor.outputs(images, batch_size, label=label)


def _nothing(missing: dict[str, str]) -> str:
    reasons = "; ".join(f"{name}: {reason}" for name, reason in missing.items())
    return f"--metrics: none can be computed ({reasons})"


def _too_few(config: ScoringConfig) -> dict[str, str]:
    """By metric why it cannot be had, as far as the number of records tells before the pass."""
    limits = (("records", config.limit), ("real_records", 0))
    counts = {}
    for flag, limit in limits:
        if pattern := getattr(config, flag):
            shards = records.find_shards(pattern)
            with contextlib.suppress(UserError):  # of damaged shards, which the pass judges
                counts[flag] = min(sum(map(records.count, shards)), limit or sys.maxsize)
    found = {}
    for name in config.metrics:
        least = registry.SCORES[name].least
        for flag, count in counts.items():
            concerned = flag == "records" or name in scene_scores.SCORES
            if concerned and count < least:
                found[name] = f"it takes at least {least} records, --{flag} holds {count}"
                if flag == "records" and 0 < config.limit == count:
                    found[name] = f"it takes at least {least} records, not --limit={count}"
    return found


def _protocol(config: ScoringConfig, metrics, real_images: int, extractor) -> dict[str, Any]:
    """How the scores of sets were measured."""
    return {
        "real": config.real_records or "the references",
        "real_images": real_images,
        "resize": config.resize if extractor else None,
        "extractor": config.extractor if extractor else None,
        "extractor_sha256": extractor.weights_hash if extractor else None,
        **patches(metrics),
    }


def patches(metrics: Iterable[str]) -> dict[str, str]:
    """How patches of the two sets lie, where any of these scores depends on it."""
    drawn = any(lines.PATCHES in registry.SCORES[name].protocol for name in metrics)
    return {lines.PATCHES: lines.DRAWN_APART} if drawn else {}


def _render(config: ScoringConfig, model, image_size: int, bad) -> Rendered:
    batches = pipeline.evaluation_batches(
        config.records, image_size, config.batch_size, config.seed, config.limit or None, bad
    )
    infer = tf.function(model.infer, autograph=False, reduce_retracing=True)
    tracked = progress.track(batches, label="rendering", unit="step")
    return registry.render_all(infer, pipeline.checked(tracked, config.records))


def _real(config: ScoringConfig, image_size: int, bad, references):
    """The real images: references of --real_records, or those that were rendered."""
    if not config.real_records:
        return references
    batches = pipeline.evaluation_batches(
        config.real_records, image_size, config.batch_size, config.seed, bad=bad
    )
    checked = pipeline.checked(batches, config.real_records)
    return np.concatenate([np.asarray(batch["reference"]) for batch in checked])


class _Swaps(dict):
    """The swap matrices of a model, each made when first asked for; it holds those that could be.

    ValueError where one cannot be computed.
    """

    def __init__(self, config: ScoringConfig, model, references: np.ndarray, outputs):
        super().__init__()
        self._config, self._model = config, model
        self._references, self._outputs = references, outputs

    def __missing__(self, name: str) -> SwapMatrix:
        if name not in ("swaps", "feature_swaps"):
            raise KeyError(name)
        functions = [
            tf.function(function, autograph=False, reduce_retracing=True)
            for function in (self._model.encode, self._model.decode)
        ]
        config = self._config
        describe = self._features if name == "feature_swaps" else None
        self[name] = swap_matrix(
            *functions, self._references, config.seed, config.batch_size, describe
        )
        return self[name]

    def _features(self, quadrants: np.ndarray) -> np.ndarray:
        return self._outputs(quadrants, self._config.batch_size)[0]
