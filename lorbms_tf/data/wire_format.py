"""Where the images lie in a serialized record, without copying or decoding one of them.

A record is a tf.train.Example, so these are its protocol buffer's fields.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lorbms_tf.data.protocol_buffers import DELIMITED, NotFieldsError, fields
from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.data.records import NUM_CANDIDATES

NUM_IMAGES = 1 + NUM_QUADRANTS * NUM_CANDIDATES  # the reference, then the candidates by quadrant
_BYTES_LIST, _FLOAT_LIST = 1, 2  # fields of a Feature


class Layout(NamedTuple):
    """What an index tells of one record."""

    starts: list[int]  # [41], bytes from the beginning of the record
    sizes: list[int]  # [41], bytes
    distances: np.ndarray  # float32 [4, 10]


def layout(raw: bytes) -> Layout:
    """The images of a record. Raises ValueError where it is none of our schema."""
    try:
        features = _features(raw)
        reference = _values(raw, features, b"reference/image", 1)
        candidates = _values(raw, features, b"candidates/image", NUM_IMAGES - 1)
        distances = _distances(raw, features)
    except (IndexError, NotFieldsError) as error:
        raise ValueError("not a tf.train.Example") from error
    starts, ends = zip(*reference, *candidates, strict=True)
    sizes = [end - start for start, end in zip(starts, ends, strict=True)]
    return Layout(list(starts), sizes, distances)


def _features(raw: bytes) -> dict[bytes, tuple[int, int]]:
    """Where each Feature lies, by its key."""
    found = {}
    for number, kind, start, end in fields(raw, 0, len(raw)):
        if (number, kind) != (1, DELIMITED):  # Example.features
            continue
        for _, _, entry, entry_end in fields(raw, start, end):
            parts = {n: (a, b) for n, _, a, b in fields(raw, entry, entry_end)}
            key, value = parts.get(1, (0, 0)), parts.get(2, (entry_end, entry_end))
            found[raw[key[0] : key[1]]] = value
    return found


def _list_of(raw: bytes, features: dict, key: bytes, kind: int) -> Iterator[tuple[int, int]]:
    """(start, end) of each value of a Feature of one kind."""
    if key not in features:
        raise ValueError(f"not a record of this schema: {key.decode()} missing")
    for number, _, start, end in fields(raw, *features[key]):
        if number == kind:
            for _, _, first, last in fields(raw, start, end):
                yield first, last


def _values(raw: bytes, features: dict, key: bytes, count: int) -> list[tuple[int, int]]:
    """(start, end) of each text of a Feature; ValueError unless there are `count`."""
    found = list(_list_of(raw, features, key, _BYTES_LIST))
    if len(found) != count:
        raise ValueError(f"{key.decode()} holds {len(found)} values, not {count}")
    return found


def _distances(raw: bytes, features: dict) -> np.ndarray:
    key = b"candidates/distance"
    # Packed, all in one, or each for itself: the bytes are the same.
    spans = _list_of(raw, features, key, _FLOAT_LIST)
    values = np.frombuffer(b"".join(raw[start:end] for start, end in spans), "<f4")
    if values.size != NUM_IMAGES - 1:
        raise ValueError(f"{key.decode()} holds {values.size} values, not {NUM_IMAGES - 1}")
    return values.reshape(NUM_QUADRANTS, NUM_CANDIDATES)
