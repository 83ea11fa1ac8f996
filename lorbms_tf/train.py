"""Training: python -m lorbms_tf.train --flagfile=configs/thesis.cfg --records=GLOB --run_dir=R.

Starting it again with the same run directory continues from the last checkpoint.
"""

import time

from absl import flags as absl_flags

from lorbms_tf import command, flags
from lorbms_tf.config import TrainConfig
from lorbms_tf.progress import clock

FLAGS = absl_flags.FLAGS


def main(argv) -> None:
    """Prints the resolved configuration and the parameter table, then trains."""
    command.refuse_arguments(argv)
    config = flags.read(TrainConfig)
    from lorbms_tf.training import loop  # TensorFlow loads once the flags are known to be good

    if FLAGS.dry_run and not config.records:
        print(flags.as_text(config))
        print(loop.parameter_table(loop.build_model(config, total_steps=1)))
        print("dry run without --records: nothing was looked for, nothing was written")
        return
    planned = loop.plan(config)
    print(flags.as_text(planned.config))
    if FLAGS.dry_run:
        print(loop.parameter_table(loop.build_model(planned.config, planned.total_steps)))
        print(_summary(planned))
        print("dry run: nothing was written")
        return
    run = loop.Run(planned)
    print(loop.parameter_table(run.model))
    print(_summary(planned))
    if run.first_step:
        print(f"continuing {run.folder} from step {run.first_step}")
    start = time.monotonic()
    made = run.train()
    if made:
        print(f"{made} steps in {clock(time.monotonic() - start)}; run directory {run.folder}")
    else:
        print(f"{run.folder} has reached step {run.first_step} already: nothing left to do")
    if planned.bad.count:
        print(planned.bad.summary())
    print(f"curves: tensorboard --logdir {run.folder}    pictures: {run.folder}/samples")


def _summary(planned) -> str:
    from lorbms_tf.training import loop

    epochs = planned.total_steps / planned.steps_per_epoch
    lines = [
        f"{len(planned.shards)} shards, {planned.steps_per_epoch} steps an epoch, "
        f"{planned.total_steps} steps in all ({epochs:.1f} epochs)"
    ]
    if not planned.config.eval_records:
        lines.append("no --eval_records: the sample pictures show training references")
    return "\n".join([*lines, loop.tau_warning(planned)]).rstrip()


def console_main() -> None:
    """Entry point of the console script `lorbms-train`."""
    flags.define(TrainConfig)
    absl_flags.DEFINE_bool("dry_run", False, "Print the configuration and stop.")
    command.run(main)


if __name__ == "__main__":
    console_main()
