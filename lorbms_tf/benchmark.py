"""Speed, measured; each prints one JSON line, and progress on stderr:

python -m lorbms_tf.benchmark train_step --flagfile=configs/thesis.cfg --batch_size=4 --steps=5
python -m lorbms_tf.benchmark input --flagfile=configs/thesis.cfg --records=GLOB
python -m lorbms_tf.benchmark mix_latency --export_dir=DIR
python -m lorbms_tf.benchmark serve --export_dir=DIR --calls=200
python -m lorbms_tf.benchmark distance --calls=5
python -m lorbms_tf.benchmark scale --builds=data/small,data/larger --check_builds=data/largest
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lorbms_tf import methods, progress
from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.distances.distance_config import USUAL, check_names
from lorbms_tf.errors import UserError
from lorbms_tf.training.method import Method, Trainable
from lorbms_tf.training.run_config import RunConfig

# What is measured of every method, and of none; the others are a method's own.
INPUT, DISTANCE, SCALE = "input", "distance", "scale"


@dataclass(frozen=True, kw_only=True)
class InputConfig:
    """How long to measure the input."""

    steps: int = setting(5, "Training steps that are timed.")
    seconds: float = setting(5.0, "Seconds for each way to read (input).")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        require("steps", self.steps, minimum=1)
        require("seconds", self.seconds, minimum=0)


@dataclass(frozen=True, kw_only=True)
class DistancesConfig:
    """Which distances are measured."""

    distances: tuple[str, ...] = setting(
        USUAL, "What is measured; docs/distances.md says what is (distance)."
    )
    calls: int = setting(20, "Calls of each distance (distance).")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        check_names(self.distances, "distances")
        require("calls", self.calls, minimum=1)


@dataclass(frozen=True, kw_only=True)
class ScaleConfig:
    """Which builds of records tell what larger ones cost."""

    builds: tuple[str, ...] = setting(
        (), "Folders of records of several sizes, whose builds the model is fitted to (scale)."
    )
    check_builds: tuple[str, ...] = setting(
        (), "Further ones, which are only predicted and compared (scale)."
    )
    images: tuple[int, ...] = setting(
        (338_865, 10_000_000, 1_000_000_000), "Numbers of images that are predicted (scale)."
    )
    clock: str = setting(
        "seconds",
        "Which time: by the clock, or that the processor worked, for busy machines (scale).",
        choices=("seconds", "cpu_seconds"),
    )

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        for count in self.images:
            require("images", count, minimum=1)


def subcommands(method: Method) -> tuple[str, ...]:
    """What can be measured of a method; `input` follows the first of its own."""
    own = tuple(method.benchmarks)
    return (*own[:1], INPUT, *own[1:], DISTANCE, SCALE)


def measure(subcommand: str, method: Method, config: RunConfig) -> dict[str, Any]:
    """The fields of the JSON line of one of the method's own.

    config: its `Benchmark.config`. UserError for flags and files that cannot be used.
    """
    return method.benchmarks[subcommand].measure(config, lambda: _model(method, config))


def measure_input(method: Method, config: RunConfig, how: InputConfig) -> dict[str, Any]:
    """The fields of the JSON line of `input`. UserError for data that cannot be used."""
    if not getattr(config, method.source):
        raise UserError(f"--{method.source} is required by `benchmark {INPUT}`")
    from lorbms_tf.benchmarks import batch_speed, input_speed

    if method.source == "records":
        return input_speed.measure(config, _model(method, config), how.steps, how.seconds)
    data = method.data(config)
    config = method.resolve(config, data)
    return batch_speed.measure(config, data, _model(method, config), how.steps, how.seconds)


def measure_distances(how: DistancesConfig) -> dict[str, Any]:
    """The fields of the JSON line of `distance`."""
    from lorbms_tf.benchmarks import distance_speed

    return distance_speed.measure(how.distances, how.calls)


def measure_scale(how: ScaleConfig) -> dict[str, Any]:
    """The fields of the JSON line of `scale`. UserError for builds that cannot be used."""
    if not how.builds:
        raise UserError(f"--builds is required by `benchmark {SCALE}`: folders of records")
    from lorbms_tf.benchmarks import build_costs

    return build_costs.measure(how.builds, how.check_builds, how.images, how.clock)


def _model(method: Method, config: RunConfig) -> Trainable:
    from lorbms_tf.training import loop

    progress.say("building the networks")
    return loop.build_model(method, config, total_steps=1)


def main(argv: Sequence[str]) -> None:
    """Measures what the first word on the command line says."""
    method = methods.get(methods.asked_name())
    subcommand = command.subcommand(
        argv,
        "lorbms_tf.benchmark",
        subcommands(method),
        none="what should be measured?",
        unknown="no benchmark {!r}",
    )
    if subcommand == INPUT:
        made = measure_input(method, flags.read(method.config), flags.read(InputConfig))
    elif subcommand == DISTANCE:
        made = measure_distances(flags.read(DistancesConfig))
    elif subcommand == SCALE:
        made = measure_scale(flags.read(ScaleConfig))
    else:
        made = measure(subcommand, method, flags.read(method.benchmarks[subcommand].config))
    print(json.dumps(_rounded(made)))


def _rounded(value):
    """Numbers to five digits: more would only be noise."""
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    return float(f"{value:.5g}") if isinstance(value, float) else value


def console_main() -> None:
    """Entry point of the console script `lorbms-benchmark`."""
    method = methods.of_flags()
    flags.define(InputConfig)
    flags.define(DistancesConfig)
    flags.define(ScaleConfig)
    for one in method.benchmarks.values():
        flags.define(one.config)
    flags.define(method.config)
    command.run(main)


if __name__ == "__main__":
    console_main()
