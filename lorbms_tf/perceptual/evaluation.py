"""How `lorbms_tf.evaluate` scores super-resolution: on whole photos, beside bicubic resizing."""

from dataclasses import dataclass
from typing import Any

from lorbms_tf.cli.settings import setting
from lorbms_tf.distances.distance_config import DistanceConfig
from lorbms_tf.training import photo_scores
from lorbms_tf.training.evaluation_config import EvaluationConfig
from lorbms_tf.training.method import Evaluation, Measured

_BOTH = ("psnr", "ssim", "swd_paired")


@dataclass(frozen=True, kw_only=True)
class EnlargementScoreConfig(DistanceConfig):
    """Which scores."""

    metrics: tuple[str, ...] = setting(
        (*_BOTH, *(f"{name}_bicubic" for name in _BOTH)),
        "Scores: psnr and ssim (of the luma, 4 px of the border left out), swd_paired, and every "
        "distance by its name (mmd++, squeezenet, lpips_squeeze ...); with _bicubic behind them "
        "those of bicubic resizing.",
    )


@dataclass(frozen=True, kw_only=True)
class EnlargementScoringConfig(EvaluationConfig, EnlargementScoreConfig):
    """Which photos are enlarged."""

    photos: str = setting(
        "", "Photos of any size, named as --eval_photos of training are; empty: those of the run."
    )

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        EvaluationConfig.validate(self)
        DistanceConfig.validate(self)


def _check(protocol: EnlargementScoreConfig) -> None:
    from lorbms_tf.perceptual import enlargement_scores

    enlargement_scores.check(protocol.metrics)


def _score(name: str) -> Any:
    from lorbms_tf.perceptual import enlargement_scores

    return enlargement_scores.score(name)


def _measure(config: EnlargementScoringConfig) -> Measured:
    from lorbms_tf.perceptual import enlargement_scores, whole_photos
    from lorbms_tf.training import run_directory

    _check(config)
    model, trained = run_directory.load_model(config.run_dir, config.checkpoint)
    given = whole_photos.photos(photo_scores.named_photos(config, trained), config.limit)
    upscale = whole_photos.upscaler(model)
    made = list(whole_photos.enlargements(given, {"upscaled": upscale}))
    step = run_directory.checkpoint_step(config.run_dir, config.checkpoint)
    found = enlargement_scores.scores(made, config.metrics, config)
    return Measured({"step": step, "records": len(made), **found})


EVALUATION = Evaluation(
    protocol=EnlargementScoreConfig,
    config=EnlargementScoringConfig,
    origin=photo_scores.origin,
    measure=_measure,
    check=_check,
    names=lambda protocol: list(protocol.metrics),
    score=_score,
)
