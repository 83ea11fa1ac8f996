"""Scores of a trained model: python -m lorbms_tf.evaluate --run_dir=R --records=GLOB."""

import contextlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from lorbms_tf import command, flags
from lorbms_tf.config import require, setting
from lorbms_tf.errors import UserError


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """What to score, and on which records."""

    run_dir: str = setting("", "Run directory, or pretrained:NAME.")
    checkpoint: str = setting("latest", "Which one of the run: latest, best, or a step.")
    records: str = setting("", "Glob of held-out record files.")
    metrics: tuple[str, ...] = setting(("psnr", "mix_fidelity"), "Scores to compute.")
    batch_size: int = setting(16, "References at a time.")
    limit: int = setting(0, "At most so many records; 0: all.")
    seed: int = setting(0, "Seed of the drawn candidates.")
    max_bad_records: int = setting(0, "Leave out up to so many damaged records.")
    allow_other_dataset: bool = setting(
        False, "Append to an --out that holds scores on another dataset."
    )
    out: str = setting("", "Also append the scores to this file, as JSON lines.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        for name in ("run_dir", "records"):
            if not getattr(self, name):
                raise UserError(f"--{name} is required")
        require("batch_size", self.batch_size, minimum=1)
        require("limit", self.limit, minimum=0)
        require("max_bad_records", self.max_bad_records, minimum=0)


def evaluate(config: EvaluateConfig) -> dict[str, float]:
    """Scores by name, after "step" (of the checkpoint), "tau" and the number of "records".

    A score may be infinite (PSNR where an image is reproduced exactly).

    Raises UserError for unknown metrics and for runs or records that cannot be used.
    """
    import tensorflow as tf

    from lorbms_tf import run_directory
    from lorbms_tf.data import pipeline
    from lorbms_tf.data.damage import BadRecords
    from lorbms_tf.evaluation import registry
    from lorbms_tf.progress import track

    registry.check_names(config.metrics)
    model, trained = run_directory.load_model(config.run_dir, config.checkpoint)
    bad = BadRecords(config.max_bad_records)
    batches = pipeline.evaluation_batches(
        config.records,
        trained.image_size,
        config.batch_size,
        config.seed,
        config.limit or None,
        bad,
    )
    render = tf.function(model.render, autograph=False, reduce_retracing=True)
    tracked = track(batches, label="rendering", unit="step")
    rendered = registry.render_all(render, pipeline.checked(tracked, config.records))
    if bad.count:
        print(bad.summary())
    scores = {name: registry.METRICS[name](rendered) for name in config.metrics}
    step = run_directory.checkpoint_step(config.run_dir, config.checkpoint)
    return {"step": step, "tau": trained.tau, "records": len(rendered.reference), **scores}


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
        **{name: value if math.isfinite(value) else None for name, value in scores.items()},
    }
    return json.dumps(values, allow_nan=False)


def check_comparable(config: EvaluateConfig, digest: str | None) -> None:
    """Raises UserError where --out holds scores on another dataset, unless that is allowed.

    What is not known is not compared: lines without a hash, and records without one.
    """
    if not digest or config.allow_other_dataset or not Path(config.out).is_file():
        return
    for number, line in enumerate(Path(config.out).read_text("utf-8").splitlines(), start=1):
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


def _open_out(path: str) -> TextIO:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return open(path, "a", encoding="utf-8")
    except OSError as error:
        raise UserError(f"--out={path} cannot be written: {error.strerror}") from error


def main(argv) -> None:
    """Prints a small table and one JSON line."""
    command.refuse_arguments(argv)
    config = flags.read(EvaluateConfig)
    digest = dataset_hash(config)
    if config.out:
        check_comparable(config, digest)
        _open_out(config.out).close()  # before the pass, which may take hours
    scores = evaluate(config)
    print(
        f"{scores['records']} records of {config.records}, "
        f"model {config.run_dir} after step {scores['step']}"
    )
    for name in config.metrics:
        shown = f"{100 * scores[name]:.1f} %" if name == "mix_fidelity" else f"{scores[name]:.2f}"
        print(f"  {name:<14} {shown}{' dB' if name == 'psnr' else ''}")
    line = json_line(config, scores, digest)
    print(line)
    if config.out:
        try:
            with _open_out(config.out) as file:
                file.write(line + "\n")
        except OSError as error:
            raise UserError(f"--out={config.out} cannot be written: {error.strerror}") from error


def console_main() -> None:
    """Entry point of the console script `lorbms-evaluate`."""
    flags.define(EvaluateConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
