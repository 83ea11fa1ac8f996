"""Files of pictures in a graph against the package's own reading of files, which uses Pillow."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lorbms_tf.data import images
from lorbms_tf.serving import picture_graph

SIZE = 32


@pytest.fixture(scope="module")
def prepared():
    """The graph, traced once for all files."""
    return tf.function(
        lambda encoded: picture_graph.float_images(encoded, SIZE),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )


def photo(height: int, width: int, seed: int = 0) -> Image.Image:
    """Smooth colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 4 + 1, width // 4 + 1, 3))
    return Image.fromarray(coarse.astype(np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def with_alpha(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    alpha = np.random.default_rng(1).integers(0, 256, (image.height, image.width))
    image.putalpha(Image.fromarray(alpha.astype(np.uint8)))
    return image


def files(image: Image.Image) -> dict[str, bytes]:
    """One of each kind that a browser or a camera writes."""
    grey, palette, alpha = image.convert("L"), image.convert("P"), with_alpha(image)
    deep = np.random.default_rng(2).integers(0, 65536, (image.height, image.width))
    made = {
        "jpeg 4:2:0": encoded(image, "JPEG", quality=80),
        "jpeg progressive": encoded(image, "JPEG", progressive=True),
        "jpeg grey": encoded(grey, "JPEG"),
        "jpeg cmyk": encoded(image.convert("CMYK"), "JPEG"),
        "png": encoded(image, "PNG"),
        "png 1 bit": encoded(image.convert("1"), "PNG"),
        "png grey": encoded(grey, "PNG"),
        "png grey, a colour transparent": encoded(grey, "PNG", transparency=grey.getpixel((9, 9))),
        "png grey, alpha": encoded(alpha.convert("LA"), "PNG"),
        "png grey, 16 bits": encoded(Image.fromarray(deep.astype(np.uint16)), "PNG"),
        "png palette": encoded(palette, "PNG"),
        "png palette, a colour transparent": encoded(palette, "PNG", transparency=3),
        "png, a colour transparent": encoded(image, "PNG", transparency=image.getpixel((5, 5))),
        "png alpha": encoded(alpha, "PNG"),
        "gif": encoded(palette, "GIF"),
        "gif, a colour transparent": encoded(palette, "GIF", transparency=3),
        "bmp": encoded(image, "BMP"),
        "bmp grey": encoded(grey, "BMP"),
        "bmp palette": encoded(palette, "BMP"),
        "webp": encoded(image, "WEBP", quality=80),
        "webp alpha": encoded(alpha, "WEBP", lossless=True),
    }
    for value in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = value
        for kind in ("JPEG", "PNG", "WEBP"):
            made[f"{kind} turned {value}"] = encoded(image, kind, exif=exif)
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    made["jpeg turned by XMP"] = encoded(image, "JPEG", xmp=xmp)
    return made


@pytest.mark.parametrize("height, width", [(40, 61), (99, 33)])
def test_files_become_the_images_that_the_package_reads(prepared, height, width):
    made = files(photo(height, width))
    seen = prepared(tf.constant(list(made.values()))).numpy()
    for name, data, image in zip(made, made.values(), seen, strict=True):
        expected = images.to_float(images.central(images.decode_jpeg(data), SIZE))
        # A graph multiplies where NumPy divides: the last digit may differ, no pixel does.
        np.testing.assert_allclose(image, expected, atol=1e-6, err_msg=name)


def test_areas_are_averaged_as_pillow_does_at_all_sizes():
    rng = np.random.default_rng(0)
    square = tf.function(lambda pixels: picture_graph.square(pixels, SIZE), reduce_retracing=True)
    for side in [*range(SIZE, 140), 200, 333, 512, 777]:
        pixels = rng.integers(0, 256, (side, side, 3)).astype(np.uint8)
        np.testing.assert_array_equal(square(pixels), images.square_resize(pixels, SIZE))


def test_the_central_square_is_taken():
    pixels = np.random.default_rng(0).integers(0, 256, (41, 70, 3)).astype(np.uint8)
    seen = picture_graph.square(tf.constant(pixels), SIZE)
    np.testing.assert_array_equal(seen, images.central(pixels, SIZE))


def test_no_files_are_no_images(prepared):
    assert prepared(tf.constant([], tf.string)).shape == (0, SIZE, SIZE, 3)


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "is none of JPEG, PNG, GIF, BMP, WebP"),
        (b"no picture", "is none of JPEG, PNG, GIF, BMP, WebP"),
        (encoded(photo(31, 90), "PNG"), "is smaller than 32 pixels a side"),
        (encoded(photo(50, 50), "JPEG")[:400], "Invalid JPEG data"),
        (encoded(photo(50, 50), "PNG")[:30], "PNG"),
        (encoded(photo(50, 50).convert("1"), "BMP"), "fewer than 8 bits"),
        (b"RIFF....WEBPVP8 ", "WebP"),
    ],
)
def test_bad_files_are_an_error_of_the_caller(prepared, data, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        prepared(tf.constant([encoded(photo(50, 50), "PNG"), data]))


def exif_with(*entries: bytes, order: bytes = b"II*\0", start: int = 8) -> bytes:
    return (
        order + start.to_bytes(4, "little") + len(entries).to_bytes(2, "little") + b"".join(entries)
    )


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II*\0",
        exif_with(start=10**9),
        exif_with(b"\x12\x01\x03\0\x01\0\0\0\x09\0\0\0"),  # orientation 9
        exif_with(b"\x12\x01\x03\0"),  # cut off
        b"II*\0\x08\0\0\0\xff\xff",  # 65,535 entries, of which none is there
        b"xx*\0\x08\0\0\0\0\0",
    ],
)
def test_odd_metadata_turn_nothing(prepared, exif):
    image = photo(50, 60)
    data = encoded(image, "JPEG", exif=b"Exif\0\0" + exif)
    plain = encoded(image, "JPEG")
    seen = prepared(tf.constant([data, plain])).numpy()
    np.testing.assert_array_equal(seen[0], seen[1])


def test_images_become_png_files():
    floats = np.random.default_rng(0).uniform(-1.2, 1.2, (3, 8, 9, 3)).astype(np.float32)
    made = picture_graph.encoded_images(tf.constant(floats)).numpy()
    for data, image in zip(made, floats, strict=True):
        assert data.startswith(b"\x89PNG")
        np.testing.assert_array_equal(images.decode_jpeg(data), images.to_uint8(image))
