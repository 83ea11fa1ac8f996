"""Scores of a trained model:

python -m lorbms_tf.evaluate --run_dir=R --records=GLOB --metrics=psnr,mix_fidelity --out=FILE
python -m lorbms_tf.evaluate --table=FILE
"""

import contextlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorbms_tf import command, files, flags
from lorbms_tf.config import require, setting
from lorbms_tf.errors import UserError


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """What to score, and on which records."""

    run_dir: str = setting("", "Run directory, or pretrained:NAME.")
    checkpoint: str = setting("latest", "Which one of the run: latest, best, or a step.")
    records: str = setting("", "Glob of held-out record files.")
    metrics: tuple[str, ...] = setting(
        ("psnr", "mix_fidelity"),
        "Scores to compute: psnr, ssim, mix_fidelity, swap_locality, swap_cycle_error, "
        "seams_mix, seams_reconstruction, seams_pasted; with _mix or _reconstruction behind them "
        "swd, and of an --extractor frechet, kernel, precision, recall, classifier_score; of an "
        "--extractor too, swap_locality_features.",
    )
    extractor: str = setting(
        "mobilenet_v2",
        "Network of the scores of features: inception_2015 (for FID, IS, KID as published), "
        "mobilenet_v2, resnet50, inception_v3, vgg16 or efficientnet_b0.",
    )
    extractor_weights: str = setting(
        "", "Its weights: classify_image_graph_def.pb for inception_2015, else Keras's with top."
    )
    resize: str = setting("legacy", "How images come to its size.", choices=("legacy", "antialias"))
    real_records: str = setting(
        "", "Records whose references are the real images; empty: those that are rendered."
    )
    batch_size: int = setting(16, "References at a time.")
    limit: int = setting(0, "At most so many records; 0: all.")
    seed: int = setting(0, "Seed of the drawn candidates.")
    max_bad_records: int = setting(0, "Leave out up to so many damaged records.")
    allow_other_dataset: bool = setting(
        False, "Append to an --out that holds scores on another dataset."
    )
    out: str = setting("", "Also append the scores to this file, as JSON lines.")
    table: str = setting("", "Only print the scores in such a file, one row a line.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        for name in ("run_dir", "records"):
            if not getattr(self, name) and not self.table:
                raise UserError(f"--{name} is required")
        require("batch_size", self.batch_size, minimum=1)
        require("limit", self.limit, minimum=0)
        require("max_bad_records", self.max_bad_records, minimum=0)


def evaluate(config: EvaluateConfig) -> dict[str, Any]:
    """Scores by name, after "step" (of the checkpoint), "tau", the number of "records" and the
    "protocol" of the scores of sets.

    Names of scores of features hold the extractor, as in frechet_mobilenet_v2_mix. A score may be
    infinite (PSNR where an image is reproduced exactly).

    Raises UserError for unknown metrics and for runs or records that cannot be used.
    """
    from lorbms_tf import run_directory
    from lorbms_tf.data.damage import BadRecords
    from lorbms_tf.evaluation import registry, scene_scores

    of_rendered = {**registry.METRICS, **registry.SEAMS}
    swaps = [name for names in registry.SWAP_METRICS.values() for name in names]
    valid = (*of_rendered, *scene_scores.SCORES, *swaps)
    registry.check_names(config.metrics, valid=valid)
    extractor = _extractor(config)
    model, trained = run_directory.load_model(config.run_dir, config.checkpoint)
    bad = BadRecords(config.max_bad_records)
    rendered = _render(config, model, trained.image_size, bad)
    sets = scene_scores.Sets(
        {
            "real": _real(config, trained.image_size, bad, rendered.reference),
            "mix": rendered.mix,
            "reconstruction": rendered.reconstruction,
        },
        extractor,
        config.batch_size,
        config.seed,
    )
    if bad.count:
        print(bad.summary())
    swapped = _swap(config, model, rendered.reference, extractor)
    scores: dict[str, Any] = {}
    for name in config.metrics:
        if name in of_rendered:
            scores[name] = of_rendered[name](rendered)
        elif name in swapped:
            scores[shown_name(name, config)] = swapped[name]
        else:
            scores[shown_name(name, config)] = scene_scores.compute(name, sets)
    step = run_directory.checkpoint_step(config.run_dir, config.checkpoint)
    found = {"step": step, "tau": trained.tau, "records": len(rendered.reference)}
    if extractor or any(name in scene_scores.SCORES for name in config.metrics):
        found["protocol"] = {
            "real": config.real_records or "the references",
            "real_images": len(sets.images["real"]),
            "resize": config.resize if extractor else None,
            "extractor": config.extractor if extractor else None,
            "extractor_sha256": extractor.weights_hash if extractor else None,
        }
    return {**found, **scores}


def shown_name(name: str, config: EvaluateConfig) -> str:
    """The name of a score with its extractor: frechet_mix -> frechet_mobilenet_v2_mix."""
    if name == "swap_locality_features":
        return f"swap_locality_{config.extractor}"
    if not _needs_extractor([name]):
        return name
    kind, _, of = name.rpartition("_")
    return f"{kind}_{config.extractor}_{of}"


def _needs_extractor(metrics) -> bool:
    from lorbms_tf.evaluation import registry, scene_scores

    swaps = registry.SWAP_METRICS["features"]
    return scene_scores.needs_extractor(metrics) or any(name in swaps for name in metrics)


def _extractor(config: EvaluateConfig):
    from lorbms_tf.evaluation import extractors

    if not _needs_extractor(config.metrics):
        return None
    return extractors.make(config.extractor, config.extractor_weights, config.resize)


def _render(config: EvaluateConfig, model, image_size: int, bad):
    import tensorflow as tf

    from lorbms_tf.data import pipeline
    from lorbms_tf.evaluation import registry
    from lorbms_tf.progress import track

    batches = pipeline.evaluation_batches(
        config.records, image_size, config.batch_size, config.seed, config.limit or None, bad
    )
    render = tf.function(model.render, autograph=False, reduce_retracing=True)
    tracked = track(batches, label="rendering", unit="step")
    return registry.render_all(render, pipeline.checked(tracked, config.records))


def _real(config: EvaluateConfig, image_size: int, bad, references):
    """The real images: references of --real_records, or those that were rendered."""
    import numpy as np

    from lorbms_tf.data import pipeline

    if not config.real_records:
        return references
    batches = pipeline.evaluation_batches(
        config.real_records, image_size, config.batch_size, config.seed, bad=bad
    )
    checked = pipeline.checked(batches, config.real_records)
    return np.concatenate([np.asarray(batch["reference"]) for batch in checked])


def _swap(config: EvaluateConfig, model, references, extractor) -> dict[str, float]:
    """Those scores of swapped chunks that are asked for; the matrices are printed."""
    import tensorflow as tf

    from lorbms_tf.evaluation import registry
    from lorbms_tf.evaluation.swap_matrix import swap_matrix

    functions = [
        tf.function(function, autograph=False, reduce_retracing=True)
        for function in (model.encode, model.decode)
    ]
    scores = {}
    for compared, asked in registry.SWAP_METRICS.items():
        if not set(asked) & set(config.metrics):
            continue
        describe = None
        if compared == "features":

            def describe(quadrants):
                return extractor(quadrants, config.batch_size)[0]

        found = swap_matrix(*functions, references, config.seed, config.batch_size, describe)
        print(
            f"swap matrix by {compared} (row: chunk swapped; column: how far a quadrant follows):"
        )
        for row in found.follows:
            print("  " + " ".join(f"{value:.3f}" for value in row))
        values = (found.locality, float(found.cycle_error.mean()))
        scores.update(zip(asked, values, strict=False))  # features have no cycle error
    return scores


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
        **{name: _finite(value) for name, value in scores.items()},
    }
    return json.dumps(values, allow_nan=False)


def _finite(value):
    return None if isinstance(value, float) and not math.isfinite(value) else value


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


def _table(path: str) -> str:
    from lorbms_tf.evaluation import tables

    lines = tables.read(path)
    tables.check_alike(lines, path)
    return tables.table(lines)


def main(argv) -> None:
    """Prints a small table and one JSON line."""
    command.refuse_arguments(argv)
    config = flags.read(EvaluateConfig)
    if config.table:
        print(_table(config.table))
        return
    digest = dataset_hash(config)
    if config.out:
        check_comparable(config, digest)
        files.append(config.out, "")  # before the pass, which may take hours
    scores = evaluate(config)
    print(
        f"{scores['records']} records of {config.records}, "
        f"model {config.run_dir} after step {scores['step']}"
    )
    names = [shown_name(name, config) for name in config.metrics]
    width = max(map(len, names), default=0)
    for name in names:
        shown = f"{100 * scores[name]:.1f} %" if name == "mix_fidelity" else f"{scores[name]:.4g}"
        print(f"  {name:<{width}}  {shown}{' dB' if name == 'psnr' else ''}")
    line = json_line(config, scores, digest)
    print(line)
    if config.out:
        files.append(config.out, line + "\n")


def console_main() -> None:
    """Entry point of the console script `lorbms-evaluate`."""
    flags.define(EvaluateConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
