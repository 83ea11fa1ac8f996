"""Data sets of TensorFlow Datasets as photos: the encoded images of a split, held in memory."""

import hashlib
from typing import NamedTuple

import numpy as np

from lorbms_tf.cli import command
from lorbms_tf.data import images
from lorbms_tf.data.photo_folders import NO_CLASS
from lorbms_tf.errors import UserError
from lorbms_tf.progress import track

_TRANSPOSED = "emnist"  # whose images lie on their side in TensorFlow Datasets


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


def load(name: str, split: str) -> Encoded:
    """A split of a data set. UserError where package, data set or split is missing."""
    given = f"tfds:{name}:{split}"
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        wanted = command.install("tfds")
        raise UserError(f"{given} needs TensorFlow Datasets: {wanted}") from error
    try:
        builder = tfds.builder(name)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{given}: there is no data set {name}: {reason}") from error
    features = builder.info.features
    if "image" not in features:
        raise UserError(f"{given}: the examples of {name} have no image")
    try:
        builder.download_and_prepare()
    except Exception as error:  # of whatever library downloads or unpacks
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{given} cannot be downloaded: {reason}") from error
    try:
        total = builder.info.splits[split].num_examples
    except (KeyError, ValueError) as error:
        valid = ", ".join(builder.info.splits)
        raise UserError(f"{given}: {name} has no split {split}; valid are {valid}") from error
    examples = builder.as_dataset(
        split=split, decoders={"image": tfds.decode.SkipDecoding()}, shuffle_files=False
    ).as_numpy_iterator()
    classes = tuple(getattr(features.get("label"), "names", None) or ())
    encoded, labels = [], []
    for example in track(examples, total=total, label=f"reading {name}", unit="photo"):
        encoded.append(bytes(example["image"]))
        labels.append(int(example["label"]) if classes else NO_CLASS)
    transposed = name.split("/")[0] == _TRANSPOSED
    return Encoded(encoded, np.array(labels, np.int32), classes, transposed)
