"""How `lorbms_tf.evaluate` scores runs of methods that learn from photos: `evaluation`.

The scores are the method's own, of held-out photos and of what its model makes of them.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lorbms_tf import progress
from lorbms_tf.cli.settings import setting
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.scores import Score, check_names, gathered
from lorbms_tf.training.evaluation_config import EvaluationConfig
from lorbms_tf.training.method import Data, Evaluation, Measured

Scores = Callable[[], Mapping[str, Score]]  # as `Method.scores`


@dataclass(frozen=True, kw_only=True)
class PhotoScoreConfig:
    """Which scores."""

    metrics: tuple[str, ...] = setting((), "Scores to compute, by name; none: all that there are.")

    def validate(self) -> None:
        """Names are checked by `evaluation`."""


@dataclass(frozen=True, kw_only=True)
class PhotoScoringConfig(EvaluationConfig, PhotoScoreConfig):
    """Which photos are scored."""

    photos: str = setting(
        "",
        "Held-out photos, named as --eval_photos of training are; empty: those of the run.",
    )


def evaluation(scores: Scores) -> Evaluation:
    """The evaluation by scores of held-out photos.

    Args:
      scores: () -> all that there are, by name, such as `Method.scores`.
    """

    def check(protocol: PhotoScoreConfig) -> None:
        check_names(protocol.metrics, "metrics", scores())

    def measure(config: PhotoScoringConfig) -> Measured:
        from lorbms_tf.training import run_directory

        check(config)  # before the model is loaded
        model, _ = run_directory.load_model(config.run_dir, config.checkpoint)
        return measured(config, scores(), model)

    return Evaluation(
        protocol=PhotoScoreConfig,
        config=PhotoScoringConfig,
        origin=origin,
        measure=measure,
        check=check,
        names=lambda protocol: list(protocol.metrics or scores()),
        score=lambda name: scores().get(name),
    )


def held_out(config: PhotoScoringConfig) -> Data:
    """The held-out photos that a run is scored on. UserError where there are none."""
    from lorbms_tf.training import run_directory

    trained = run_directory.read_config(config.run_dir)
    photos = named_photos(config, trained)
    method = run_directory.method_of(config.run_dir)
    return method.data(dataclasses.replace(trained, photos="", eval_photos=photos))


def named_photos(config: PhotoScoringConfig, trained: Any) -> str:
    """The photos that are scored, as a flag names them. UserError where there are none."""
    photos = config.photos or trained.eval_photos
    if not photos:
        raise UserError("--photos is required: the run has no --eval_photos of its own")
    return photos


def origin(config: PhotoScoringConfig) -> dict[str, Any]:
    """`Evaluation.origin` of photos."""
    from lorbms_tf.training import run_directory

    trained = run_directory.read_config(config.run_dir)
    content = json.dumps(held_out(config).held_out_fingerprint(), sort_keys=True)
    return {
        "run_dir": config.run_dir,
        "method": trained.method,
        "photos": named_photos(config, trained),
        "dataset_hash": hashlib.sha256(content.encode()).hexdigest(),
        "seed": config.seed,
        "limit": config.limit,
    }


def measured(config: PhotoScoringConfig, scores: Mapping[str, Score], model: Any) -> Measured:
    """The scores that `metrics` asks for; one that cannot be had does not cost the others.

    Args:
      config: which run, photos and scores.
      scores: those that there are, by name.
      model: the trained model.

    Raises UserError where none can be computed.
    """
    import tensorflow as tf

    from lorbms_tf.training import run_directory

    asked = {name: scores[name] for name in config.metrics or scores}
    infer = tf.function(model.infer, autograph=False, reduce_retracing=True)
    batches = held_out(config).held_out(config.batch_size, config.limit or None)()
    arrays = gathered(
        infer,
        progress.track(batches, label="scoring", unit="batch"),
        [name for score in asked.values() for name in score.reads],
        [name for score in asked.values() for name in score.compact],
    )
    count = len(next(iter(arrays.values())))
    values: dict[str, float | None] = dict.fromkeys(asked)
    missing = {}
    for name, score in asked.items():
        try:
            if count < score.least:
                raise ValueError(f"it takes at least {score.least} photos, here are {count}")
            values[name] = score.checked(arrays)
        except ValueError as error:
            missing[name] = str(error)
    if len(missing) == len(asked):
        reasons = "; ".join(f"{name}: {reason}" for name, reason in missing.items())
        raise UserError(f"--metrics: none can be computed ({reasons})")
    step = run_directory.checkpoint_step(config.run_dir, config.checkpoint)
    found = {"step": step, "records": count, **values}
    return Measured({**found, "missing": missing} if missing else found)
