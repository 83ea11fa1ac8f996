"""Representations judged by a simple classifier on them (thesis, section 4.3, table 4.3):

python -m lorbms_tf.probe --run_dir=R --features=encoder --dataset=stl10:DIR --out=FILE
python -m lorbms_tf.probe --table=FILE
"""

import json

from lorbms_tf.cli import command, flags
from lorbms_tf.probing import results
from lorbms_tf.probing.settings import ProbeConfig


def main(argv) -> None:
    """Prints the table of all runs and, without --out, a JSON line for each."""
    command.refuse_arguments(argv)
    config = flags.read(ProbeConfig)
    if config.table:
        lines = results.read(config.table, "table")
        results.check_alike(lines, lines[0]["protocol"], f"--table={config.table}")
        _print(lines)
        return
    from lorbms_tf.probing.running import Probe  # loads TensorFlow

    probe = Probe(config)
    data = probe.data
    print(
        f"{config.dataset}: {len(data.classes)} classes, {len(data.train.images)} images to learn "
        f"from, {len(data.test.images)} to test on",
        flush=True,
    )
    lines = probe.run()
    _print(lines)
    if config.out:
        print(command.next_step("lorbms_tf.probe", table=config.out))
        return
    for line in lines:
        print(json.dumps(line))


def _print(lines) -> None:
    print(results.describe(lines[0]["protocol"]))
    print(results.table(lines))


def console_main() -> None:
    """Entry point of the console script `lorbms-probe`."""
    flags.define(ProbeConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
