"""How an encoded picture lies, read in a graph: TensorFlow's decoders do not turn pictures.

The counterpart of `lorbms_tf.data.metadata`, for SavedModels that take the bytes of files. EXIF
data of JPEG, PNG and WebP files are read, and after them the first XMP orientation.
"""

import tensorflow as tf

_HEAD = 1 << 20  # bytes in which metadata are looked for
_MOST_SEGMENTS = 512
_ORIENTATION = 0x0112
_EXIF = b"Exif\0\0"
_XMP = "tiff:Orientation"
_AROUND = 16  # zero bytes behind the end, which a field that is cut off reads


class _Bytes:
    """The first bytes of a file, int64 [N], with numbers read at any place; 0 behind the end."""

    def __init__(self, encoded):
        head = tf.io.decode_raw(tf.strings.substr(encoded, 0, _HEAD), tf.uint8)
        self.size = tf.size(head, tf.int64)
        self._values = tf.cast(tf.pad(head, [[0, _AROUND]]), tf.int64)

    def at(self, place, count: int, little=False):
        """The unsigned number of `count` bytes at a place, which may be a tensor of places."""
        place = tf.clip_by_value(tf.cast(place, tf.int64), 0, self.size + _AROUND - count)
        parts = [tf.gather(self._values, place + i) for i in range(count)]
        big = sum(part * 256 ** (count - 1 - i) for i, part in enumerate(parts))
        small = sum(part * 256**i for i, part in enumerate(parts))
        return tf.where(little, small, big)

    def equal(self, place, text: bytes):
        """Whether a text stands at a place."""
        places = tf.clip_by_value(place + tf.range(len(text), dtype=tf.int64), 0, self.size)
        return tf.reduce_all(tf.gather(self._values, places) == tf.constant(list(text), tf.int64))


def orientation(encoded, kind):
    """The orientation of a file, 1 to 8 as EXIF counts; 1 where nothing is told.

    Args:
      encoded: scalar string tensor, the whole file.
      kind: scalar int32 tensor, a place in `picture_graph.KINDS`.

    Returns:
      a scalar int32 tensor.
    """
    head = _Bytes(encoded)
    nowhere = lambda: tf.constant(-1, tf.int64)  # noqa: E731
    start = tf.switch_case(
        kind, [lambda: _in_jpeg(head), lambda: _in_png(head), nowhere, nowhere,
               lambda: _in_webp(head)],
    )  # fmt: skip
    value = tf.cond(start < 0, lambda: tf.constant(0, tf.int64), lambda: _of_tiff(head, start))
    value = tf.where(value > 0, value, _of_xmp(encoded))
    return tf.cast(tf.maximum(value, 1), tf.int32)


def _walk(head: _Bytes, first: int, length, wanted, last):
    """Goes from segment to segment of a file; the place of the wanted one, -1 where it is none.

    Args:
      first: place of the first segment.
      length: place -> bytes of the segment there.
      wanted: place -> whether it is the one.
      last: place -> whether no other can follow.
    """

    def more(place, found, count):
        inside = (place < head.size) & (count < _MOST_SEGMENTS)
        return inside & (found < 0) & ~last(place)

    def step(place, found, count):
        found = tf.where(wanted(place), place, tf.constant(-1, tf.int64))
        return place + tf.maximum(length(place), 1), found, count + 1

    start = (tf.constant(first, tf.int64), tf.constant(-1, tf.int64), 0)
    return tf.while_loop(more, step, start)[1]


def _in_jpeg(head: _Bytes):
    """Where the EXIF data of a JPEG file begin; -1 for none."""

    def length(place):
        filler = head.at(place + 1, 1) == 0xFF
        return tf.where(filler, tf.constant(1, tf.int64), 2 + head.at(place + 2, 2))

    found = _walk(
        head, 2, length,
        wanted=lambda place: (head.at(place + 1, 1) == 0xE1) & head.equal(place + 4, _EXIF),
        last=lambda place: (head.at(place, 1) != 0xFF) | (head.at(place + 1, 1) == 0xDA),
    )  # fmt: skip
    return tf.where(found < 0, found, found + 4 + len(_EXIF))


def _in_png(head: _Bytes):
    found = _walk(
        head, 8, lambda place: 12 + head.at(place, 4),
        wanted=lambda place: head.equal(place + 4, b"eXIf"),
        last=lambda place: head.equal(place + 4, b"IEND"),
    )  # fmt: skip
    return tf.where(found < 0, found, found + 8)


def _in_webp(head: _Bytes):
    def length(place):
        size = head.at(place + 4, 4, little=True)
        return 8 + size + size % 2

    found = _walk(
        head, 12, length,
        wanted=lambda place: head.equal(place, b"EXIF"),
        last=lambda place: tf.constant(False),
    )  # fmt: skip
    named = head.equal(found + 8, _EXIF)  # some programs write JPEG's name before the data
    behind = found + 8 + tf.where(named, tf.constant(len(_EXIF), tf.int64), 0)
    return tf.where(found < 0, found, behind)


def _of_tiff(head: _Bytes, start):
    """The orientation that EXIF data hold, an int64 scalar; 0 for none."""
    little = head.equal(start, b"II*\0")
    known = little | head.equal(start, b"MM\0*")
    directory = start + head.at(start + 4, 4, little)
    count = tf.minimum(head.at(directory, 2, little), _MOST_SEGMENTS)
    places = directory + 2 + 12 * tf.range(count)
    tags, kinds = head.at(places, 2, little), head.at(places + 2, 2, little)
    values = tf.where(
        kinds == 1,
        head.at(places + 8, 1),
        tf.where(kinds == 4, head.at(places + 8, 4, little), head.at(places + 8, 2, little)),
    )
    own = tf.boolean_mask(values, (tags == _ORIENTATION) & (places + 12 <= head.size))
    value = tf.reduce_sum(own[:1])
    return tf.where(known & (value >= 1) & (value <= 8), value, tf.zeros_like(value))


def _of_xmp(encoded):
    """The digit behind the first tiff:Orientation, an int64 scalar; 0 for none."""
    after = tf.strings.split(tf.strings.substr(encoded, 0, _HEAD), _XMP)[1:2]
    text = tf.strings.join([tf.strings.reduce_join(after), "   "])  # never too short to look into
    attribute = tf.strings.substr(text, 0, 2) == '="'
    element = tf.strings.substr(text, 0, 1) == ">"
    digit = tf.strings.substr(text, tf.where(attribute, 2, 1), 1)
    valid = (attribute | element) & tf.strings.regex_full_match(digit, "[1-8]")
    return tf.strings.to_number(tf.where(valid, digit, "0"), tf.int64)


def turned(pixels, value):
    """Pixels [H, W, C] that lie as an orientation says, upright."""

    def transposed():
        return tf.transpose(pixels, (1, 0, 2))

    return tf.switch_case(
        value - 1,
        [
            lambda: pixels,
            lambda: pixels[:, ::-1],
            lambda: pixels[::-1, ::-1],
            lambda: pixels[::-1],
            transposed,
            lambda: transposed()[:, ::-1],
            lambda: transposed()[::-1, ::-1],
            lambda: transposed()[::-1],
        ],
    )
