"""Do distances choose as people do? Scores on triplets that people have judged, as BAPPS has them:

python -m lorbms_tf.two_afc --dataset=DIR --metrics=l2,mmd_no_dc,mmd++,vgg16_random
"""

import collections
import json
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

_SIMILARITIES = ("ssim", "psnr")  # higher is nearer
_REFERENCES = ("human", "ceiling")


@dataclass(frozen=True, kw_only=True)
class TwoAfcConfig(DistanceConfig):
    """Which triplets, and which distances."""

    dataset: str = setting(
        "", "Folder with ref, p0, p1 (pictures) and judge (.npy), or with such folders below it."
    )
    metrics: tuple[str, ...] = setting(
        ("l2", "ssim", "mmd", "mmd_no_dc", "mmd++", "scnn", "vgg16_random"),
        "Distances that choose; docs/distances.md says what is.",
    )
    limit: int = setting(0, "At most so many triplets of each folder; 0: all.")
    batch_size: int = setting(16, "Triplets in one pass.")
    seed: int = setting(0, "Seed of random draws and random weights.")
    out: str = setting("", "Also append the scores to this file, as a JSON line.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        super().validate()
        check_names(self.metrics, "metrics", others=_SIMILARITIES)
        if not self.metrics:
            raise UserError("--metrics is empty: name at least one")
        if not self.dataset:
            raise UserError("--dataset is required")
        require("limit", self.limit, minimum=0)
        require("batch_size", self.batch_size, minimum=1)
        require("seed", self.seed, minimum=0)


def two_afc(config: TwoAfcConfig) -> dict[str, Any]:
    """The scores of all distances, of people, and the ceiling, by folder.

    Returns:
      "folders": {folder: {"triplets": N, distance: mean score, "human", "ceiling"}}; "mean": the
      same over folders, each counting once; "skipped": how often for which reason; "examples": a
      picture for each reason; "weights".

    Raises UserError for flags and folders that cannot be used, and where a folder has no triplet
    that can be read.
    """
    from lorbms_tf.data import images
    from lorbms_tf.evaluation import two_afc as judged
    from lorbms_tf.features.pair_metrics import PairMetrics

    config.validate()
    sets = judged.find(config.dataset)
    metrics = PairMetrics(config.metrics, config, config.seed)
    bad, folders = [], {}
    for folder, triplets in sets.items():
        triplets = triplets[: config.limit or None]
        rows = collections.defaultdict(list)
        for pictures, judgements in _batches(triplets, folder, metrics, config, bad):
            for name, values in _scores(metrics, pictures, judgements, len(rows["human"])).items():
                rows[name].append(values)
        means = {name: float(np.concatenate(parts).mean()) for name, parts in rows.items()}
        count = sum(map(len, rows["human"]))
        folders[folder] = {"triplets": count, **means}
    names = [*metrics.names, *_REFERENCES]
    mean = {name: float(np.mean([one[name] for one in folders.values()])) for name in names}
    return {
        "folders": folders,
        "mean": mean,
        **images.skipped(bad),
        "weights": metrics.weights,
    }


def _scores(metrics: Any, pictures: np.ndarray, judgements: np.ndarray, draw: int) -> dict:
    """By name the score of each triplet [B]; pictures [B, 3, H, W, 3]. One draw for both sides."""
    from lorbms_tf.evaluation import two_afc as judged

    first, second = (metrics(pictures[:, 0], pictures[:, place], draw) for place in (1, 2))
    found = {}
    for name in metrics.names:
        sign = -1.0 if name in _SIMILARITIES else 1.0
        found[name] = judged.scores(sign * first[name], sign * second[name], judgements)
    return {**found, "human": judged.human(judgements), "ceiling": judged.ceilings(judgements)}


def _batches(
    triplets: list, folder: str, metrics: Any, config: TwoAfcConfig, bad: list
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures [B, 3, H, W, 3] of one size, and judgements [B]; adds what is left out to `bad`."""
    from lorbms_tf.data.images import BadImage
    from lorbms_tf.evaluation import two_afc as judged
    from lorbms_tf.progress import track

    batch, any_read = [], False
    for triplet in track(triplets, label=folder, unit="triplet"):
        try:
            pictures, judgement = judged.read(triplet)
            if reason := metrics.refusal(*pictures.shape[1:3]):
                raise BadImage(triplet.pictures[0], reason)
        except BadImage as error:
            bad.append(error)
            continue
        if batch and (len(batch) == config.batch_size or batch[0][0].shape != pictures.shape):
            yield _stacked(batch)
            batch = []
        batch.append((pictures, judgement))
        any_read = True
    if batch:
        yield _stacked(batch)
    if not any_read:
        raise UserError(f"--dataset={config.dataset}: {folder} has no triplet of use: {bad[-1]}")


def _stacked(batch: list) -> tuple[np.ndarray, np.ndarray]:
    pictures, judgements = zip(*batch, strict=True)
    return np.stack(pictures), np.array(judgements)


def json_line(config: TwoAfcConfig, found: dict[str, Any]) -> str:
    """One line of JSON: settings, scores by folder, then the mean of each distance by its name."""
    settings = {n: v for n, v in to_dict(config).items() if n not in ("metrics", "out")}
    skipped = sum(found["skipped"].values())
    line = {**settings, "weights": found["weights"], "skipped": skipped}
    return json.dumps({**line, "folders": found["folders"], **found["mean"]}, allow_nan=False)


def text(found: dict[str, Any]) -> str:
    """A table: a row a distance, a column a folder, and the mean over folders."""
    from lorbms_tf.evaluation.tables import aligned

    folders = found["folders"]
    rows = [["2AFC score", *folders, "mean"]]
    columns = [*folders.values(), found["mean"]]
    rows += [[name, *(f"{column[name]:.3f}" for column in columns)] for name in found["mean"]]
    return aligned([*rows, ["triplets", *(str(v["triplets"]) for v in folders.values()), ""]])


def main(argv) -> None:
    """Prints a table and one JSON line."""
    command.refuse_arguments(argv)
    config = flags.read(TwoAfcConfig)
    if config.out:
        files.append(config.out, "")  # before the pass, which may take long
    found = two_afc(config)
    print(text(found))
    for reason, count in found["skipped"].items():
        example = found["examples"][reason]
        print(f"left out: {count} triplets: {reason} (as {example})", file=sys.stderr)
    line = json_line(config, found)
    print(line)
    if config.out:
        files.append(config.out, line + "\n")
    best = max(config.metrics, key=found["mean"].get)
    print(
        command.next_step("lorbms_tf.distance", metrics=best, images="A", others="B"),
        file=sys.stderr,
    )


def console_main() -> None:
    """Entry point of the console script `lorbms-two-afc`."""
    flags.define(TwoAfcConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
