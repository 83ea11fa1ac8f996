"""Data sets of TensorFlow Datasets as photos: the encoded images of a split, held in memory."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lorbms_tf.cli import command
from lorbms_tf.data import images
from lorbms_tf.data.photo_folders import NO_CLASS
from lorbms_tf.errors import UserError
from lorbms_tf.progress import track

# Whose images have rows and columns exchanged in TensorFlow Datasets, as its catalogue says.
_TRANSPOSED = "emnist"


class Encoded(NamedTuple):
    """A split in memory, still compressed.

    encoded: a file's bytes for each photo.
    labels: int32 [N].
    classes: their names.
    transposed: whether rows and columns are exchanged.
    """

    encoded: list[bytes]
    labels: np.ndarray
    classes: tuple[str, ...]
    transposed: bool

    @property
    def bytes(self) -> int:
        """Of the compressed photos."""
        return sum(map(len, self.encoded))

    @property
    def sha256(self) -> str:
        """Of photos and labels."""
        digest = hashlib.sha256(self.labels)
        for photo in self.encoded:
            digest.update(photo)
        return digest.hexdigest()

    def read(self, number: int) -> np.ndarray:
        """One photo, uint8 [H, W, 3]. Raises `images.BadImage` where it is broken."""
        photo = images.decode_jpeg(self.encoded[number], f"photo {number}")
        return photo.transpose(1, 0, 2) if self.transposed else photo


class Examples(NamedTuple):
    """A split of a data set, prepared on this machine.

    each: dicts of NumPy values; "image" is the encoded file.
    total: how many there are.
    features: of the data set, by name.
    """

    each: Iterator[dict]
    total: int
    features: Mapping[str, Any]


def examples(given: str, name: str, split: str, data_dir: str | None = None) -> Examples:
    """Opens a split, after downloading the data set where it is not there.

    Args:
      given: how the user has asked for it, for messages.
      name: of the data set, such as "voc/2007".
      split: of it.
      data_dir: where TensorFlow Datasets keeps its files; None: its own default.

    Raises UserError where the package, data set, images or split are missing.
    """
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        wanted = command.install("tfds")
        raise UserError(f"{given} needs TensorFlow Datasets: {wanted}") from error
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{given}: there is no dataset {name}: {reason}") from error
    if "image" not in builder.info.features:
        raise UserError(f"{given}: the examples of {name} have no image")
    try:
        builder.download_and_prepare()
    except Exception as error:  # of whatever library downloads or unpacks
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{given}: {name} cannot be downloaded and unpacked: {reason}") from error
    try:
        total = builder.info.splits[split].num_examples
    except (KeyError, ValueError) as error:
        valid = ", ".join(builder.info.splits)
        raise UserError(f"{given}: {name} has no split {split}; valid are {valid}") from error
    decoders = {"image": tfds.decode.SkipDecoding()}
    found = builder.as_dataset(split=split, decoders=decoders, shuffle_files=False)
    return Examples(found.as_numpy_iterator(), total, builder.info.features)


def load(name: str, split: str, data_dir: str | None = None) -> Encoded:
    """The photos of a split with their labels, where "label" is a class. UserError as above."""
    found = examples(f"tfds:{name}:{split}", name, split, data_dir)
    label = dict(found.features.items()).get("label")
    classes = tuple(getattr(label, "names", None) or ())
    encoded, labels = [], []
    for example in track(found.each, total=found.total, label=f"reading {name}", unit="photo"):
        encoded.append(bytes(example["image"]))
        labels.append(int(example["label"]) if classes else NO_CLASS)
    transposed = name.split("/")[0] == _TRANSPOSED
    return Encoded(encoded, np.array(labels, np.int32), classes, transposed)
