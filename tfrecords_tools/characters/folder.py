"""Writes characters as class folders: OUT/digits/train/0/*.png ... OUT/letters/test/Z/*.png."""

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_directory, read_json, write_json
from lorbms_tf.progress import track
from tfrecords_tools import in_order
from tfrecords_tools.characters.pen import draw
from tfrecords_tools.characters.strokes import SETS

SETTINGS = "characters.json"  # beside the sets: what they were drawn by
SPLITS = ("train", "test")
_TEST_SHARE = 4  # one character is held out for so many to learn from
_CHUNK = 64


class Row(NamedTuple):
    """The characters of one class and split: `count` of them."""

    kind: str
    split: str
    name: str
    count: int

    @property
    def path(self) -> str:
        """The folder's place in OUT."""
        return f"{self.kind}/{self.split}/{self.name}"


def rows(images: int, lowercase: bool = False) -> list[Row]:
    """All classes of digits and capital letters, each to learn from and held out.

    images: characters to learn from in each class; a quarter as many, at least 1, are held out.
    lowercase: the classes of lower-case letters follow.
    """
    counts = dict(zip(SPLITS, (images, max(1, images // _TEST_SHARE)), strict=True))
    return [
        Row(kind, split, name, count)
        for kind, ways in SETS.items()
        if lowercase or kind != "lowercase"
        for split, count in counts.items()
        for name in ways
    ]


def character(seed: int, row: Row, index: int, size: int) -> np.ndarray:
    """One character, uint8 [size, size]; it depends on these alone."""
    place = (list(SETS).index(row.kind), SPLITS.index(row.split), ord(row.name), index)
    return draw(SETS[row.kind][row.name], size, np.random.default_rng((seed, *place)))


def write(out: str | os.PathLike, settings: dict[str, Any], num_workers: int) -> None:
    """Draws the characters and writes `out`, whole or not at all.

    Args:
      out: the folder; absent or empty.
      settings: "images" (to learn from, a class), "size" (pixels a side), "seed" and "lowercase"
        (absent: false) are read here; the whole is kept in `SETTINGS`.
      num_workers: processes, at least 1.

    Raises:
      UserError: `out` holds something or cannot be written.
    """
    everything = rows(settings["images"], settings.get("lowercase", False))
    places = [(row, index) for row in everything for index in range(row.count)]
    with atomic_directory(out) as folder:
        for row in everything:
            (folder / row.path).mkdir(parents=True)
        work = functools.partial(_write_one, folder, settings["seed"], settings["size"], places)
        done = in_order.results(work, len(places), num_workers, _CHUNK)
        for _ in track(done, total=len(places), label="characters", unit="character"):
            pass
        write_json(folder / SETTINGS, settings)


def _write_one(folder: Path, seed: int, size: int, places: list, number: int) -> None:
    row, index = places[number]
    picture = Image.fromarray(character(seed, row, index, size))
    picture.save(folder / row.path / _file_name(index))


def _file_name(index: int) -> str:
    return f"{index + 1:05d}.png"


def settings_of(out: Path) -> dict[str, Any] | None:
    """What the characters in a folder were drawn by; None where it holds none of ours."""
    path = out / SETTINGS
    settings = read_json(path) if path.is_file() else None
    return settings if isinstance(settings, dict) else None


def check_whole(out: Path, images: int, lowercase: bool = False) -> None:
    """Raises UserError where characters were taken out of the folder."""
    lost = [path for path in _paths(rows(images, lowercase)) if not (out / path).is_file()]
    if lost:
        raise UserError(
            f"--out={out} has lost {len(lost)} of its images ({lost[0]}, ...): "
            "remove the folder, or name another"
        )


def _paths(everything: list[Row]) -> Iterator[str]:
    return (f"{row.path}/{_file_name(index)}" for row in everything for index in range(row.count))


def summary(images: int, lowercase: bool = False, indent: str = "  ") -> str:
    """How many characters there are of each set and split, as lines to print."""
    lines = []
    everything = rows(images, lowercase)
    for kind in dict.fromkeys(row.kind for row in everything):
        ways, counts = SETS[kind], {row.split: row.count for row in everything if row.kind == kind}
        text = ", ".join(
            f"{len(ways) * count} {split} ({count} a class)" for split, count in counts.items()
        )
        lines.append(f"{indent}{kind:<9} {''.join(ways)}: {text}")
    return "\n".join(lines)
