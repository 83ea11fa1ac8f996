"""Draws four-object scenes with their truth, as a COCO-format folder.

    python -m tfrecords_tools.synthesize --out=DIR --images=800 --size=256 --seed=1

writes DIR/images/*.jpg and DIR/annotations/instances.json. Scene i depends on the seed and i alone:
the same flags give the same bytes on any number of processes, and more images keep the first ones.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import setting
from lorbms_tf.data.images import read_photo
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json
from lorbms_tf.pages import pictures
from tfrecords_tools.scenes import annotations, folder
from tfrecords_tools.scenes.backgrounds import KINDS
from tfrecords_tools.scenes.objects import CATEGORIES
from tfrecords_tools.scenes.scene import sample

DRAWING_VERSION = 1  # raised when the same seed draws other scenes than before
SMALLEST, LARGEST = 32, 2048
SHEET_COLUMNS, SHEET_ROWS = 6, 4


@dataclass(frozen=True, kw_only=True)
class SynthesisConfig:
    """The flags."""

    out: str = setting("", "Folder to write; absent or empty.")
    images: int = setting(800, "Number of scenes, at least 1.")
    size: int = setting(256, f"Side of a scene in pixels, even, {SMALLEST} to {LARGEST}.")
    seed: int = setting(1, "The scenes' seed, 0 or more.")
    num_workers: int = setting(0, "Processes that draw; 0 takes as many as there are CPUs.")
    sheet: str = setting("", "Also draw the first scenes on this contact sheet, a .png file.")
    dry_run: bool = setting(False, "Print the plan and write nothing.")

    def validate(self) -> None:
        """Raises UserError naming the first wrong flag and its valid values."""
        if not self.out:
            raise UserError("--out is missing: name the folder to write, --out=DIR")
        if self.images < 1:
            raise UserError(f"--images={self.images} is not valid; valid values: 1 or more")
        if not SMALLEST <= self.size <= LARGEST or self.size % 2:
            raise UserError(
                f"--size={self.size} is not valid; "
                f"valid values: even numbers from {SMALLEST} to {LARGEST}"
            )
        if self.seed < 0:
            raise UserError(f"--seed={self.seed} is not valid; valid values: 0 or more")
        if self.num_workers < 0:
            raise UserError(
                f"--num_workers={self.num_workers} is not valid; valid values: 0 or more"
            )
        if self.sheet and not self.sheet.lower().endswith(".png"):
            raise UserError(f"--sheet={self.sheet} is not valid; the name must end in .png")

    def settings(self) -> dict[str, int]:
        """What the scenes depend on."""
        return {
            "images": self.images,
            "size": self.size,
            "seed": self.seed,
            "drawing_version": DRAWING_VERSION,
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
    done = _same_synthesis(out, config.settings())
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
            min_size=config.size,
            out=f"{out}_records",
        )
    )


def _same_synthesis(out: Path, settings: dict[str, Any]) -> bool:
    """Whether `out` holds the whole of this synthesis; UserError where it holds anything else."""
    if not out.exists():
        return False
    if not out.is_dir():
        raise UserError(f"--out={out} is a file: name another folder")
    if not any(out.iterdir()):
        return False
    path = out / annotations.ANNOTATIONS
    found = None
    if path.is_file():
        document = read_json(path)
        info = document.get("info") if isinstance(document, dict) else None
        found = info.get("synthesis") if isinstance(info, dict) else None
    if found is None:
        raise UserError(
            f"--out={out} is not empty and holds no scenes of ours: name another folder"
        )
    if found != settings:
        theirs = ", ".join(f"{name}={value}" for name, value in found.items())
        raise UserError(f"--out={out} holds other scenes ({theirs}): name another folder")
    missing = [
        image["file_name"]
        for image in document["images"]
        if not (out / annotations.IMAGES / image["file_name"]).is_file()
    ]
    if missing:
        raise UserError(
            f"--out={out} has lost {len(missing)} of its images ({missing[0]}, ...): "
            "remove the folder, or name another"
        )
    return True


def _plan(config: SynthesisConfig, workers: int, done: bool) -> str:
    scenes = [sample(config.seed, index) for index in range(min(config.images, 200))]
    kinds = Counter(scene.background.kind for scene in scenes)
    names = Counter(thing.category for scene in scenes for thing in scene.objects)
    state = "is there already: nothing would be done" if done else "would be written"
    return "\n".join(
        [
            f"{config.out} {state}: {config.images} scenes of {config.size} x {config.size} "
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
