"""The subcommand of `lorbms_tf.benchmark` that AugIntAE has, and its settings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lorbms_tf.augint.config import AugintConfig
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.training.method import Benchmark


@dataclass(frozen=True, kw_only=True)
class BenchmarkConfig(AugintConfig):
    """A training configuration, and how long to measure."""

    steps: int = setting(5, "Training steps that are timed (train_step, input).")

    def validate(self) -> None:
        """As `AugintConfig.validate`, for all settings."""
        super().validate()
        require("steps", self.steps, minimum=1)


def _train_step(config: BenchmarkConfig, build: Callable[[], Any]) -> dict[str, Any]:
    from lorbms_tf.augint.benchmarks import train_step

    return train_step.measure(config, build(), config.steps)


BENCHMARKS = {"train_step": Benchmark(BenchmarkConfig, _train_step)}
