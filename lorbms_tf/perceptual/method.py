"""Super-resolution as a method of `lorbms_tf.train`. TensorFlow loads with the functions."""

from typing import Any

from lorbms_tf.perceptual.config import SuperresConfig
from lorbms_tf.perceptual.evaluation import EVALUATION
from lorbms_tf.perceptual.signs import JUDGED, SIGNS
from lorbms_tf.perceptual.upscale_sheet import UpscaleConfig
from lorbms_tf.training import photo_method
from lorbms_tf.training.method import Method, Report, Sheet, parameter_count


def _model(config: SuperresConfig, total_steps: int) -> Any:
    from lorbms_tf.perceptual.model import Superres

    model = Superres(config, seed=config.seed, precision=config.precision)
    model.compile_optimizers(total_steps)
    return model


def _trained_model(config: SuperresConfig) -> Any:
    from lorbms_tf.perceptual.model import Superres

    return Superres(config)


def _draw(batch: dict, made: dict) -> Any:
    from lorbms_tf.perceptual import sheets

    return sheets.enlargements(
        batch["image"], made["small"], {name: made[name] for name in ("bicubic", "upscaled")}
    )


def _draw_upscale(config: UpscaleConfig) -> Any:
    from lorbms_tf.perceptual import upscaling

    return upscaling.draw(config)


def _scores() -> dict[str, Any]:
    from lorbms_tf.perceptual.scores import SCORES

    return SCORES


def parameter_rows(model: Any) -> list[tuple[str, int]]:
    """Trainable parameters."""
    return [("generator", parameter_count(model.generator))]


METHOD = Method(
    config=SuperresConfig,
    source=photo_method.SOURCE,
    data=photo_method.data,
    model=_model,
    trained_model=_trained_model,
    scores=_scores,
    pictures={"enlarged": _draw},
    signs=SIGNS,
    judged=JUDGED,
    short_names={
        "loss/total": "L",
        "loss/distance": "distance",
        "loss/pixels": "pixels",
        "psnr/train": "PSNR",
    },
    parameter_rows=parameter_rows,
    tracing=lambda config, phase: "tracing the training step: less than a minute",
    evaluation=EVALUATION,
    sheets={
        "upscale": Sheet(
            UpscaleConfig,
            _draw_upscale,
            "photos enlarged by bicubic resizing and by one or several runs, side by side",
        )
    },
    report=Report(subtitle="Super-resolution under a perceptual distance"),
)
