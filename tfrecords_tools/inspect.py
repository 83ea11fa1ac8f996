"""A look into records:

python -m tfrecords_tools.inspect --records='data/mine/*.tfrecord-*' --sheet=neighbours.png

Checks every record and compares the shards with their dataset.json, prints counts and distances,
and draws references with their neighbours (--sheet). --html=report.html writes all of it
and more, with charts and scores, as one file. The exit code is 1 where a check fails.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lorbms_tf import progress
from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json
from lorbms_tf.pages import pictures
from tfrecords_tools import distance_tables, neighbour_sheet, record_checks, versions
from tfrecords_tools.record_checks import Checked
from tfrecords_tools.report import sheets
from tfrecords_tools.scoring import scorecard

SHOWN_FAILURES = 20
_SMALL_MODEL = Path(__file__).resolve().parent.parent / "configs" / "quickstart.cfg"  # at 32 px


@dataclass(frozen=True, kw_only=True)
class InspectConfig:
    """What to look at."""

    records: str = setting("", "Glob of the shards, quoted; several are separated by commas.")
    sheet: str = setting("", "PNG to draw: references with the nearest candidates.")
    html: str = setting("", "HTML file to write: counts, charts, sheets and scores, all in one.")
    annotations: str = setting(
        "", "COCO file, or the instances.json of synthesized scenes, to score candidates in --html."
    )
    limit: int = setting(1000, "References that are scored for --html; 0: all.")
    rows: int = setting(6, "References on the sheet; each takes one row for each quadrant.")
    seed: int = setting(0, "Seed of the references on the sheet and of the draws of candidates.")

    def validate(self) -> None:
        """Raises UserError, naming the flag and its valid values, for the first bad setting."""
        if not self.records:
            raise UserError("--records is required: a glob such as 'DIR/*.tfrecord-*'")
        require("rows", self.rows, minimum=1)
        require("seed", self.seed, minimum=0)
        require("limit", self.limit, minimum=0)
        if self.html and Path(self.html).suffix.lower() not in (".html", ".htm"):
            raise UserError(f"--html={self.html} is not valid: the name must end in .html")
        if self.annotations and not self.html:
            raise UserError("--annotations is for the scores in --html, which is not given")
        if self.sheet and Path(self.sheet).suffix.lower() != ".png":
            raise UserError(f"--sheet={self.sheet} is not valid: the name must end in .png")


def check(pattern: str) -> dict[str, Checked]:
    """Checks all records of the shards that match a glob, each folder as one dataset.

    Returns what was found, by folder. Raises UserError where no shards match or some of a set are
    missing; faults in the shards do not raise, they are in `Checked.failures`.
    """
    paths = records.find_shards(pattern)
    folders: dict[str, Checked] = {str(Path(path).parent): Checked() for path in paths}

    def check_all() -> Iterator[None]:
        for path in paths:
            yield from record_checks.check_shard(path, folders[str(Path(path).parent)])

    for _ in progress.track(check_all(), label="checking", unit="record"):
        pass
    for folder, checked in folders.items():
        described = Path(folder) / records.DATASET_FILE
        if described.is_file():
            record_checks.check_dataset(described, checked)
        if not checked.num_records:
            checked.failures.append(f"{folder} holds no readable records")
    return folders


def describe(folder: str, checked: Checked, seed: int = 0) -> str:
    """Counts, distances and the number of replaced quadrants, as lines of text."""
    versions = ", ".join(f"{count} {name}" for name, count in sorted(checked.versions.items()))
    sizes = ", ".join(f"{size} px" for size in sorted(checked.image_sizes))
    described = (Path(folder) / records.DATASET_FILE).is_file()
    lines = [
        f"{folder}: {checked.num_records} records in {len(checked.records_per_shard)} shards",
        f"  images: {versions}; {sizes}; {len(checked.images)} different ones in all records",
        f"  {records.DATASET_FILE}: {'compared' if described else 'none there'}",
    ]
    if checked.distances:
        distances = np.stack(checked.distances)  # [N, 4, 10]
        if np.isfinite(distances).all():
            lines += _distance_table(distances) + _replaced_table(distances, seed)
    return "\n".join(lines)


def _distance_table(distances: np.ndarray) -> list[str]:
    header = "".join(f"{q:>11.0%}" for q in distance_tables.SHOWN_QUANTILES)
    lines = ["  squared distances, quantiles over all ten candidates", f"      {header}"]
    for name, shown in distance_tables.quantiles(distances):
        lines.append(f"  {name:<4}" + "".join(f"{value:>11.4g}" for value in shown))
    return lines


def _replaced_table(distances: np.ndarray, seed: int) -> list[str]:
    """How many quadrants algorithm 1 replaces, drawing one candidate of ten for each quadrant."""
    lines = ["  quadrants that are replaced, for tau at quantiles of the distances"]
    for quantile, tau in distance_tables.taus(distances):
        found = distance_tables.replaced_shares(distances, tau, seed)
        shares = ", ".join(f"{n}: {found[n]:.1%}" for n in (1, 2, 3))
        lines.append(f"  tau {tau:>10.4g} ({quantile:.0%})  {shares}")
    return lines


def report(failures: list[str]) -> str:
    """The verdict and the first failures."""
    if not failures:
        return "All checks passed."
    lines = [
        f"FAILED: {len(failures)} faults",
        *(f"  {text}" for text in failures[:SHOWN_FAILURES]),
    ]
    if len(failures) > SHOWN_FAILURES:
        lines.append(f"  ... and {len(failures) - SHOWN_FAILURES} more")
    return "\n".join(lines)


def inspect(config: InspectConfig) -> int:
    """Checks, prints, draws. Returns the exit code: 0, or 1 where a check failed."""
    folders = check(config.records)
    for folder, checked in folders.items():
        print(describe(folder, checked, config.seed))
    failures = [text for checked in folders.values() for text in checked.failures]
    print(report(failures))
    if config.sheet and failures:
        print(f"{config.sheet} is not drawn, because checks failed")
    elif config.sheet:
        per_shard = {
            path: count
            for checked in folders.values()
            for path, count in checked.records_per_shard.items()
        }
        picked = neighbour_sheet.pick(per_shard, config.rows, config.seed)
        pictures.save(neighbour_sheet.draw(picked), config.sheet)
        print(f"Sheet of {len(picked)} references: {config.sheet}")
    if config.html:
        _write_html(config, folders)
        print(f"Report: {config.html}")
    if not failures:
        print(_next(config.records, {size for one in folders.values() for size in one.image_sizes}))
    return 1 if failures else 0


def _next(glob: str, sizes: set[int]) -> str:
    """What to do with good records: train, where there is a model for their size."""
    settings = {64: {"tau_quantile": 0.5}}
    if _SMALL_MODEL.is_file():  # a checkout
        settings[32] = {"flagfile": os.path.relpath(_SMALL_MODEL)}
    size = min(sizes) if len(sizes) == 1 else 0
    if size not in settings:
        return command.next_step("tfrecords_tools.score_candidates", records=glob)
    return command.next_step(
        "lorbms_tf.train", **settings[size], records=glob, run_dir="runs/first"
    )


def _write_html(config: InspectConfig, folders: dict[str, Checked]) -> None:
    """The report on all folders; sheets and scores only of those without a fault."""
    from tfrecords_tools.report import page  # loads matplotlib, which nothing else here needs

    if config.annotations and len(folders) > 1:
        raise UserError(f"--annotations fits one dataset, not {len(folders)}: {', '.join(folders)}")
    described = []
    for folder, checked in folders.items():
        one = page.Described(folder, checked)
        stored = Path(folder) / records.DATASET_FILE
        with contextlib.suppress(UserError):  # a bad file is among the faults already
            one.dataset = read_json(stored) if stored.is_file() else {}
        if not checked.failures:
            shards = checked.records_per_shard
            one.random = neighbour_sheet.pick(shards, config.rows, config.seed)
            one.worst = _worst(shards, np.stack(checked.distances), config.rows)
            one.card = _score(config, list(shards))
        described.append(one)
    page.write(config.html, described, config.seed)


def _worst(shards: dict[str, int], distances: np.ndarray, count: int) -> list[records.Record]:
    """The references that are farthest from their nearest candidates, one version of a photo."""
    # The versions of a photo are often equally far: so many are read that enough photos remain.
    numbers = sheets.worst(distances, count * (len(versions.VERSIONS) + 1))
    found = neighbour_sheet.read(shards, numbers)
    by_photo: dict[str, records.Record] = {}
    for number in numbers:
        by_photo.setdefault(found[number].photo_id, found[number])
    return list(by_photo.values())[:count]


def _score(config: InspectConfig, shards: list[str]) -> scorecard.Scorecard | None:
    try:
        return scorecard.score(shards, config.annotations, config.limit, config.seed)
    except UserError as error:
        if config.annotations:
            raise
        print(f"no scores: {error}")
        return None


def main(argv: Sequence[str]) -> int:
    """The command: reads the flags and inspects."""
    command.refuse_arguments(argv)
    return inspect(flags.read(InspectConfig))


def console_main() -> None:
    """The entry point of the console script."""
    flags.define(InspectConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
