"""DeePSiM as a method of `lorbms_tf.train`. TensorFlow loads with the functions, not before."""

from collections.abc import Callable
from typing import Any

from lorbms_tf import progress
from lorbms_tf.deepsim.config import DeepsimConfig, SpeedConfig
from lorbms_tf.deepsim.sheet_configs import (
    FeaturePathsConfig,
    InversionsConfig,
    NeighboursConfig,
    PreservationConfig,
    ReencodingsConfig,
    SamplesConfig,
)
from lorbms_tf.deepsim.signs import JUDGED, SIGNS
from lorbms_tf.training import photo_method, photo_scores
from lorbms_tf.training.method import Benchmark, Method, Report, Sheet, parameter_rows


def _model(config: DeepsimConfig, total_steps: int) -> Any:
    from lorbms_tf.deepsim.model import Deepsim

    model = Deepsim(config, seed=config.seed, precision=config.precision)
    model.compile_optimizers(total_steps)
    for line in model.origins():
        progress.say(line)
    return model


def _trained_model(config: DeepsimConfig) -> Any:
    from lorbms_tf.deepsim.model import Deepsim

    return Deepsim(config, seed=config.seed)


def _scores() -> dict[str, Any]:
    from lorbms_tf.deepsim.scores import SCORES

    return SCORES


def _draw(batch: dict, made: dict) -> Any:
    from lorbms_tf.deepsim import sheets

    return sheets.held_out(batch["image"], made["reconstruction"], made["reencoded"])


def _sheet(name: str, module: str = "sheets") -> Callable[[Any], Any]:
    def draw(config: Any) -> Any:
        from lorbms_tf.deepsim import comparisons, sheets

        config.validate()
        return getattr({"sheets": sheets, "comparisons": comparisons}[module], name)(config)

    return draw


def _speed(config: SpeedConfig, build: Callable[[], Any]) -> dict[str, Any]:
    from lorbms_tf.deepsim import speed

    return speed.measure(config, build(), config.steps)


def _tracing(config: DeepsimConfig, phase: str) -> str:
    from lorbms_tf.deepsim import objective

    factor = objective.image_factor(config.image_weight, config.image_size)
    return (
        f"tracing the training step; the image loss is {factor:.4g} times the mean squared error "
        f"of images in [-1, 1], the adversarial one {config.adversarial_weight:g} times the mean "
        "cross-entropy"
    )


METHOD = Method(
    config=DeepsimConfig,
    source=photo_method.SOURCE,
    data=photo_method.data,
    model=_model,
    trained_model=_trained_model,
    scores=_scores,
    pictures={"inversions": _draw},
    signs=SIGNS,
    judged=JUDGED,
    short_names={
        "loss/image": "image",
        "loss/feature": "feature",
        "loss/adversarial": "adv",
        "loss/discriminator": "L_D",
        "balance/ratio": "r",
        "balance/discriminator_on": "D_on",  # shares of steps in which they learn
        "balance/generator_on": "G_on",
        "psnr/train": "PSNR",
    },
    parameter_rows=parameter_rows,
    tracing=_tracing,
    evaluation=photo_scores.evaluation(_scores),
    sheets={
        "inversions": Sheet(
            InversionsConfig, _sheet("inversions"), "photos beside what each run draws back"
        ),
        "interpolations": Sheet(
            FeaturePathsConfig,
            _sheet("feature_paths"),
            "the way between the features of two photos (figures 5, 6)",
        ),
        "reencodings": Sheet(
            ReencodingsConfig,
            _sheet("reencodings"),
            "photos after some passes through encoder and generator, and their drift "
            "(figures 8, 9)",
        ),
        "preservation": Sheet(
            PreservationConfig,
            _sheet("preserved", "comparisons"),
            "discs on photos: how much of their place and hue each run keeps (figure 4)",
        ),
        "neighbours": Sheet(
            NeighboursConfig,
            _sheet("neighbours", "comparisons"),
            "inversions beside the nearest training photos in pixels and layers (figure 2)",
        ),
        "samples": Sheet(
            SamplesConfig,
            _sheet("samples", "comparisons"),
            "pictures of random codes, as of a vae (figure 7)",
        ),
    },
    report=Report(subtitle="DeePSiM: photos drawn back from features (seed 000)"),
    benchmarks={"deepsim": Benchmark(SpeedConfig, _speed)},
    variants=tuple(
        f"configs/deepsim/{name}.cfg"
        for name in ("full", "no_image", "no_feature", "no_adversarial", "image_only")
    ),
)
