"""How long and how even paths between codes are, by the metric that they are shortest in:

python -m lorbms_tf.paths --run_dir=R --records=GLOB --metrics=linear,pixels,mmd --out=results/paths
python -m lorbms_tf.paths --run_dir=pretrained:scenes64 --synthesized --pairs=4 --segments=8
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from lorbms_tf import files
from lorbms_tf.cli import command, flags
from lorbms_tf.latent_paths.config import PathsConfig


def main(argv: Sequence[str]) -> None:
    """Prints a table and one JSON line, and writes what --out asks for."""
    command.refuse_arguments(argv)
    config = flags.read(PathsConfig)
    if config.out:
        files.append(Path(config.out) / "paths.json", "")  # before the work, which may take hours
    from lorbms_tf.latent_paths import measuring, report  # loads TensorFlow

    results = measuring.measure(config)
    print(report.table(results))
    print(report.line(results))
    if config.out:
        for path in report.write(results, Path(config.out), config.strips, config.video):
            print(f"wrote {path}", file=sys.stderr)
    if config.run_dir:
        page = {"run_dir": config.run_dir, "out": "report.html"}
        print(command.next_step("lorbms_tf.report", **page), file=sys.stderr)


def console_main() -> None:
    """Entry point of the console script `lorbms-paths`."""
    flags.define(PathsConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
