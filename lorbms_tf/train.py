"""Training: python -m lorbms_tf.train --flagfile=configs/thesis.cfg --records=GLOB --run_dir=R.

Starting it again with the same run directory continues from the last checkpoint.
"""

import contextlib
import sys
import time

from absl import flags as absl_flags

from lorbms_tf import command, flags, run_directory
from lorbms_tf.config import TrainConfig
from lorbms_tf.progress import clock

FLAGS = absl_flags.FLAGS


def main(argv) -> None:
    """Prints the resolved configuration and the parameter table, then trains."""
    command.refuse_arguments(argv)
    config = flags.read(TrainConfig)
    # TensorFlow loads once the flags are known to be good.
    from lorbms_tf.training import loop, planning, strategies

    if FLAGS.dry_run and not config.records:
        print(flags.as_text(config))
        print(loop.parameter_table(loop.build_model(config, total_steps=1)))
        print("dry run without --records: nothing was looked for, nothing was written")
        return
    # A dry run is of one process, even where the hosts of a cluster would wait for each other.
    strategy = None if FLAGS.dry_run else strategies.make(config)
    chief = strategy is None or strategies.is_chief(strategy)
    planned = planning.plan(config, chief)
    print(flags.as_text(planned.config))
    if FLAGS.dry_run:
        print(loop.parameter_table(loop.build_model(planned.config, planned.total_steps)))
        print(_summary(planned))
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

    run = loop.Run(planned, strategy)
    print(loop.parameter_table(run.model))
    print(_summary(planned))
    if run.first_step:
        print(f"continuing {planned.config.run_dir} from step {run.first_step}", flush=True)
    start = time.monotonic()
    made = run.train()
    folder = planned.config.run_dir
    if made:
        print(f"{made} steps in {clock(time.monotonic() - start)}; run directory {folder}")
    else:
        print(f"{folder} has reached step {run.first_step} already: nothing left to do")
    if planned.bad.count:
        print(planned.bad.summary())
    print(f"curves: tensorboard --logdir {folder}    pictures: {folder}/samples")


def _summary(planned) -> str:
    from lorbms_tf.training import planning

    epochs = planned.total_steps / planned.steps_per_epoch
    lines = [
        f"{len(planned.shards)} shards, {planned.steps_per_epoch} steps an epoch, "
        f"{planned.total_steps} steps in all ({epochs:.1f} epochs)"
    ]
    if not planned.config.eval_records:
        lines.append("no --eval_records: the sample pictures show training references")
    return "\n".join([*lines, planning.tau_warning(planned)]).rstrip()


def console_main() -> None:
    """Entry point of the console script `lorbms-train`."""
    flags.define(TrainConfig)
    absl_flags.DEFINE_bool("dry_run", False, "Print the configuration and stop.")
    command.run(main)


if __name__ == "__main__":
    console_main()
