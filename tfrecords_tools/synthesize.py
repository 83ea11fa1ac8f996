"""Draws four-object scenes with their truth, as a COCO-format folder; or handwritten characters.

    python -m tfrecords_tools.synthesize --out=DIR --images=800 --size=256 --seed=1
    python -m tfrecords_tools.synthesize --kind=characters --out=DIR

The first writes DIR/images/*.jpg and DIR/annotations/instances.json; the second class folders,
DIR/digits/train/0/*.png to DIR/letters/test/Z/*.png. Image i depends on the seed and i alone: the
same flags give the same bytes on any number of processes, and more images keep the first ones.
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import setting
from lorbms_tf.data.images import read_photo
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json
from lorbms_tf.pages import pictures
from tfrecords_tools.characters import folder as character_folder
from tfrecords_tools.scenes import annotations, folder
from tfrecords_tools.scenes.backgrounds import KINDS
from tfrecords_tools.scenes.objects import CATEGORIES
from tfrecords_tools.scenes.scene import sample

DRAWING_VERSION = 1  # raised when the same seed draws other scenes than before
CHARACTERS = "characters"
SIZES = {"scenes": 256, CHARACTERS: 28}  # pixels a side, where no size is given
LIMITS = {"scenes": (32, 2048), CHARACTERS: (16, 256)}
SHEET_COLUMNS, SHEET_ROWS = 6, 4
SHEET_CHARACTERS = 12


@dataclass(frozen=True, kw_only=True)
class SynthesisConfig:
    """The flags."""

    kind: str = setting(
        "scenes", "What to draw. characters: digits, and capital letters.", tuple(SIZES)
    )
    out: str = setting("", "Folder to write; absent or empty.")
    images: int = setting(
        800,
        "Number of scenes, at least 1. Of characters: to learn from in each class; a quarter as "
        "many are held out.",
    )
    size: int = setting(
        0,
        "Side of an image in pixels, even, 32 to 2048 for scenes and 16 to 256 for characters. "
        "0: scenes of 256, characters of 28.",
    )
    lowercase: bool = setting(False, "Also draw lower-case letters, for --kind=characters.")
    seed: int = setting(1, "The drawings' seed, 0 or more.")
    num_workers: int = setting(0, "Processes that draw; 0 takes as many as there are CPUs.")
    sheet: str = setting("", "Also draw some of them on this contact sheet, a .png file.")
    dry_run: bool = setting(False, "Print the plan and write nothing.")

    def validate(self) -> None:
        """Raises UserError naming the first wrong flag and its valid values."""
        if self.kind not in SIZES:
            raise UserError(f"--kind={self.kind} is not valid; valid values: {', '.join(SIZES)}")
        if not self.out:
            raise UserError("--out is missing: name the folder to write, --out=DIR")
        if self.images < 1:
            raise UserError(f"--images={self.images} is not valid; valid values: 1 or more")
        smallest, largest = LIMITS[self.kind]
        if not smallest <= self.side <= largest or self.side % 2:
            raise UserError(
                f"--size={self.size} is not valid; valid values: "
                f"even numbers from {smallest} to {largest} for --kind={self.kind}"
            )
        if self.lowercase and self.kind != CHARACTERS:
            raise UserError(f"--lowercase is for --kind=characters, not {self.kind}")
        if self.seed < 0:
            raise UserError(f"--seed={self.seed} is not valid; valid values: 0 or more")
        if self.num_workers < 0:
            raise UserError(
                f"--num_workers={self.num_workers} is not valid; valid values: 0 or more"
            )
        if self.sheet and not self.sheet.lower().endswith(".png"):
            raise UserError(f"--sheet={self.sheet} is not valid; the name must end in .png")

    @property
    def side(self) -> int:
        """Pixels a side."""
        return self.size or SIZES[self.kind]

    def settings(self) -> dict[str, int]:
        """What the drawings depend on."""
        more = {"lowercase": True} if self.lowercase else {}
        return {
            "images": self.images,
            "size": self.side,
            "seed": self.seed,
            "drawing_version": DRAWING_VERSION,
            **more,
        }


def synthesize(config: SynthesisConfig) -> None:
    """Writes the folder that `config` asks for, and says what is in it.

    A folder that holds the very same synthesis already is left as it is.

    Raises:
      UserError: a bad setting; `out` holds something else or cannot be written.
    """
    config.validate()
    out = Path(config.out)
    workers = config.num_workers or os.cpu_count() or 1
    if config.kind == CHARACTERS:
        _synthesize_characters(config, out, workers)
        return
    done = _same_synthesis(out, config.settings(), _scene_settings, "scenes")
    if done:
        _check_scenes(out)
    if config.dry_run:
        print(_plan(config, workers, done))
        return
    if done:
        document = read_json(out / annotations.ANNOTATIONS)
        print(f"{out} holds these scenes already: nothing to do")
    else:
        document = folder.write(out, config.settings(), workers)
    print(summary(document, out))
    if config.sheet:
        print(f"  contact sheet  {_draw_sheet(document, out, config.sheet)}")
    print(
        command.next_step(
            "tfrecords_tools.build",
            images=out / annotations.IMAGES,
            annotations=out / annotations.ANNOTATIONS,
            min_size=config.side,
            out=f"{out}_records",
        )
    )


def _synthesize_characters(config: SynthesisConfig, out: Path, workers: int) -> None:
    done = _same_synthesis(out, config.settings(), character_folder.settings_of, CHARACTERS)
    if done:
        character_folder.check_whole(out, config.images, config.lowercase)
    if config.dry_run:
        state = "is there already: nothing would be done" if done else "would be written"
        print(
            f"{out} {state}: characters of {config.side} x {config.side} pixels, "
            f"seed {config.seed}, on {workers} processes"
        )
        print(character_folder.summary(config.images, config.lowercase))
        return
    if done:
        print(f"{out} holds these characters already: nothing to do")
    else:
        character_folder.write(out, config.settings(), workers)
    print(f"characters in {out}, a folder for each class")
    print(character_folder.summary(config.images, config.lowercase))
    if config.sheet:
        print(f"  contact sheet  {_draw_characters(config)}")
    print(
        command.next_step(
            "lorbms_tf.train",
            flagfile="configs/augint/small28.cfg",
            photos=out / "digits" / "train",
            eval_photos=out / "letters" / "test",
            run_dir="runs/augint",
        )
    )


def _draw_characters(config: SynthesisConfig) -> Path:
    """The first characters of each class, on a contact sheet."""
    table, titles = [], []
    for row in character_folder.rows(config.images, config.lowercase):
        if row.split == "train":
            titles.append(row.name)
            drawn = [
                character_folder.character(config.seed, row, index, config.side)
                for index in range(min(row.count, SHEET_CHARACTERS))
            ]
            table.append([np.stack([image] * 3, -1) for image in drawn])
    return pictures.save(pictures.sheet(table, row_titles=titles, cell=56), config.sheet)


def _same_synthesis(
    out: Path,
    settings: dict[str, Any],
    settings_of: Callable[[Path], dict[str, Any] | None],
    kind: str,
) -> bool:
    """Whether `out` holds this synthesis; UserError where it holds anything else.

    settings_of: what the drawings of this kind in a folder depend on; None where there are none.
    """
    if not out.exists():
        return False
    if not out.is_dir():
        raise UserError(f"--out={out} is a file: name another folder")
    if not any(out.iterdir()):
        return False
    theirs = settings_of(out)
    if theirs is None:
        raise UserError(
            f"--out={out} is not empty and holds no {kind} of ours: name another folder"
        )
    if theirs != settings:
        text = ", ".join(f"{name}={value}" for name, value in theirs.items())
        raise UserError(f"--out={out} holds other {kind} ({text}): name another folder")
    return True


def _scene_settings(out: Path) -> dict[str, Any] | None:
    path = out / annotations.ANNOTATIONS
    document = read_json(path) if path.is_file() else None
    info = document.get("info") if isinstance(document, dict) else None
    return info.get("synthesis") if isinstance(info, dict) else None


def _check_scenes(out: Path) -> None:
    """Raises UserError where scenes were taken out of the folder."""
    missing = [
        image["file_name"]
        for image in read_json(out / annotations.ANNOTATIONS)["images"]
        if not (out / annotations.IMAGES / image["file_name"]).is_file()
    ]
    if missing:
        raise UserError(
            f"--out={out} has lost {len(missing)} of its images ({missing[0]}, ...): "
            "remove the folder, or name another"
        )


def _plan(config: SynthesisConfig, workers: int, done: bool) -> str:
    scenes = [sample(config.seed, index) for index in range(min(config.images, 200))]
    kinds = Counter(scene.background.kind for scene in scenes)
    names = Counter(thing.category for scene in scenes for thing in scene.objects)
    state = "is there already: nothing would be done" if done else "would be written"
    return "\n".join(
        [
            f"{config.out} {state}: {config.images} scenes of {config.side} x {config.side} "
            f"pixels, seed {config.seed}, on {workers} processes",
            f"  in the first {len(scenes)} scenes:",
            f"  places   {_counts(kinds, KINDS)}",
            f"  objects  {_counts(names, [c.name for c in CATEGORIES])}",
        ]
    )


def summary(document: dict[str, Any], out: Path) -> str:
    """What the folder holds, as lines to print."""
    names = {category["id"]: category["name"] for category in document["categories"]}
    objects = Counter(names[entry["category_id"]] for entry in document["annotations"])
    kinds = Counter(image["scene"]["background"] for image in document["images"])
    return "\n".join(
        [
            f"{len(document['images'])} scenes with {sum(objects.values())} objects",
            f"  places         {_counts(kinds, KINDS)}",
            f"  objects        {_counts(objects, names.values())}",
            f"  images         {out / annotations.IMAGES}",
            f"  truth (COCO)   {out / annotations.ANNOTATIONS}",
        ]
    )


def _counts(counts: Counter, names) -> str:
    return ", ".join(f"{name} {counts[name]}" for name in names)


def _draw_sheet(document: dict[str, Any], out: Path, path: str) -> Path:
    entries = document["images"][: SHEET_COLUMNS * SHEET_ROWS]
    photos = [read_photo(out / annotations.IMAGES / entry["file_name"]) for entry in entries]
    titles = [entry["scene"]["background"] for entry in entries]
    rows = range(0, len(photos), SHEET_COLUMNS)
    picture = pictures.sheet(
        [photos[k : k + SHEET_COLUMNS] for k in rows],
        captions=[titles[k : k + SHEET_COLUMNS] for k in rows],
        cell=192,
    )
    return pictures.save(picture, path)


def main(argv: Sequence[str]) -> None:
    """Reads the flags and synthesizes."""
    command.refuse_arguments(argv)
    synthesize(flags.read(SynthesisConfig))


def console_main() -> None:
    """The command `lorbms-synthesize`."""
    flags.define(SynthesisConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
