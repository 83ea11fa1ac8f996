import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from lorbms_tf.data import images

WHITE = [255, 255, 255]


def png(depth, kind, row, trns, interlace=0):
    """A PNG file of 16 x 16 pixels, rows alike, as the standard has it."""

    def chunk(name, content):
        crc = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + crc

    header = struct.pack(">IIBBBBB", 16, 16, depth, kind, 0, 0, interlace)
    pixels = zlib.compress((b"\0" + row) * 16)
    parts = [(b"IHDR", header), (b"tRNS", trns), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def read(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    from_file = images.read_photo(tmp_path / "a")
    np.testing.assert_array_equal(images.decode_jpeg(content), from_file)
    return from_file


@pytest.mark.parametrize(
    ("depth", "kind", "row", "hidden", "other", "shown"),
    [
        (1, 0, b"\0\0", b"\0\0", b"\0\1", [0] * 3),
        (1, 0, b"\xff\xff", b"\0\1", b"\0\0", WHITE),
        (2, 0, b"\x55" * 4, b"\0\1", b"\0\x55", [85] * 3),
        (4, 0, b"\x33" * 8, b"\0\3", b"\0\x33", [51] * 3),
        (8, 0, b"\x40" * 16, b"\0\x40", b"\0\x41", [64] * 3),
        (16, 0, b"\x40\1" * 16, b"\x40\1", b"\x40\0", [63] * 3),
        (8, 2, b"\x40\x20\x10" * 16, b"\0\x40\0\x20\0\x10", b"\0\x40\0\x20\0\x11", [64, 32, 16]),
        (
            16,
            2,
            b"\x40\1\x20\2\x10\3" * 16,
            b"\x40\1\x20\2\x10\3",
            b"\x40\1\x20\2\x10\4",
            [64, 32, 16],
        ),
    ],
)
def test_a_transparent_colour_is_white_and_its_neighbours_are_not(
    tmp_path, depth, kind, row, hidden, other, shown
):
    assert read(tmp_path, png(depth, kind, row, hidden))[3, 5].tolist() == WHITE
    assert read(tmp_path, png(depth, kind, row, other))[3, 5].tolist() == shown


def test_only_the_pixels_of_that_colour_are_white(tmp_path):
    row = b"\x40\0\x20\0\x10\0" * 8 + b"\x40\0\x20\0\x10\1" * 8
    pixels = read(tmp_path, png(16, 2, row, b"\x40\0\x20\0\x10\0"))
    assert (pixels[:, :8] == 255).all() and (pixels[:, 8:] == [64, 32, 16]).all()


def test_transparent_palettes(tmp_path):
    image = Image.new("P", (4, 4))
    image.putpalette([200, 0, 0, 0, 90, 0])
    image.putpixel((1, 0), 1)
    for kind, transparency in (("PNG", b"\0\xff"), ("PNG", 0), ("GIF", 0)):
        image.save(tmp_path / "a", kind, transparency=transparency)
        pixels = images.read_photo(tmp_path / "a")
        assert pixels[0, :2].tolist() == [WHITE, [0, 90, 0]]


RAMP = np.linspace(0, 1, 48 * 64, dtype=np.float32).reshape(48, 64)


@pytest.mark.parametrize(
    "values",
    [
        RAMP,
        RAMP * 255,
        RAMP * 65535,
        (RAMP * 255).astype(np.int32),
        (RAMP * 65535).astype(np.int32),
        (RAMP * 65535).astype(np.uint16),
        (RAMP * 255).astype(np.uint8),
    ],
    ids=lambda values: f"{values.dtype}-{values.max():.0f}",
)
@pytest.mark.parametrize("compression", [None, "tiff_deflate"])
def test_tiff_of_every_usual_range(tmp_path, values, compression):
    Image.fromarray(values).save(tmp_path / "a.tif", compression=compression)
    pixels = images.read_photo(tmp_path / "a.tif")
    assert np.abs(pixels - RAMP[..., None] * 255).max() <= 1.01


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (RAMP * 1.3, r"floating point pixels of no known range \(0 to 1\.3\)"),
        (RAMP - 0.5, r"floating point pixels of no known range \(-0\.5 to 0\.5\)"),
        (RAMP * 1e6, r"floating point pixels of no known range \(0 to 1e\+06\)"),
        (np.where(RAMP > 0.5, np.nan, RAMP), "floating point pixels of no known range"),
        ((RAMP * 3).astype(np.int32), r"32-bit pixels of no known range \(0 to 3\)"),
        ((RAMP * 2e9).astype(np.int32), "32-bit pixels of no known range"),
        ((RAMP * 255).astype(np.int32) - 9, r"32-bit pixels of no known range \(-9 to 246\)"),
    ],
)
def test_tiff_of_no_known_range_is_refused_and_not_black(tmp_path, values, reason):
    Image.fromarray(values).save(tmp_path / "a.tif")
    with pytest.raises(images.BadImage, match=reason):
        images.read_photo(tmp_path / "a.tif")


def test_the_reason_counts_also_where_metadata_are_odd(tmp_path):
    Image.fromarray(RAMP * 1.3).save(tmp_path / "a.tif", tiffinfo={282: 72.0})
    whole = (tmp_path / "a.tif").read_bytes()
    fraction, text = struct.pack("<HH", 282, 5), struct.pack("<HH", 282, 2)
    assert fraction in whole
    with pytest.raises(images.BadImage, match="^floating point pixels"):
        images.decode_jpeg(whole.replace(fraction, text))


def test_tiff_whose_white_is_zero(tmp_path):
    for highest, kind in ((65535, np.uint16), (1, np.float32)):
        values = (highest - RAMP * highest).astype(kind)
        Image.fromarray(values).save(tmp_path / "a.tif", tiffinfo={262: 0})
        pixels = images.read_photo(tmp_path / "a.tif")
        assert pixels[0, 0, 0] == 0 and pixels[-1, -1, 0] >= 254


def test_a_dark_png_of_sixteen_bits_stays_dark(tmp_path):
    Image.fromarray(np.full((4, 4), 200, np.uint16)).save(tmp_path / "a.png")
    assert (images.read_photo(tmp_path / "a.png") == 0).all()


def test_colours_that_pillow_does_not_convert_are_named(tmp_path):
    Image.new("LAB", (4, 4)).save(tmp_path / "a.tif")
    with pytest.raises(images.BadImage, match="CIELAB"):
        images.read_photo(tmp_path / "a.tif")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_of_a_film_it_is_the_first_picture(tmp_path, kind):
    first, second = Image.new("RGB", (32, 24), (250, 0, 0)), Image.new("RGB", (32, 24), (0, 0, 250))
    buffer = io.BytesIO()
    first.save(buffer, kind, save_all=True, append_images=[second])
    pixels = read(tmp_path, buffer.getvalue())
    assert pixels.shape == (24, 32, 3)
    assert np.abs(pixels.astype(int) - [250, 0, 0]).max() < 12


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("1", "PNG"), ("L", "JPEG"), ("P", "PNG"), ("P", "GIF"), ("CMYK", "JPEG"), ("CMYK", "TIFF"),
     ("LA", "PNG"), ("RGBA", "WEBP"), ("RGBA", "TIFF"), ("L", "BMP"), ("RGB", "BMP")],
)  # fmt: skip
def test_every_usual_mode_shows_black_and_white(tmp_path, mode, kind):
    halves = np.repeat(np.array([0, 255], np.uint8), 16)[None, :].repeat(32, 0)
    image = Image.fromarray(np.stack([halves] * 3, -1)).convert(mode)
    image.save(tmp_path / "a", kind)
    pixels = images.read_photo(tmp_path / "a").astype(int)
    assert pixels[:, :14].max() < 12 and pixels[:, 18:].min() > 243
