"""The fields of a serialized protocol buffer, read where they lie.

They are `tag, value` pairs one behind the other, a tag telling a field's number and how its value
is written. See "Encoding" in the documentation of Protocol Buffers.
"""

from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5  # how a value is written


class NotFieldsError(ValueError):
    """The bytes are no protocol buffer."""


class Field(NamedTuple):
    """One field: its number, how it is written, and where its value begins and ends."""

    number: int
    kind: int
    start: int
    end: int


def varint(raw: bytes, at: int) -> tuple[int, int]:
    """A number of variable length and the place behind it. IndexError where the bytes end."""
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


def fields(raw: bytes, at: int, end: int) -> Iterator[Field]:
    """The fields between two places.

    Raises NotFieldsError where there are none, or IndexError where the bytes end within a number.
    """
    while at < end:
        tag, at = varint(raw, at)
        number, kind = tag >> 3, tag & 7
        if kind == DELIMITED:
            size, at = varint(raw, at)
            stop = at + size
        elif kind == VARINT:
            _, stop = varint(raw, at)
        elif kind in (FIXED32, FIXED64):
            stop = at + (4 if kind == FIXED32 else 8)
        else:
            raise NotFieldsError("not a protocol buffer")
        if stop > end:
            raise NotFieldsError("not a protocol buffer")
        yield Field(number, kind, at, stop)
        at = stop
