"""Two alternatives, forced choice: does a distance choose as people do? (Zhang et al., 2018)

People saw a picture and two distorted ones, and said which is nearer. Of each triplet h is the
share of them who chose the second. A distance with d0 < d1 chooses the first, and scores the share
of people who agree:

    score = 1 - h where d0 < d1, h where d1 < d0, 1/2 where they are equal

No distance can score more than max(h, 1 - h), the ceiling. One person's choice scores as much as
two people agree: h^2 + (1 - h)^2, which the source calls the human score.

On disk a set is a folder "ref", "p0" and "p1" of pictures of equal names, and "judge" of NumPy
files of one number h. BAPPS has many such sets in folders below each other.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from lorbms_tf.data import images
from lorbms_tf.data.images import BadImage
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.picture_pairs import read_picture
from lorbms_tf.files import DAMAGED, is_dir, walk_folders

PICTURES = ("ref", "p0", "p1")
JUDGE = "judge"


class Triplet(NamedTuple):
    """The files of a triplet: three pictures and what people said."""

    pictures: tuple[Path, Path, Path]
    judge: Path


def find(dataset: str) -> dict[str, list[Triplet]]:
    """All sets below a folder by their names there ("val/cnn"; "." is the folder itself).

    Raises UserError where the folder is missing or there is no set in it.
    """
    if not is_dir(dataset):
        raise UserError(f"--dataset={dataset} does not exist or is not a folder")
    sets = {}
    for folder, names, _ in walk_folders(dataset, images.warn_of_folder):
        if {*PICTURES, JUDGE} <= set(names):
            sets[folder.relative_to(dataset).as_posix()] = _triplets(folder)
    if not sets:
        raise UserError(
            f"--dataset={dataset}: neither it nor a folder below it has the folders "
            f"{', '.join(PICTURES)} and {JUDGE}"
        )
    return dict(sorted(sets.items()))


def _triplets(folder: Path) -> list[Triplet]:
    triplets = []
    for reference in images.list_photos(folder / PICTURES[0]):
        name = reference.relative_to(folder / PICTURES[0])
        pictures = tuple(folder / part / name for part in PICTURES)
        triplets.append(Triplet(pictures, (folder / JUDGE / name).with_suffix(".npy")))
    return triplets


def read(triplet: Triplet) -> tuple[np.ndarray, float]:
    """The pictures, float32 [3, H, W, 3] in [-1, 1], and h.

    Raises BadImage where a file cannot be used, or the pictures have different sizes.
    """
    pictures = [read_picture(path) for path in triplet.pictures]
    if len({picture.shape for picture in pictures}) > 1:
        raise BadImage(triplet.pictures[0], "another size than its alternatives")
    return np.stack(pictures), read_judgement(triplet.judge)


def read_judgement(path: Path) -> float:
    """h of a file. Raises BadImage where it holds something else than one number of 0 to 1."""
    try:
        value = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise BadImage(path, "missing") from error
    except DAMAGED as error:
        raise BadImage(path, f"no judgement ({error})") from error
    if getattr(value, "size", 0) != 1 or not np.issubdtype(value.dtype, np.number):
        raise BadImage(path, "no judgement (not one number)")
    share = float(value.reshape(-1)[0])
    if not 0 <= share <= 1:
        raise BadImage(path, f"no judgement ({share} is no share of people)")
    return share


def scores(first: np.ndarray, second: np.ndarray, judgements: np.ndarray) -> np.ndarray:
    """The score of each triplet: float64 [N], by distances d0 and d1 [N] and h [N].

    Raises ValueError where a distance is not a number, which else would choose the second.
    """
    unknown = int(np.sum(np.isnan(first) | np.isnan(second)))
    if unknown:
        raise ValueError(f"the distances of {unknown} of {len(judgements)} triplets are NaN")
    agreeing = np.where(first < second, 1.0 - judgements, judgements)
    return np.where(first == second, 0.5, agreeing)


def ceilings(judgements: np.ndarray) -> np.ndarray:
    """The most that any distance can score, of each triplet: max(h, 1 - h)."""
    return np.maximum(judgements, 1.0 - judgements)


def human(judgements: np.ndarray) -> np.ndarray:
    """What one person scores on the average by the choice of another: h^2 + (1 - h)^2."""
    return np.square(judgements) + np.square(1.0 - judgements)
