"""`--dataset=KIND:DIR`: the labelled data sets that representations are probed on."""

from pathlib import Path

from lorbms_tf.errors import UserError
from lorbms_tf.files import is_dir
from lorbms_tf.probing import class_folders, stl10, voc_photos
from lorbms_tf.probing.labelled import Labelled

KINDS = {"stl10": stl10.load, "folders": class_folders.load, "voc": voc_photos.load}


def parse(dataset: str) -> tuple[str, Path]:
    """ "stl10:DIR" as ("stl10", DIR). Raises UserError, naming the valid kinds, for others."""
    kind, _, folder = dataset.partition(":")
    if kind not in KINDS or not folder:
        valid = ", ".join(f"{name}:DIR" for name in KINDS)
        raise UserError(f"--dataset={dataset} is not valid; valid values: {valid}")
    if not is_dir(folder):
        raise UserError(f"--dataset={dataset}: there is no folder {folder}")
    return kind, Path(folder)


def load(dataset: str, size: int, train_split: str = "", test_split: str = "") -> Labelled:
    """Opens a data set; a part that is not named is the data set's own.

    Raises UserError where it is missing, damaged or not in its format.
    """
    kind, folder = parse(dataset)
    splits = {"train_split": train_split, "test_split": test_split}
    return KINDS[kind](folder, size, **{name: value for name, value in splits.items() if value})
