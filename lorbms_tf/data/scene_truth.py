"""What is known of synthesized scenes: of each quadrant's object, kind, colour and where it is.

Reads the `annotations/instances.json` that `tfrecords_tools.synthesize` writes.
"""

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lorbms_tf.data.quadrants import NAMES
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json

ANNOTATIONS = "annotations/instances.json"
_PLACES = {"x": ("left", "middle", "right"), "y": ("top", "middle", "bottom")}


class SceneTruth(NamedTuple):
    """N scenes.

    paths: their pictures.
    factors: by name, int [N, 4]: "category" and "color" of the object in each quadrant, and where
      its centre is within the quadrant, "x" and "y", in thirds that are equally frequent.
    names: by the same name, what the numbers 0, 1, ... mean.
    """

    paths: list[Path]
    factors: dict[str, np.ndarray]
    names: dict[str, tuple[str, ...]]


def read(folder: str | os.PathLike) -> SceneTruth:
    """The truth of all scenes of a folder, in the order of its file.

    Raises UserError where the folder holds no synthesized scenes.
    """
    path = Path(folder) / ANNOTATIONS
    try:
        scenes = read_json(path)["images"]
        paths = [Path(folder) / "images" / scene["file_name"] for scene in scenes]
        things = [[scene["scene"]["quadrants"][name] for name in NAMES] for scene in scenes]
        factors, names = {}, {}
        for key in ("category", "color"):
            factors[key], names[key] = _numbered([[thing[key] for thing in row] for row in things])
        sides = np.array([[scene["width"], scene["height"]] for scene in scenes], np.float64)
        centres = np.array([[thing["center"] for thing in row] for row in things], np.float64)
        within = (centres / sides[:, None] * 2) % 1.0  # [N, 4, 2], shares of the quadrant
        for axis, (key, meanings) in enumerate(_PLACES.items()):
            cuts = np.quantile(within[..., axis], [1 / 3, 2 / 3])
            factors[key], names[key] = np.digitize(within[..., axis], cuts), meanings
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise UserError(
            f"{path} does not tell the truth of scenes, as that of a folder written by "
            f"tfrecords_tools.synthesize does ({type(error).__name__}: {error})"
        ) from error
    return SceneTruth(paths, factors, names)


def _numbered(values: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    meanings, numbers = np.unique(np.array(values), return_inverse=True)
    return numbers.reshape(np.shape(values)), tuple(map(str, meanings))
