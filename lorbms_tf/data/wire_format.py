"""Where the images lie in a serialized record, without copying or decoding one of them.

A record is a tf.train.Example, so these are its protocol buffer's fields: `tag, value` pairs one
behind the other, a tag telling a field's number and how its value is written.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.data.records import NUM_CANDIDATES

NUM_IMAGES = 1 + NUM_QUADRANTS * NUM_CANDIDATES  # the reference, then the candidates by quadrant
_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
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
    except IndexError as error:  # it ends within a number
        raise ValueError("not a tf.train.Example") from error
    starts, ends = zip(*reference, *candidates, strict=True)
    sizes = [end - start for start, end in zip(starts, ends, strict=True)]
    return Layout(list(starts), sizes, distances)


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """A number of variable length and the place behind it."""
    byte = raw[at]
    if byte < 0x80:
        return byte, at + 1
    value, shift = byte & 0x7F, 7
    while True:
        at += 1
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at + 1
        shift += 7


def _fields(raw: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """(number, how it is written, start, end of the value) of each field between two places."""
    while at < end:
        tag, at = _varint(raw, at)
        number, kind = tag >> 3, tag & 7
        if kind == _DELIMITED:
            size, at = _varint(raw, at)
            stop = at + size
        elif kind == _VARINT:
            _, stop = _varint(raw, at)
        elif kind in (_FIXED32, _FIXED64):
            stop = at + (4 if kind == _FIXED32 else 8)
        else:
            raise ValueError("not a tf.train.Example")
        if stop > end:
            raise ValueError("not a tf.train.Example")
        yield number, kind, at, stop
        at = stop


def _features(raw: bytes) -> dict[bytes, tuple[int, int]]:
    """Where each Feature lies, by its key."""
    found = {}
    for number, kind, start, end in _fields(raw, 0, len(raw)):
        if (number, kind) != (1, _DELIMITED):  # Example.features
            continue
        for _, _, entry, entry_end in _fields(raw, start, end):
            parts = {n: (a, b) for n, _, a, b in _fields(raw, entry, entry_end)}
            key, value = parts.get(1, (0, 0)), parts.get(2, (entry_end, entry_end))
            found[raw[key[0] : key[1]]] = value
    return found


def _list_of(raw: bytes, features: dict, key: bytes, kind: int) -> Iterator[tuple[int, int]]:
    """(start, end) of each value of a Feature of one kind."""
    if key not in features:
        raise ValueError(f"not a record of this schema: {key.decode()} missing")
    for number, _, start, end in _fields(raw, *features[key]):
        if number == kind:
            for _, _, first, last in _fields(raw, start, end):
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
