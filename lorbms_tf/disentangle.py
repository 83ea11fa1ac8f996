"""What the chunks of a trained model hold, on synthesized scenes, whose truth is known:

python -m lorbms_tf.disentangle --run_dir=R --scenes=DIR [--out=FILE]
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lorbms_tf import files
from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.data.quadrants import NAMES
from lorbms_tf.errors import UserError

TEST_SHARE = 0.25  # of the scenes, for the transfers; the judging probe learns from the others
PERMUTATIONS = 10  # of the labels
FEW = 1000  # scenes, below which scores carry a caution
_ROWS = {
    "real": "the scenes themselves: the most that can be expected",
    "reconstruction": "high is better",
    "kept": "high is better: what was not replaced stays",
    "replaced": "high is better: what came is there",
    "former": "low is better: what was there before is gone",
    "chance": "",
}


@dataclass(frozen=True, kw_only=True)
class DisentangleConfig:
    """Which model to look at, and on which scenes."""

    run_dir: str = setting("", "Run directory, or pretrained:NAME.")
    checkpoint: str = setting("latest", "Which one of the run: latest, best, or a step.")
    scenes: str = setting(
        "", "Folder written by tfrecords_tools.synthesize, with another seed than the training's."
    )
    limit: int = setting(0, "At most so many scenes; 0: all.")
    batch_size: int = setting(32, "Scenes in one pass of the networks.")
    seed: int = setting(0, "Seed of splits, partners and probes.")
    parts: int = setting(
        0,
        "Also tell what each of so many equal parts of a chunk says; 0: the parts that the model "
        "was trained with (--attribute_parts, --place_factors), if any.",
    )
    out: str = setting("", "Also append the numbers to this file, as a JSON line.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        for name in ("run_dir", "scenes"):
            if not getattr(self, name):
                raise UserError(f"--{name} is required")
        require("limit", self.limit, minimum=0)
        require("batch_size", self.batch_size, minimum=1)
        require("seed", self.seed, minimum=0)
        require("parts", self.parts, minimum=0)


def disentangle(config: DisentangleConfig) -> dict[str, Any]:
    """All numbers: "step", "scenes", and what `told` and `transfers` give.

    Raises UserError for runs and folders that cannot be used, and for too few scenes.
    """
    from lorbms_tf.data import images, scene_truth
    from lorbms_tf.evaluation.finite import check_finite
    from lorbms_tf.progress import track
    from lorbms_tf.training import run_directory

    config.validate()
    truth = scene_truth.read(config.scenes)
    widths = part_widths(run_directory.read_config(config.run_dir), config.parts)
    model, trained = run_directory.load_model(config.run_dir, config.checkpoint)
    paths = truth.paths[: config.limit or None]
    factors = {name: values[: len(paths)] for name, values in truth.factors.items()}
    tracked = track(paths, label="scenes", unit="scene")
    pictures = np.stack([images.read_square(path, trained.image_size) for path in tracked])
    encode, decode = (_in_batches(f, config.batch_size) for f in (model.encode, model.decode))
    codes = encode(pictures)
    check_finite(codes, f"codes of the scenes by --run_dir={config.run_dir}", UserError)
    try:
        return {
            "step": run_directory.checkpoint_step(config.run_dir, config.checkpoint),
            "scenes": len(pictures),
            **told(codes, factors, config.seed),
            **(part_scores(codes, factors, widths, config.seed) if len(widths) > 1 else {}),
            "transfers": transfers(codes, decode, pictures, factors, config.seed),
        }
    except ValueError as error:
        raise UserError(
            f"--run_dir={config.run_dir} on --scenes={config.scenes}: {error}"
        ) from error


def told(codes: np.ndarray, factors: dict[str, np.ndarray], seed: int) -> dict[str, Any]:
    """What chunks tell of quadrants: matrices by factor, and the scores over all of them.

    Args:
      codes: [N, 2, 2, C].
      factors: by name, int [N, 4].
      seed: of the split, and of the permutations.

    Returns:
      "information" by factor, "left_out" (which factors of which quadrants have one value), and
      what `evaluation.disentanglement.scores` gives.

    Raises:
      ValueError: too few scenes, codes that are not finite, or nothing that varies.
    """
    from lorbms_tf.lorbms.scores import chunk_probes, disentanglement
    from lorbms_tf.progress import track

    found = chunk_probes.chunk_scores(codes, factors, seed)
    rng = np.random.default_rng([seed, PERMUTATIONS])
    permuted = []
    tracked = track(range(PERMUTATIONS), label="probes of permuted labels", unit="permutation")
    for _ in tracked:
        order = rng.permutation(len(codes))
        mixed = {name: values[order] for name, values in factors.items()}
        permuted.append(chunk_probes.chunk_scores(codes, mixed, seed, silent=True))
    # One tested scene can change a share of the entropy by about its own share of the scenes.
    least = 1 / chunk_probes.tested(len(codes))
    return {
        "information": {name: one.information.tolist() for name, one in found.items()},
        "left_out": [
            f"{name} of {quadrant}"
            for name, one in found.items()
            for quadrant, varied in zip(NAMES, one.varied, strict=True)
            if not varied
        ],
        **disentanglement.scores(found, permuted, least),
    }


def part_widths(trained: Any, count: int = 0) -> dict[str, int]:
    """Numbers of each part of a chunk by name: `count` equal ones, or as the model was trained.

    Raises UserError where `count` does not divide the chunk.
    """
    from lorbms_tf.lorbms import outlook
    from lorbms_tf.lorbms.config import ModelConfig

    if not isinstance(trained, ModelConfig):
        raise UserError(f"a run of --method={trained.method} has no chunks of scenes")
    if not count:
        return outlook.parts(trained)
    if trained.chunk_size % count:
        raise UserError(f"--parts={count} does not divide the run's chunks of {trained.chunk_size}")
    return {f"part {number + 1}": trained.chunk_size // count for number in range(count)}


def part_scores(
    codes: np.ndarray, factors: dict[str, np.ndarray], widths: dict[str, int], seed: int
) -> dict[str, Any]:
    """What parts of chunks tell of their own quadrants.

    Returns:
      "parts": "widths" by name; by factor "information" and "accuracy" (a number a part, the mean
      over quadrants in which it varies) and "chance"; and "mig" over the parts.
    """
    from lorbms_tf.lorbms.scores import chunk_probes, disentanglement

    found = chunk_probes.part_scores(codes, factors, list(widths.values()), seed)
    found = {name: one for name, one in found.items() if one.varied.any()}
    means = {
        kind: {
            name: getattr(one, kind)[..., one.varied].mean(axis=-1).tolist()
            for name, one in found.items()
        }
        for kind in ("information", "accuracy", "chance")
    }
    matrix = np.stack(list(means["information"].values()), axis=1)  # [parts, factors]
    return {"parts": {"widths": widths, **means, "mig": disentanglement.gap(matrix)}}


def transfers(
    codes: np.ndarray, decode: Callable, pictures: np.ndarray, factors: dict, seed: int
) -> dict[str, dict[str, float]]:
    """Trains the judge on real scenes and shows it transfers between others.

    codes: of the pictures. See `evaluation.transfer_truth.accuracies` for the table.
    """
    from lorbms_tf.lorbms import mixing
    from lorbms_tf.lorbms.scores import transfer_truth

    order = np.random.default_rng(seed).permutation(len(pictures))
    tested, learned = np.split(order, [int(len(pictures) * TEST_SHARE)])
    guess = transfer_truth.train_probe(
        pictures[learned], {name: values[learned] for name, values in factors.items()}, seed
    )

    kept = codes[tested]

    def mix(partners, mask):
        mixed = mixing.mix_corners(kept, mixing.cells(kept[partners]), mask)
        return decode(np.asarray(mixed))

    held_out = {name: values[tested] for name, values in factors.items()}
    return transfer_truth.accuracies(guess, mix, pictures[tested], held_out, seed)


def _in_batches(function: Callable, size: int) -> Callable:
    """The function in a graph, on so many values at a time."""
    import tensorflow as tf

    from lorbms_tf.evaluation.batches import in_batches

    graph = tf.function(function, autograph=False, reduce_retracing=True)
    return lambda values: in_batches(graph, size, values)


def text(found: dict[str, Any]) -> str:
    """The numbers to read: matrices, scores, and the table of transfers."""
    lines = ["What chunk i (row) tells of quadrant j (column), share of the factor's entropy:"]
    matrices = found["information"]
    lines.append("  " + "".join(f"{name:<27}" for name in matrices).rstrip())
    for i in range(4):
        rows = [" ".join(f"{value:5.2f}" for value in matrix[i]) for matrix in matrices.values()]
        lines.append("  " + "    ".join(rows))
    lines.append("  best: high on the diagonal, 0 beside it (each chunk tells of its own quadrant)")
    if found["left_out"]:
        lines.append(f"  left out, because all scenes agree in it: {', '.join(found['left_out'])}")
    lines += [*_score_lines(found), *_cautions(found), *_part_lines(found.get("parts"))]
    table, names = found["transfers"], list(found["transfers"]["real"])
    lines.append("Right guesses of a probe that learned from real scenes, after transfers, %:")
    lines.append(f"  {'':<16}" + "".join(f"{name:>10}" for name in names))
    for row, values in table.items():
        shown = "".join(f"{100 * values[name]:>10.1f}" for name in names)
        lines.append(f"  {row:<16}{shown}  {_ROWS[row]}")
    return "\n".join(lines)


def _score_lines(found: dict[str, Any]) -> list[str]:
    best = dict.fromkeys(found["permuted"], 1.0)
    best["sap"] = 1 - found["chance"]  # the second best chunk guesses
    lines = ["Higher is better; beside each score what permuted labels give, and the best:"]
    lines.append(f"  {'':<22}{'score':>7}{'permuted':>10}{'best':>7}")
    for name, permuted in found["permuted"].items():
        lines.append(f"  {name:<22}{found[name]:>7.3f}{permuted:>10.3f}{best[name]:>7.3f}")
    lines.append(f"  {'(accuracy by chance':<22}{found['chance']:>7.3f})")
    floor = found["noise_floor"]
    lines.append(f"  DCI counts what is more than {floor:.3f} of a factor's entropy: less is noise")
    return lines


def _part_lines(found: dict[str, Any] | None) -> list[str]:
    if not found:
        return []
    names = list(found["information"])
    lines = ["What each part of a chunk tells of its own quadrant, share of the entropy:"]
    lines.append(f"  {'':<10}{'numbers':>8}" + "".join(f"{name:>10}" for name in names))
    for row, (part, width) in enumerate(found["widths"].items()):
        told = (f"{found['information'][name][row]:>10.2f}" for name in names)
        lines.append(f"  {part:<10}{width:>8}{''.join(told)}")
    lines.append(f"  MIG over parts {found['mig']:.3f}: 0 where two parts tell the same, 1 at best")
    return lines


def _cautions(found: dict[str, Any]) -> list[str]:
    from lorbms_tf.lorbms.scores import chunk_probes

    if found["scenes"] >= FEW:
        return []
    tested = chunk_probes.tested(found["scenes"])
    return [
        f"  caution: {found['scenes']} scenes, of which {tested} test the probes: a score may be "
        f"chance, also one of 0 or 1; take {FEW} or more"
    ]


def main(argv) -> None:
    """Prints the numbers, and the same as one JSON line."""
    command.refuse_arguments(argv)
    config = flags.read(DisentangleConfig)
    if config.out:
        files.append(config.out, "")  # before the passes, which take minutes
    found = disentangle(config)
    print(f"{found['scenes']} scenes, model {config.run_dir} after step {found['step']}")
    print(text(found))
    origin = {"run_dir": config.run_dir, "scenes_dir": config.scenes, "seed": config.seed}
    origin["permutations"] = PERMUTATIONS
    line = json.dumps({**origin, **found})
    print(line)
    if config.out:
        files.append(config.out, line + "\n")
    step = command.next_step("lorbms_tf.report", run_dir=config.run_dir, out="report.html")
    print(step, file=sys.stderr)


def console_main() -> None:
    """Entry point of the console script `lorbms-disentangle`."""
    flags.define(DisentangleConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
