"""The subcommands of `lorbms_tf.benchmark` that the thesis's model has, and their settings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.lorbms.config import LorbmsConfig
from lorbms_tf.training.method import Benchmark


@dataclass(frozen=True, kw_only=True)
class BenchmarkConfig(LorbmsConfig):
    """A training configuration, and how long to measure."""

    steps: int = setting(5, "Training steps that are timed (train_step, input).")
    calls: int = setting(
        20,
        "Calls of each signature and batch size (mix_latency), and requests of each signature by "
        "1, 8 and 32 clients (serve).",
    )
    matrix_side: int = setting(4096, "Side of the matrices that measure the machine (train_step).")
    export_dir: str = setting("", "An export; without it a model is built (mix_latency, serve).")

    def validate(self) -> None:
        """As `LorbmsConfig.validate`, for all settings."""
        super().validate()
        for name in ("steps", "calls", "matrix_side"):
            require(name, getattr(self, name), minimum=1)


def _train_step(config: BenchmarkConfig, build: Callable[[], Any]) -> dict[str, Any]:
    from lorbms_tf.lorbms.benchmarks import train_step

    return train_step.measure(config, build(), config.steps, config.matrix_side)


def _mix_latency(config: BenchmarkConfig, build: Callable[[], Any]) -> dict[str, Any]:
    from lorbms_tf.lorbms.benchmarks import mix_latency

    if not config.export_dir:
        signatures = mix_latency.fresh_signatures(build())
        return mix_latency.measure(signatures, config.calls)
    exported = mix_latency.load(config.export_dir)
    made = mix_latency.measure(exported.signatures, config.calls)
    return {**made, "export_dir": config.export_dir}


def _serve(config: BenchmarkConfig, build: Callable[[], Any]) -> dict[str, Any]:
    from lorbms_tf.lorbms.benchmarks import serve

    if config.export_dir:
        return {**serve.measure(config.export_dir, config.calls), "export_dir": config.export_dir}
    with serve.exported(build) as folder:
        return serve.measure(folder, config.calls)


BENCHMARKS = {
    "train_step": Benchmark(BenchmarkConfig, _train_step),
    "mix_latency": Benchmark(BenchmarkConfig, _mix_latency),
    "serve": Benchmark(BenchmarkConfig, _serve),
}
