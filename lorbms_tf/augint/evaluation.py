"""How `lorbms_tf.evaluate` scores AugIntAE and its baselines."""

from typing import Any

from lorbms_tf.augint.score_config import (
    CLASS_FEATURES,
    AugintScoreConfig,
    AugintScoringConfig,
    conditions,
)
from lorbms_tf.augint.scores import SCORES, TRAINING
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.frechet import caution
from lorbms_tf.evaluation.scores import check_names
from lorbms_tf.training import photo_scores
from lorbms_tf.training.method import Evaluation, Measured


def _check(protocol: AugintScoreConfig) -> None:
    check_names(protocol.metrics, "metrics", SCORES)
    if "frechet_interpolations" in protocol.metrics and protocol.extractor != CLASS_FEATURES:
        from lorbms_tf.features import registry

        registry.check_score_network(protocol.extractor, protocol.extractor_weights)


def _measure(config: AugintScoringConfig) -> Measured:
    from lorbms_tf.augint import judging
    from lorbms_tf.training import run_directory

    _check(config)  # before the model is loaded
    if not config.run_dir:
        raise UserError("--run_dir is required")
    arrays = judging.Arrays(config)
    values: dict[str, float | None] = {}
    missing = {}
    for name in config.metrics or SCORES:
        score = SCORES[name]
        values[name] = None
        try:
            if arrays.count < score.least:
                raise ValueError(f"it takes at least {score.least} photos, here are {arrays.count}")
            values[name] = score.checked({key: arrays[key] for key in score.reads})
        except ValueError as error:
            missing[name] = str(error)
    if len(missing) == len(values):
        reasons = "; ".join(f"{name}: {reason}" for name, reason in missing.items())
        raise UserError(f"--metrics: none can be computed ({reasons})")
    found = {
        "step": run_directory.checkpoint_step(config.run_dir, config.checkpoint),
        "records": arrays.count,
        "protocol": conditions(config),
        **values,
    }
    return Measured({**found, "missing": missing} if missing else found, _notes(arrays, values))


def _notes(arrays: Any, values: dict[str, float | None]) -> list[str]:
    """A caution beside a Fréchet distance of few images."""
    if values.get("frechet_interpolations") is None:
        return []
    sets = arrays["real_features"], arrays["path_features"]
    text = caution(min(map(len, sets)), sets[0].shape[1])
    return [f"caution: {text}"] if text else []


# That of photos, but for what makes the arrays.
EVALUATION: Evaluation = photo_scores.evaluation(lambda: TRAINING)._replace(
    protocol=AugintScoreConfig,
    config=AugintScoringConfig,
    measure=_measure,
    check=_check,
    names=lambda protocol: list(protocol.metrics or SCORES),
    score=SCORES.get,
    conditions=conditions,
)
