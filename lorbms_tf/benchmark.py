"""Speed, measured; each prints one JSON line, and progress on stderr:

python -m lorbms_tf.benchmark train_step --flagfile=configs/thesis.cfg --batch_size=4 --steps=5
python -m lorbms_tf.benchmark input --flagfile=configs/thesis.cfg --records=GLOB
python -m lorbms_tf.benchmark mix_latency --export_dir=DIR
python -m lorbms_tf.benchmark distance --calls=5
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from lorbms_tf import progress
from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.distances.distance_config import USUAL, check_names
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.config import LorbmsConfig

SUBCOMMANDS = ("train_step", "input", "mix_latency", "distance")


@dataclass(frozen=True, kw_only=True)
class BenchmarkConfig(LorbmsConfig):
    """A training configuration, and how long to measure."""

    steps: int = setting(5, "Training steps that are timed (train_step, input).")
    seconds: float = setting(5.0, "Seconds for each way to read (input).")
    calls: int = setting(20, "Calls of each signature and batch size (mix_latency, distance).")
    distances: tuple[str, ...] = setting(
        USUAL, "What is measured; docs/distances.md says what is (distance)."
    )
    matrix_side: int = setting(4096, "Side of the matrices that measure the machine (train_step).")
    export_dir: str = setting("", "An exported model; without it one is built (mix_latency).")

    def validate(self) -> None:
        """As `LorbmsConfig.validate`, for all settings."""
        super().validate()
        for name in ("steps", "calls", "matrix_side"):
            require(name, getattr(self, name), minimum=1)
        require("seconds", self.seconds, minimum=0)
        check_names(self.distances, "distances")


def measure(subcommand: str, config: BenchmarkConfig) -> dict:
    """The fields of the JSON line. UserError for flags and files that cannot be used."""
    from lorbms_tf.benchmarks import distance_speed, input_speed, mix_latency, train_step
    from lorbms_tf.lorbms.method import METHOD
    from lorbms_tf.training import loop

    if subcommand == "distance":
        return distance_speed.measure(config.distances, config.calls)
    if subcommand == "mix_latency" and config.export_dir:
        loaded = mix_latency.load(config.export_dir)
        made = mix_latency.measure(loaded.signatures, config.calls)
        return {**made, "export_dir": config.export_dir}
    if subcommand == "input" and not config.records:
        raise UserError("--records is required by `benchmark input`")
    progress.say("building the networks")
    model = loop.build_model(METHOD, config, total_steps=1)
    if subcommand == "mix_latency":
        return mix_latency.measure(mix_latency.fresh_signatures(model), config.calls)
    if subcommand == "input":
        return input_speed.measure(config, model, config.steps, config.seconds)
    return train_step.measure(config, model, config.steps, config.matrix_side)


def main(argv: Sequence[str]) -> None:
    """Measures what the first word on the command line says."""
    subcommand = command.subcommand(
        argv,
        "lorbms_tf.benchmark",
        SUBCOMMANDS,
        none="what should be measured?",
        unknown="no benchmark {!r}",
    )
    print(json.dumps(_rounded(measure(subcommand, flags.read(BenchmarkConfig)))))


def _rounded(value):
    """Numbers to five digits: more would only be noise."""
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    return float(f"{value:.5g}") if isinstance(value, float) else value


def console_main() -> None:
    """Entry point of the console script `lorbms-benchmark`."""
    flags.define(BenchmarkConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
