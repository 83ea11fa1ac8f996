"""The places that photos come from: folders, keras.datasets and TensorFlow Datasets."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lorbms_tf.data import images, keras_datasets, photo_folders, tfds_photos
from lorbms_tf.data.photo_names import FOLDER, Source


class Listing(NamedTuple):
    """Photos of one place, listed and not yet decoded.

    labels: int32 [N], places in `classes`, or `photo_folders.NO_CLASS`.
    classes: their names.
    name: number -> what to call the photo in messages.
    read: number -> the photo, uint8 [H, W, 3] or [H, W, 1]; `images.BadImage` where it cannot be.
    fingerprint: file, bytes and sha256, which tell these photos from others.
    """

    labels: np.ndarray
    classes: tuple[str, ...]
    name: Callable[[int], str]
    read: Callable[[int], np.ndarray]
    fingerprint: dict


def listing(source: Source) -> Listing:
    """The photos of a place. UserError where they are missing or cannot be had."""
    if source.kind == FOLDER:
        folder = Path(source.name)
        paths, labels, classes = photo_folders.labelled_paths(folder)
        fingerprint = photo_folders.fingerprint(folder, paths)
        return Listing(
            labels,
            classes,
            lambda number: str(paths[number]),
            lambda number: images.read_photo(paths[number]),
            fingerprint,
        )
    if source.kind == "keras":
        arrays = keras_datasets.load(source.name, source.split)
    else:
        arrays = tfds_photos.load(source.name, source.split)
    return Listing(
        arrays.labels,
        arrays.classes,
        lambda number: f"photo {number} of {source.text}",
        arrays.read,
        {"file": source.text, "bytes": arrays.bytes, "sha256": arrays.sha256},
    )
