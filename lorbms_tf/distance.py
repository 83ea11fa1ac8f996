"""Distances and similarities of pairs of pictures:

python -m lorbms_tf.distance --metrics=mmd,mmd++,psnr --images=A.png --others=B.png
python -m lorbms_tf.distance --metrics=mmd_exact,l2 --images=FOLDER --others=FOLDER --out=FILE
"""

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lorbms_tf import files
from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import require, setting, to_dict
from lorbms_tf.distances.distance_config import DistanceConfig, check_names
from lorbms_tf.errors import UserError

SIMILARITIES = ("ssim", "psnr")  # higher is better
_AT_ONCE = 8  # pairs of one size
_ROWS = 20  # of the table, before it is cut
_NOT_IN_LINES = ("pairs", "out", "metrics")


@dataclass(frozen=True, kw_only=True)
class PairsConfig(DistanceConfig):
    """Which pairs to measure, and by what."""

    metrics: tuple[str, ...] = setting(
        ("mmd", "mmd++", "l2", "psnr", "ssim"), "What to measure; docs/distances.md says what is."
    )
    images: str = setting("", "A picture, or a folder of pictures.")
    others: str = setting("", "Another picture, or a folder of pictures of the same names.")
    pairs: str = setting("", "Instead of both: a file of lines A,B that name two pictures each.")
    image_size: int = setting(
        0, "Read central squares of so many pixels a side; 0: pictures as they are."
    )
    seed: int = setting(0, "Seed of random draws and random weights.")
    out: str = setting("", "Also append the means to this file, as a JSON line.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        super().validate()
        check_names(self.metrics, "metrics", others=SIMILARITIES)
        if not self.metrics:
            raise UserError("--metrics is empty: name at least one")
        if bool(self.pairs) == bool(self.images or self.others):
            raise UserError("name the pictures by --images=A --others=B, or else by --pairs=FILE")
        if not self.pairs and not (self.images and self.others):
            raise UserError("--images and --others are required, both")
        require("image_size", self.image_size, minimum=0)
        require("seed", self.seed, minimum=0)


def distance(config: PairsConfig) -> dict[str, Any]:
    """Every metric of every pair.

    Returns:
      "names" of the pairs that were measured; "values", arrays [N] by metric; "skipped", how often
      for which reason; "examples", a picture for each reason; "alone", the pictures that have no
      partner; "weights" of networks.

    Raises UserError for pictures, weights and flags that cannot be used: of two files, for any
    fault; of more pairs, where none is left.
    """
    from lorbms_tf.data import images
    from lorbms_tf.evaluation import picture_pairs
    from lorbms_tf.features.pair_metrics import PairMetrics

    config.validate()
    if config.pairs:
        listed = picture_pairs.of_list(config.pairs)
    else:
        listed = picture_pairs.of_paths(config.images, config.others)
    metrics = PairMetrics(config.metrics, config, config.seed)
    names, parts, bad = [], [], []
    measured = 0
    for batch in _batches(listed.pairs, metrics, config, bad):
        names += [name for name, _, _ in batch]
        first, second = (np.stack([row[place] for row in batch]) for place in (1, 2))
        parts.append(metrics(first, second, draw=measured))
        measured += len(batch)
    return {
        "names": names,
        "values": {n: np.concatenate([part[n] for part in parts]) for n in metrics.names},
        **images.skipped(bad),
        "alone": listed.alone,
        "weights": metrics.weights,
    }


def _batches(pairs: list, metrics: Any, config: PairsConfig, bad: list) -> Iterator[list]:
    """Neighbouring pairs of one size as (name, first, second); adds what is left out to `bad`."""
    from lorbms_tf.data.images import BadImage
    from lorbms_tf.evaluation import picture_pairs
    from lorbms_tf.progress import track

    batch = []
    for pair in track(pairs, label="pairs", unit="pair"):
        try:
            first, second = picture_pairs.read(pair, config.image_size)
            if reason := metrics.refusal(*first.shape[:2]):
                raise BadImage(pair.first, reason)
        except BadImage as error:
            bad.append(error)
            continue
        if batch and (len(batch) == _AT_ONCE or batch[0][1].shape != first.shape):
            yield batch
            batch = []
        batch.append((pair.name, first, second))
    if batch:
        yield batch
    elif bad:  # nothing is left: one that was left out says why
        more = f" (and {len(pairs) - 1} more are left out)" if len(pairs) > 1 else ""
        raise UserError(f"no pair can be measured: {bad[-1]}{more}")


def json_line(config: PairsConfig, found: dict[str, Any]) -> str:
    """One line of JSON: settings, then the mean of each metric by its name; null if not finite."""
    settings = {name: v for name, v in to_dict(config).items() if name not in _NOT_IN_LINES}
    means = {name: float(np.mean(values)) for name, values in found["values"].items()}
    line = {
        **settings,
        "pairs_file": config.pairs,
        "pairs": len(found["names"]),
        "skipped": sum(found["skipped"].values()),
        "weights": found["weights"],
        **{name: mean if math.isfinite(mean) else None for name, mean in means.items()},
    }
    return json.dumps(line, allow_nan=False)


def text(found: dict[str, Any]) -> str:
    """A table with a row a pair, of many the first, and below it mean and standard error."""
    from lorbms_tf.evaluation.tables import aligned

    values, count = found["values"], len(found["names"])
    rows = [["pair", *values]]
    for place, name in enumerate(found["names"][:_ROWS]):
        rows.append([name, *(_shown(column[place]) for column in values.values())])
    if count > _ROWS:
        rows.append([f"... {count - _ROWS} more", *[""] * len(values)])
    if count > 1:
        rows.append(["mean", *(_shown(np.mean(column)) for column in values.values())])
        errors = (
            np.std(column, ddof=1) / count**0.5 if np.isfinite(column).all() else math.nan
            for column in values.values()
        )
        rows.append(["standard error", *map(_shown, errors)])
    return aligned(rows)


def _shown(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"


def main(argv) -> None:
    """Prints a table and one JSON line."""
    command.refuse_arguments(argv)
    config = flags.read(PairsConfig)
    if config.out:
        files.append(config.out, "")  # before the pass, which may take long
    found = distance(config)
    print(text(found))
    for reason, count in found["skipped"].items():
        example = found["examples"][reason]
        print(f"left out: {count} pairs: {reason} (as {example})", file=sys.stderr)
    if found["alone"]:
        count, example = len(found["alone"]), found["alone"][0]
        print(f"left out: {count} pictures without a partner (as {example})", file=sys.stderr)
    line = json_line(config, found)
    print(line)
    if config.out:
        files.append(config.out, line + "\n")
    judged = {"dataset": "DIR", "metrics": ",".join(config.metrics)}
    print(command.next_step("lorbms_tf.two_afc", **judged), file=sys.stderr)


def console_main() -> None:
    """Entry point of the console script `lorbms-distance`."""
    flags.define(PairsConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
