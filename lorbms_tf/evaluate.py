"""Scores of a trained model:

python -m lorbms_tf.evaluate --run_dir=R --records=GLOB --metrics=psnr,mix_fidelity --out=FILE
python -m lorbms_tf.evaluate --table=FILE
"""

import contextlib
import dataclasses
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorbms_tf import files
from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import setting
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.score_config import ScoringConfig

_ALL = "all"  # checkpoints


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(ScoringConfig):
    """What to score, on which records, and where the scores go."""

    allow_other_dataset: bool = setting(
        False, "Append to an --out that holds scores on another dataset."
    )
    out: str = setting("", "Also append the scores to this file, as JSON lines.")
    table: str = setting("", "Only print the scores in such a file, one row a line.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        if self.table:
            return
        super().validate()
        if not self.records:
            raise UserError("--records is required")


def evaluate(config: EvaluateConfig) -> dict[str, Any]:
    """Scores by name, after where they come from (`scoring.score`); the swap matrix is printed."""
    from lorbms_tf.lorbms import scoring
    from lorbms_tf.lorbms.method import never_mixed

    scored = scoring.score(config)
    if caution := never_mixed(scored.trained, scored.scores["step"]):
        print(caution)
    if scored.bad.count:
        print(scored.bad.summary())
    for compared, found in scored.swaps.items():
        print(
            f"swap matrix by {compared} (row: chunk swapped; column: how far a quadrant follows):"
        )
        for row in found.follows:
            print("  " + " ".join(f"{value:.3f}" for value in row))
    for text in scored.cautions:
        print(f"caution: {text}")
    return scored.scores


def dataset_hash(config: EvaluateConfig) -> str | None:
    """What tells the records from others (`dataset_file.hash_of`); None where it is not known."""
    from lorbms_tf.data import dataset_file, records

    return dataset_file.hash_of(records.find_shards(config.records))


def json_line(config: EvaluateConfig, scores: dict[str, float], digest: str | None = None) -> str:
    """One line of JSON: where the scores come from, then the scores; null where not finite.

    digest: `dataset_hash`.
    """
    values: dict[str, Any] = {
        "run_dir": config.run_dir,
        "records_glob": config.records,
        "dataset_hash": digest,
        "seed": config.seed,
        "limit": config.limit,
        **{name: _finite(value) for name, value in scores.items()},
    }
    return json.dumps(values, allow_nan=False)


def _finite(value):
    return None if isinstance(value, float) and not math.isfinite(value) else value


def check_comparable(config: EvaluateConfig, digest: str | None) -> None:
    """Raises UserError where --out holds scores on another dataset, unless that is allowed.

    What is not known is not compared: lines without a hash, and records without one.
    """
    if not digest or config.allow_other_dataset or not files.is_file(config.out):
        return
    for number, line in enumerate(files.read_lines(config.out, f"--out={config.out}"), start=1):
        with contextlib.suppress(ValueError):  # a line of somebody else's
            held = json.loads(line)
            known = held.get("dataset_hash") if isinstance(held, dict) else None
            if known and known != digest:
                raise UserError(
                    f"--out={config.out} holds scores on another dataset (line {number}: "
                    f"{held.get('records_glob')}, {known[:12]}...; these records: "
                    f"{digest[:12]}...), which do not compare: name another file, or pass "
                    "--allow_other_dataset"
                )


def _table(path: str) -> str:
    from lorbms_tf.evaluation import tables

    lines = tables.read(path)
    tables.check_alike(lines, path)
    return tables.table(lines)


def main(argv) -> None:
    """Prints a small table and one JSON line for each checkpoint."""
    command.refuse_arguments(argv)
    config = flags.read(EvaluateConfig)
    if config.table:
        print(_table(config.table))
        return
    digest = dataset_hash(config)
    if config.out:
        check_comparable(config, digest)
        files.append(config.out, "")  # before the pass, which may take hours
    for one in each_checkpoint(config, digest):
        _evaluate_and_tell(one, digest)
    print(_next(config), file=sys.stderr)


def _next(config: EvaluateConfig) -> str:
    picture = {"run_dir": config.run_dir, "records": config.records, "out": "scenes.png"}
    return command.next_step("lorbms_tf.render", "scenes", **picture)


def each_checkpoint(config: EvaluateConfig, digest: str | None) -> list[EvaluateConfig]:
    """What is to be scored: the checkpoint, or of --checkpoint=all those that --out lacks yet.

    digest: `dataset_hash`. Raises UserError where the run has no checkpoint.
    """
    if config.checkpoint != _ALL:
        return [config]
    from lorbms_tf.evaluation import tables
    from lorbms_tf.training import checkpoints, run_directory

    run_directory.read_config(config.run_dir)
    folder = run_directory.resolve(config.run_dir) / run_directory.CHECKPOINTS
    steps = checkpoints.steps(folder)
    if not steps:
        raise UserError(f"--checkpoint={_ALL}: there is none in {folder}")
    written = config.out and Path(config.out).stat().st_size
    held = tables.read(config.out, flag="out") if written else []
    done = {line.get("step") for line in held if _is_alike(line, config, digest)}
    left = [step for step in steps if step not in done]
    print(f"{len(steps)} checkpoints, {len(left)} to score")
    return [dataclasses.replace(config, checkpoint=str(step)) for step in left]


def _is_alike(line: dict[str, Any], config: EvaluateConfig, digest: str | None) -> bool:
    """Whether a line of --out holds all scores asked for, measured in this way."""
    from lorbms_tf.lorbms.scoring import shown_name

    asked = json.loads(json_line(config, {}, digest))
    protocol = line.get("protocol") or {}
    measured = {"real": config.real_records or "the references", "resize": config.resize}
    return (
        all(line.get(name) == value for name, value in asked.items())
        and all(protocol.get(name) in (None, value) for name, value in measured.items())
        and all(shown_name(name, config) in line for name in config.metrics)
    )


def _evaluate_and_tell(config: EvaluateConfig, digest: str | None) -> None:
    scores = evaluate(config)
    from lorbms_tf.lorbms.scoring import shown_name

    print(
        f"{scores['records']} records of {config.records}, "
        f"model {config.run_dir} after step {scores['step']}"
    )
    names = [shown_name(name, config) for name in config.metrics]
    width = max(map(len, names), default=0)
    reasons = scores.get("missing", {})
    for name in names:
        shown = f"- ({reasons[name]})" if name in reasons else _shown(name, scores[name])
        print(f"  {name:<{width}}  {shown}")
    line = json_line(config, scores, digest)
    print(line)
    if config.out:
        files.append(config.out, line + "\n")


def _shown(name: str, value: float) -> str:
    """A score with its unit."""
    if name == "mix_fidelity":
        return f"{100 * value:.1f} %"
    return f"{value:.4g}{' dB' if name == 'psnr' else ''}"


def console_main() -> None:
    """Entry point of the console script `lorbms-evaluate`."""
    flags.define(EvaluateConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
