"""Files of pictures to a network's images in a graph, and back, for signatures that take bytes.

The counterpart of `lorbms_tf.data.images`, made of TensorFlow's operations so that it lies inside
a SavedModel: the same pixels, central square, transparency over white and area averaging.
"""

import tensorflow as tf

from lorbms_tf.data import images
from lorbms_tf.serving.orientation import orientation, turned

KINDS = ("JPEG", "PNG", "GIF", "BMP", "WebP")
_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"RIFF")
_BITS = 22  # after the point, of Pillow's weights


def float_images(encoded, size: int, channels: int = 3):
    """Files of pictures -> float32 [B, size, size, channels] in [-1, 1], as `images.read_square`.

    Args:
      encoded: string tensor [B], whole JPEG, PNG, GIF, BMP or WebP files.
      size: side of the images, pixels.
      channels: 3, or 1 for grey.

    An InvalidArgumentError at run time names the place of a file that is none of these, is broken,
    or is smaller than `size` a side.
    """

    def prepare(item):
        encoded, number = item
        pixels = _upright(encoded, number)
        pixels = square(_grey(pixels) if channels == 1 else pixels, size, number)
        return images.tf_to_float(pixels)

    spec = tf.TensorSpec((size, size, channels), tf.float32)
    numbers = tf.range(tf.size(encoded))
    # One after the other: pictures of photographs' sizes, decoded all at once, would fill a memory.
    return tf.map_fn(prepare, (encoded, numbers), fn_output_signature=spec, parallel_iterations=1)


def encoded_images(floats):
    """float32 [B, H, W, 1 or 3] in [-1, 1] (clipped) -> string tensor [B] of PNG files."""
    values = tf.clip_by_value(tf.round((floats + 1.0) * 127.5), 0, 255)
    return tf.map_fn(
        tf.io.encode_png,
        tf.cast(values, tf.uint8),
        fn_output_signature=tf.TensorSpec((), tf.string),
    )


def _kind(encoded, number):
    """The place in KINDS of a file by its first bytes, a scalar int32 tensor."""
    matches = [tf.strings.substr(encoded, 0, len(start)) == start for start in _STARTS]
    kind = tf.argmax(tf.stack(matches), output_type=tf.int32)
    with tf.control_dependencies(
        [_assert(tf.reduce_any(matches), number, f"is none of {', '.join(KINDS)}")]
    ):
        return tf.identity(kind)


def _assert(condition, number, what: str, *more):
    return tf.debugging.Assert(condition, ["picture", number, what, *more], summarize=8)


# One graph for all signatures that take files: it is half of what an export holds.
@tf.function(
    input_signature=[tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.int32)], autograph=False
)
def _upright(encoded, number):
    """The pixels of a file, uint8 [H, W, 3]."""
    kind = _kind(encoded, number)
    branches = [_jpeg, _png, _gif, _bmp, _webp]
    pixels = tf.switch_case(kind, [lambda read=read: read(encoded) for read in branches])
    return turned(tf.ensure_shape(pixels, (None, None, 3)), orientation(encoded, kind))


def _jpeg(encoded):
    # The accurate DCT gives the values that Pillow gives.
    return tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")


def _png(encoded):
    """Of any depth and colour.

    TensorFlow cuts grey of 16 bits, and takes the highest value of few bits for an opaque alpha.
    """
    header = _header(encoded, 26)
    depth, is_grey = tf.cast(header[24], tf.int32), header[25] == 0

    def grey():
        values = tf.cast(tf.io.decode_png(encoded, channels=1, dtype=tf.uint16), tf.int32)
        return tf.repeat(tf.cast(values // 257, tf.uint8), 3, axis=-1)

    def colours():
        pixels = tf.io.decode_png(encoded, channels=4)
        few = is_grey & (depth < 8)
        alpha = tf.where(few & (pixels[..., 3:] > 0), tf.constant(255, tf.uint8), pixels[..., 3:])
        return _over_white(tf.concat([pixels[..., :3], alpha], axis=-1))

    return tf.cond(is_grey & (depth == 16), grey, colours)


def _header(encoded, size: int):
    """The first bytes of a file, uint8 [size]; zeros where it is shorter."""
    head = tf.io.decode_raw(tf.strings.substr(encoded, 0, size), tf.uint8)
    return tf.ensure_shape(tf.pad(head, [[0, size - tf.size(head)]]), (size,))


def _gif(encoded):
    return tf.io.decode_gif(encoded)[0]


def _bmp(encoded):
    """With a table of colours (8 bits), or without (24, 32); TensorFlow reads no others."""
    header = tf.cast(_header(encoded, 30), tf.int32)
    bits = header[28] + 256 * header[29]
    known = tf.debugging.Assert(bits >= 8, ["a BMP picture of fewer than 8 bits:", bits])
    with tf.control_dependencies([known]):
        pixels = tf.io.decode_bmp(encoded)  # of as many channels as the file has

    def by_table():
        start = 14 + header[14] + 256 * header[15]
        end = header[10] + 256 * header[11]
        table = tf.io.decode_raw(tf.strings.substr(encoded, start, end - start), tf.uint8)
        return tf.gather(tf.reshape(table, (-1, 4))[:, 2::-1], tf.cast(pixels[..., 0], tf.int32))

    return tf.cond(bits == 8, by_table, lambda: pixels[..., :3])


def _webp(encoded):
    pixels = tf.io.decode_webp(encoded)[0]  # of as many channels as the file has
    has_alpha = tf.shape(pixels)[-1] == 4
    return tf.cond(has_alpha, lambda: _over_white(pixels), lambda: pixels)


def _over_white(pixels):
    """uint8 RGBA [H, W, 4] laid over white -> [H, W, 3], by Pillow's whole-number arithmetic."""
    values = tf.cast(pixels, tf.int32)
    alpha = values[..., 3:]
    total = (values[..., :3] * alpha + 255 * (255 - alpha)) * 128 + (128 << 7)
    over = (total // 256 + total) // 256 // 128
    return tf.cast(tf.where(alpha == 0, 255, over), tf.uint8)


def _grey(pixels):
    """uint8 RGB [H, W, 3] -> [H, W, 1], by Pillow's whole-number weights."""
    weights = tf.constant([19595, 38470, 7471])
    total = tf.reduce_sum(tf.cast(pixels, tf.int32) * weights, axis=-1, keepdims=True)
    return tf.cast((total + 32768) // 65536, tf.uint8)


def square(pixels, size: int, number=0):
    """The central square of uint8 [H, W, C] -> [size, size, C], as `images.central`.

    An InvalidArgumentError at run time where a side is below `size`; `number` says of which.
    """
    height, width = tf.shape(pixels)[0], tf.shape(pixels)[1]
    side = tf.minimum(height, width)
    large = _assert(side >= size, number, f"is smaller than {size} pixels a side:", width, height)
    with tf.control_dependencies([large]):
        top, left = (height - side) // 2, (width - side) // 2
        middle = pixels[top : top + side, left : left + side]
    middle = _averaged(tf.transpose(middle, (1, 0, 2)), size)  # along the rows first, as Pillow
    return tf.ensure_shape(
        _averaged(tf.transpose(middle, (1, 0, 2)), size), (size, size, pixels.shape[-1])
    )


def _averaged(pixels, size: int):
    """uint8 [N, M, C], N at least `size` -> [size, M, C]: means of N / size neighbours each.

    With Pillow's weights of 22 bits, so that the rounding is its rounding.
    """
    length = tf.cast(tf.shape(pixels)[0], tf.float64)
    ends = tf.cast(tf.range(1, size + 1), tf.float64) * (length / size)
    ends = tf.cast(tf.floor(ends + 0.5), tf.int32)
    counts = ends - tf.concat([[0], ends[:-1]], 0)
    owners = tf.repeat(tf.range(size), counts)
    sums = tf.math.segment_sum(tf.cast(pixels, tf.int32), owners)
    weights = tf.cast(tf.round(2.0**_BITS / tf.cast(counts, tf.float64)), tf.int32)
    rounded = (sums * weights[:, None, None] + 2 ** (_BITS - 1)) // 2**_BITS
    return tf.cast(tf.clip_by_value(rounded, 0, 255), tf.uint8)
