r"""Training, from records to a run directory:

python -m lorbms_tf.train --flagfile=configs/thesis.cfg --tau_quantile=0.5 \
    --records='data/mine/*.tfrecord-*' --run_dir=runs/mine

Starting it again with the same run directory continues from the last checkpoint.
"""

import contextlib
import shlex
import sys
import time
from dataclasses import dataclass

from lorbms_tf import methods, progress
from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import setting
from lorbms_tf.progress import clock
from lorbms_tf.training import run_directory
from lorbms_tf.training.method import Method, Trainable, parameter_table


@dataclass(frozen=True, kw_only=True)
class DoorConfig:
    """What this command alone has."""

    dry_run: bool = setting(False, "Print the configuration and stop.")

    def validate(self) -> None:
        """There is nothing to check."""


def main(argv) -> None:
    """Prints the resolved configuration and the parameter table, then trains."""
    command.refuse_arguments(argv)
    method = methods.get(methods.asked_name())
    config, dry_run = flags.read(method.config), flags.read(DoorConfig).dry_run
    # TensorFlow loads once the flags are known to be good.
    progress.say("loading TensorFlow, and looking at the records")
    from lorbms_tf.training import loop, planning, strategies

    if dry_run and not getattr(config, method.source):
        print(flags.as_text(config))
        _print_parameters(method, loop.build_model(method, config, total_steps=1))
        print(f"dry run without --{method.source}: nothing was looked for, nothing was written")
        return
    # A dry run is of one process, even where the hosts of a cluster would wait for each other.
    strategy = None if dry_run else strategies.make(config)
    chief = strategy is None or strategies.is_chief(strategy)
    planned = planning.plan(config, chief)
    print(flags.as_text(planned.config))
    if dry_run:
        _print_parameters(method, loop.build_model(method, planned.config, planned.total_steps))
        _tell(planned)
        print("dry run: nothing was written")
        return
    if planned.changes:
        changed = "\n  ".join(planned.changes)
        print(f"warning: continuing with changes:\n  {changed}", file=sys.stderr)
    for note in planned.notes:
        print(f"continuing {config.run_dir}: {note}", file=sys.stderr)
    # Where several workers train together the chief alone writes the run directory.
    alone = run_directory.locked(config.run_dir) if chief else contextlib.nullcontext()
    with alone:
        _train(planned, strategy)


def _train(planned, strategy) -> None:
    from lorbms_tf.training import loop

    progress.say("building the networks")
    run = loop.Run(planned, strategy)
    _print_parameters(planned.method, run.model)
    _tell(planned)
    if run.first_step:
        print(f"continuing {planned.config.run_dir} from step {run.first_step}")
    start = time.monotonic()
    made = run.train()
    folder = planned.config.run_dir
    if made:
        print(f"{made} steps in {clock(time.monotonic() - start)}")
    else:
        print(f"{folder} has reached step {run.first_step} already: nothing left to do")
    caution = planned.method.caution(planned.config, planned.total_steps)
    for line in filter(None, (caution, planned.data.summary())):
        print(line)
    print(
        f"run directory {folder}: config.json, checkpoints/, samples/ (pictures as training went "
        "on), logs/ (curves)"
    )
    print(f"Curves: {command.script('tensorboard')} --logdir={shlex.quote(folder)}")
    held_out = planned.data.held_out_flags()
    print(command.next_step("lorbms_tf.evaluate", run_dir=folder, **held_out))


def _print_parameters(method: Method, model: Trainable) -> None:
    print(parameter_table(method.parameter_rows(model)))


def _tell(planned) -> None:
    """What the run is about to do; warnings go to stderr, which `sweep` shows, too."""
    per_epoch = planned.data.steps_per_epoch
    print(
        f"{planned.data.description()}, {per_epoch} steps an epoch, {planned.total_steps} steps in "
        f"all ({planned.total_steps / per_epoch:.1f} epochs)"
    )
    for note in planned.data.notes(planned.config, planned.total_steps):
        progress.say(note)


def console_main() -> None:
    """Entry point of the console script `lorbms-train`."""
    flags.define(DoorConfig)
    flags.define(methods.of_flags().config)
    command.run(main)


if __name__ == "__main__":
    console_main()
