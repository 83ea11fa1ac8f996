"""The folder of results of `lorbms_tf.image_mean`: what is there already, and what comes to it.

settings.json       what the means depend on
means.jsonl         a line a mean, in the order in which they were made
means/NAME/0003.png the mean of problem 3 under a distance
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lorbms_tf import files
from lorbms_tf.cli import settings
from lorbms_tf.data import images
from lorbms_tf.errors import UserError
from lorbms_tf.pages import pictures
from lorbms_tf.perceptual.mean_config import ImageMeanConfig

SETTINGS, LINES, MEANS = "settings.json", "means.jsonl", "means"
# What a later call may change: how much is made, and what is shown of it.
_FREE = ("out", "distances", "num_problems", "sheet_rows")


class MeanFiles:
    """The results of one folder; made or continued.

    Raises UserError where the folder holds results of other settings, or something else.
    """

    def __init__(self, config: ImageMeanConfig):
        self.folder = Path(config.out)
        wanted = _kept(settings.to_dict(config))
        path = self.folder / SETTINGS
        if files.is_file(path):
            held = files.read_json(path)
            differing = [
                f"--{name} was {held.get(name)!r}, is {value!r}"
                for name, value in wanted.items()
                if held.get(name) != value
            ]
            if differing:
                raise UserError(
                    f"--out={config.out} holds means of other settings; name another folder, or "
                    "set these back: " + "; ".join(differing)
                )
        elif files.is_dir(self.folder) and any(self.folder.iterdir()):
            raise UserError(f"--out={config.out} is not empty and holds no means: name another")
        else:
            files.write_json(path, wanted)
        self._lines = self._read()

    def missing(self, problem: int, distances: Iterable[str]) -> list[str]:
        """The distances under which a problem has no mean yet."""
        return [name for name in distances if (problem, name) not in self._lines]

    def add(self, problem: int, name: str, mean: np.ndarray, **told: Any) -> None:
        """Writes a mean, float [S, S, 3] in [-1, 1], and its line.

        told: what the line says beside the problem, the distance and the file.
        """
        path = self._path(problem, name)
        pictures.save(Image.fromarray(images.to_uint8(mean)), path)
        place = path.relative_to(self.folder).as_posix()
        line = {"problem": problem, "distance": name, "file": place, **told}
        files.append(self.folder / LINES, json.dumps(line) + "\n")
        self._lines[problem, name] = line

    def means(self, name: str, problems: int) -> np.ndarray:
        """The means of the first problems under a distance: float32 [P, S, S, 3] in [-1, 1].

        Raises UserError where one is gone or damaged.
        """
        stored = []
        for problem in range(problems):
            try:
                stored.append(images.read_photo(self._path(problem, name)))
            except images.BadImage as error:
                raise UserError(
                    f"{error.path} cannot be read ({error.reason}): remove its line from "
                    f"{self.folder / LINES} to have it made again"
                ) from error
        return images.to_float(np.stack(stored))

    def _path(self, problem: int, name: str) -> Path:
        return self.folder / MEANS / re.sub(r"[^\w+.-]", "_", name) / f"{problem:04d}.png"

    def _read(self) -> dict[tuple[int, str], dict]:
        path = self.folder / LINES
        lines = {}
        if not files.is_file(path):
            return lines
        texts = files.read_text(path).split("\n")
        for number, text in enumerate(texts, start=1):
            try:
                line = json.loads(text)
                lines[int(line["problem"]), str(line["distance"])] = line
            except (ValueError, KeyError, TypeError) as error:
                if number == len(texts):  # "", or what a kill has left of a line
                    break
                raise UserError(f"{path}, line {number} is no line of a mean") from error
        if texts[-1]:
            files.write_json_lines(path, lines.values())
        return lines


def _kept(values: dict[str, Any]) -> dict[str, Any]:
    """The settings that a mean depends on, as JSON gives them back."""
    return json.loads(json.dumps({k: v for k, v in values.items() if k not in _FREE}))
