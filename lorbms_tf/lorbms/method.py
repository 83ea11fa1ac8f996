"""The thesis as a method of `lorbms_tf.train`. TensorFlow loads with the functions, not before."""

import math
from typing import Any

from lorbms_tf.lorbms.benchmarks.settings import BENCHMARKS
from lorbms_tf.lorbms.config import LorbmsConfig
from lorbms_tf.lorbms.curves import CHARTS
from lorbms_tf.lorbms.evaluation import EVALUATION
from lorbms_tf.lorbms.rendering import SHEETS
from lorbms_tf.lorbms.signs import JUDGED, SIGNS, never_mixed
from lorbms_tf.training.method import Method, ParameterRow, Report, parameter_count

_MANY_LAYERS = 40  # of encoder and decoder together; the thesis has 76


def _data(config: LorbmsConfig) -> Any:
    from lorbms_tf.lorbms.data import Records

    return Records(config)


def _resolve(config: LorbmsConfig, data: Any) -> LorbmsConfig:
    from lorbms_tf.lorbms.data import resolve

    return resolve(config, data)


def _model(config: LorbmsConfig, total_steps: int) -> Any:
    from lorbms_tf.lorbms.model import Lorbms

    model = Lorbms(config, seed=config.seed, precision=config.precision)
    model.compile_optimizers(total_steps, config.schedule, config.warmup_steps)
    return model


def _trained_model(config: LorbmsConfig) -> Any:
    from lorbms_tf.lorbms.model import Lorbms

    return Lorbms(config)


def _draw_scenes(batch: dict, made: dict) -> Any:
    from lorbms_tf.lorbms import sheets

    return sheets.scene_sheet(
        batch["reference"], batch["candidates"], made["mask"], made["mix"], made["reconstruction"]
    )


def parameter_rows(model: Any) -> list[ParameterRow]:
    """Trainable parameters of each network, as table 3.6 counts them, and how much each sees."""
    from lorbms_tf.networks import receptive_field

    networks = model.networks._asdict()
    counts = {name: parameter_count(network) for name, network in networks.items()}

    parts = []
    if model.part_classifier:
        networks["part_classifier"] = model.part_classifier
        counts["part_classifier"] = parameter_count(model.part_classifier)
        parts = ["part_classifier"]

    def row(name: str, indent: str = "", unit: str = "px") -> ParameterRow:
        side = math.ceil(receptive_field.side(networks[name].windows))
        return ParameterRow(indent + name, counts[name], f"sees {side} {unit}")

    return [
        row("discriminator"),
        ParameterRow("generator", counts["encoder"] + counts["decoder"]),
        row("encoder", "  "),
        row("decoder", "  ", "cells of the code"),
        row("classifier"),
        *map(row, parts),
        ParameterRow("total", sum(counts.values())),
    ]


def tracing(config: LorbmsConfig, phase: str) -> str:
    """A line for before the first step of a kind, which says how long it may take."""
    layers = sum(config.encoder_layers) + sum(config.decoder_layers)
    many = not config.strided_widths and layers >= _MANY_LAYERS
    kind = "training" if phase == "train_step" else phase.removesuffix("_step")
    return (
        f"tracing the {kind} step: {'a minute or more' if many else 'less than a minute'} at this "
        "size"
    )


def _derived(means: dict[str, float], config: LorbmsConfig) -> dict[str, float]:
    from lorbms_tf.lorbms.scalars import shares

    return shares(means, config)


def _scores() -> dict[str, Any]:
    from lorbms_tf.lorbms.scores.registry import METRICS

    return METRICS


def _report_data(config: Any, run: Any) -> Any:
    from lorbms_tf.lorbms import report

    return report.data(config, run)


def _report_measure(config: Any, run: Any, rows: int, cell: int) -> Any:
    from lorbms_tf.lorbms import report

    return report.measure(config, run, rows, cell)


METHOD = Method(
    config=LorbmsConfig,
    source="records",
    data=_data,
    resolve=_resolve,
    model=_model,
    trained_model=_trained_model,
    scores=_scores,
    pictures={"scenes": _draw_scenes},
    signs=SIGNS,
    judged=JUDGED,
    short_names={
        "loss/autoencoder": "AE",
        "loss/interpolation": "between",
        "loss/generator": "L_G",
        "loss/reconstruction": "rec",
        "loss/adversarial": "adv",
        "loss/classifier": "cls",
        "loss/discriminator": "L_D",
        "psnr/train": "PSNR",
    },
    derived=_derived,
    parameter_rows=parameter_rows,
    tracing=tracing,
    caution=never_mixed,
    evaluation=EVALUATION,
    sheets=SHEETS,
    report=Report(
        subtitle="LORBMS: object representations by mixing scenes",
        defaults={
            "metrics": (
                *("psnr", "ssim", "mix_fidelity"),
                *("swap_locality", "swap_cycle_error", "swd_mix"),
            ),
            "limit": 256,
        },
        data=_report_data,
        measure=_report_measure,
        charts=CHARTS,
    ),
    benchmarks=BENCHMARKS,
    # Table 4.5.
    variants=tuple(
        f"configs/ablation/{name}.cfg" for name in ("full", "no_cls", "no_rec", "no_adv")
    ),
)
