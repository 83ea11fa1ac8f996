"""Scores of a trained model:

python -m lorbms_tf.evaluate --run_dir=R --records=GLOB --metrics=psnr,mix_fidelity --out=FILE
python -m lorbms_tf.evaluate --table=FILE
"""

import dataclasses
import sys
import types
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorbms_tf import files
from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import of_values, setting
from lorbms_tf.errors import UserError
from lorbms_tf.training import run_directory
from lorbms_tf.training.evaluation_config import EvaluationConfig
from lorbms_tf.training.method import Evaluation
from lorbms_tf.training.run_directory import MethodConfig

_ALL = "all"  # checkpoints
_DATA = ("records", "photos")  # flags that name held-out data


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """Where the scores go."""

    allow_other_dataset: bool = setting(
        False, "Append to an --out that holds scores on another dataset."
    )
    out: str = setting("", "Also append the scores to this file, as JSON lines.")
    table: str = setting("", "Only print the scores in such a file, one row a line.")

    def validate(self) -> None:
        """There is nothing to check."""


def evaluate(evaluation: Evaluation, config: EvaluationConfig) -> dict[str, Any]:
    """`Measured.values` of one checkpoint; what is to be known beside the scores is printed."""
    measured = evaluation.measure(config)
    for note in measured.notes:
        print(note)
    return measured.values


class _Callable(types.ModuleType):
    """This module, which can be called: `lorbms_tf.evaluate(...)`, and remains a module to run."""

    def __call__(self, run_dir: str, **settings: Any) -> dict[str, Any]:
        """The scores of a run by name, as the command prints them.

        Args:
          run_dir: run directory, or pretrained:NAME.
          settings: flags of `python -m lorbms_tf.evaluate --run_dir=R --help`.

        Raises UserError for unknown settings, and for runs and data that cannot be used.
        """
        run_dir = str(run_dir)
        evaluation = run_directory.method_of(run_dir).evaluation
        config = of_values(evaluation.config, {"run_dir": run_dir, **settings})
        return evaluate(evaluation, config)


sys.modules[__name__].__class__ = _Callable


def _table(path: str, evaluation: Evaluation) -> str:
    from lorbms_tf.evaluation import lines, tables

    rows = lines.read(path)
    lines.check_alike(rows, path)
    return tables.table(rows, evaluation.score)


def main(argv: Sequence[str]) -> None:
    """Prints a small table and one JSON line for each checkpoint."""
    command.refuse_arguments(argv)
    door, evaluation = flags.read(EvaluateConfig), run_directory.asked_method().evaluation
    if door.table:
        print(_table(door.table, evaluation))
        return
    config = flags.read(evaluation.config)
    origin = evaluation.origin(config)
    if door.out:
        from lorbms_tf.evaluation import lines

        if not door.allow_other_dataset:
            lines.check_dataset(door.out, origin["dataset_hash"])
        files.append(door.out, "")  # before the pass, which may take hours
    for one in each_checkpoint(evaluation, config, origin, door.out):
        _evaluate_and_tell(evaluation, one, origin, door.out)
    print(_next(config), file=sys.stderr)


def _next(config: EvaluationConfig) -> str:
    """A picture of the same data, the first that the method has; else the page on the run."""
    sheets = run_directory.asked_method().sheets
    name = next(iter(sheets), "")
    known = {field.name for field in dataclasses.fields(sheets[name].config)} if name else _DATA
    data = {flag: getattr(config, flag, "") for flag in _DATA if flag in known}
    given = {"run_dir": config.run_dir, **{flag: value for flag, value in data.items() if value}}
    if not name:
        return command.next_step("lorbms_tf.report", **given, out="report.html")
    return command.next_step("lorbms_tf.render", name, **given, out=f"{name}.png")


def each_checkpoint(
    evaluation: Evaluation, config: EvaluationConfig, origin: dict[str, Any], out: str
) -> list[EvaluationConfig]:
    """What is to be scored: the checkpoint, or of --checkpoint=all those that `out` lacks yet.

    origin: run and data. Raises UserError where the run has no checkpoint.
    """
    if config.checkpoint != _ALL:
        return [config]
    from lorbms_tf.evaluation import lines
    from lorbms_tf.training import checkpoints

    run_directory.read_config(config.run_dir)
    folder = run_directory.resolve(config.run_dir) / run_directory.CHECKPOINTS
    steps = checkpoints.steps(folder)
    if not steps:
        raise UserError(f"--checkpoint={_ALL}: there is none in {folder}")
    written = out and Path(out).stat().st_size
    held = lines.read(out, flag="out") if written else []
    asked = (origin, evaluation.names(config), evaluation.conditions(config))
    done = {line.get("step") for line in held if lines.answers(line, *asked)}
    left = [step for step in steps if step not in done]
    print(f"{len(steps)} checkpoints, {len(left)} to score")
    return [dataclasses.replace(config, checkpoint=str(step)) for step in left]


def _evaluate_and_tell(
    evaluation: Evaluation, config: EvaluationConfig, origin: dict[str, Any], out: str
) -> None:
    values = evaluate(evaluation, config)
    from lorbms_tf.evaluation import lines

    print(
        f"{values['records']} {'records' if 'records_glob' in origin else 'photos'} of "
        f"{lines.source(origin)}, model {config.run_dir} after step {values['step']}"
    )
    names = evaluation.names(config)
    width = max(map(len, names), default=0)
    reasons = values.get("missing", {})
    for name in names:
        score = evaluation.score(name)
        shown = f"- ({reasons[name]})" if name in reasons else score.shown(values[name])
        print(f"  {name:<{width}}  {shown}")
    line = lines.text(origin, values)
    print(line)
    if out:
        files.append(out, line + "\n")


def console_main() -> None:
    """Entry point of the console script `lorbms-evaluate`."""
    flags.define(EvaluateConfig)
    flags.define(run_directory.method_of_flags().evaluation.config)
    flags.define(MethodConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
