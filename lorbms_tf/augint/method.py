"""AugIntAE as a method of `lorbms_tf.train`. TensorFlow loads with the functions, not before."""

import dataclasses
from typing import Any

from lorbms_tf.augint.benchmarks.settings import BENCHMARKS
from lorbms_tf.augint.config import AugintConfig
from lorbms_tf.augint.evaluation import EVALUATION
from lorbms_tf.augint.rendering import SHEETS
from lorbms_tf.augint.signs import JUDGED, SIGNS
from lorbms_tf.training import method, photo_method
from lorbms_tf.training.method import Method, Report


def _model(config: AugintConfig, total_steps: int) -> Any:
    from lorbms_tf.augint.baselines import MODELS

    model = MODELS[config.objective](config, seed=config.seed, precision=config.precision)
    model.compile_optimizers(total_steps)
    return model


def _trained_model(config: AugintConfig) -> Any:
    from lorbms_tf.augint.baselines import MODELS

    return MODELS[config.objective](config)


def _scores() -> dict[str, Any]:
    from lorbms_tf.augint.scores import TRAINING

    return TRAINING


def _draw_paths(batch: dict, made: dict) -> Any:
    from lorbms_tf.augint import sheets

    return sheets.held_out_sheet(
        batch["image"], made["reconstruction"], made["path"], made["partner"]
    )


def parameter_rows(model: Any) -> list[tuple[str, int]]:
    """Trainable parameters of each network, and of all."""
    rows = method.parameter_rows(model)
    return [*rows, ("total", sum(count for _, count in rows))]


def caution(config: AugintConfig, step: int) -> str:
    """What to know of a wgan_gp: without its last steps its encoder is untrained."""
    if config.objective == "wgan_gp" and not config.inversion_steps:
        return "caution: with --inversion_steps=0 the encoder that inverts the generator is random"
    return ""


METHOD = Method(
    config=AugintConfig,
    source=photo_method.SOURCE,
    data=photo_method.data,
    # By its own name, for a run of constant rates may go on for longer.
    resolve=lambda config, data: dataclasses.replace(config, schedule=config.run_schedule),
    model=_model,
    trained_model=_trained_model,
    scores=_scores,
    pictures={"interpolations": _draw_paths},
    signs=SIGNS,
    judged=JUDGED,
    short_names={
        "loss/autoencoder": "AE",
        "loss/divergence": "KL",
        "loss/adversarial": "adv",
        "loss/generator": "L_G",
        "loss/critic": "critic",
        "loss/discriminator": "L_D",
        "loss/inversion": "inv",
        "psnr/train": "PSNR",
    },
    parameter_rows=parameter_rows,
    tracing=lambda config, phase: f"tracing the {phase.replace('_', ' ')}",
    caution=caution,
    evaluation=EVALUATION,
    sheets=SHEETS,
    benchmarks=BENCHMARKS,
    report=Report(subtitle="augmentation-interpolative autoencoders (seed 003)"),
    variants=tuple(f"configs/augint/{name}.cfg" for name in ("characters28", "ae", "intae")),
)
