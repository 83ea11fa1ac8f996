import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from lorbms_tf.data import images, metadata

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of odd metadata

TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: np.rot90(a),
}
ORIENTATION = (0x112, 3, 1, b"\6\0")
ODD_TAGS = {
    "exposure bias -1/0": (0x9204, 10, 1, struct.pack("<ii", -1, 0)),
    "resolution as text": (0x11A, 2, 3, b"72\0"),
    "resolution as bytes": (0x11A, 1, 2, b"\x48\1"),
    "width as text": (0x100, 2, 3, b"64\0"),
    "author as a fraction": (0x13B, 5, 1, struct.pack("<II", 7, 2)),
    "a kind that is none": (0x131, 99, 1, b"abc\0"),
    "far behind the end": (0x131, 2, 1 << 30, b"\xff\xff\xff\x7f"),
}


def quarters():
    """A picture whose four quarters have four colours, on blocks that JPEG keeps."""
    pixels = np.zeros((32, 48, 3), np.uint8)
    pixels[:16, :24], pixels[:16, 24:], pixels[16:, :24] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    return pixels


def tiff(*entries):
    """EXIF data as cameras write them, right or wrong."""
    start, tail = 8 + 2 + 12 * len(entries) + 4, b""
    fields = struct.pack("<H", len(entries))
    for tag, kind, count, value in entries:
        if len(value) > 4:
            fields += struct.pack("<HHII", tag, kind, count, start + len(tail))
            tail += value
        else:
            fields += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")
    return b"II*\0\x08\0\0\0" + fields + bytes(4) + tail


def saved(pixels, kind, **options):
    buffer = io.BytesIO()
    lossy = {"JPEG": {"subsampling": 0}, "MPO": {"subsampling": 0}, "TIFF": {}, "PNG": {}}
    quality = {"quality": 95} if kind not in ("PNG", "TIFF") else {}
    Image.fromarray(pixels).save(buffer, kind, **quality, **lossy.get(kind, {}), **options)
    return buffer.getvalue()


def with_exif(pixels, kind, exif):
    """A file that holds these very bytes as its EXIF data."""
    if kind == "JPEG":
        whole, segment = saved(pixels, kind), b"Exif\0\0" + exif
        return whole[:2] + struct.pack(">HH", 0xFFE1, len(segment) + 2) + segment + whole[2:]
    if kind == "PNG":
        return with_chunk(saved(pixels, kind), b"eXIf", exif)
    return saved(pixels, kind, exif=exif)


def with_chunk(png, name, content, crc=None):
    crc = zlib.crc32(name + content) if crc is None else crc
    chunk = struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)
    return png[:33] + chunk + png[33:]  # behind the header


def check(tmp_path, content, wanted):
    (tmp_path / "a").write_bytes(content)
    read = images.read_photo(tmp_path / "a")
    assert read.shape == wanted.shape
    assert np.abs(read.astype(int) - wanted).mean() < 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "MPO"])
def test_photos_stand_upright(tmp_path, kind, orientation):
    exif, more = Image.Exif(), {}
    exif[0x112], exif[0x11A] = orientation, 72.0
    if kind == "MPO":
        more = {"save_all": True, "append_images": [Image.new("RGB", (48, 32))]}
    content = saved(quarters(), kind, exif=exif, **more)
    check(tmp_path, content, TURNS[orientation](quarters()))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("kind", "code"), [(3, "H"), (4, "I"), (1, "B")])
def test_orientation_in_each_way_of_writing_a_number(order, kind, code):
    value = struct.pack(order + code, 8).ljust(4, b"\0")
    start = struct.pack(
        f"{order}2sHIHHHI", b"II" if order == "<" else b"MM", 42, 8, 1, 0x112, kind, 1
    )
    exif = start + value
    assert metadata.exif_orientation(exif) == 8
    assert metadata.exif_orientation(b"Exif\0\0Exif\0\0" + exif) == 8


@pytest.mark.parametrize("value", [0, 9, 700])
def test_an_orientation_that_is_none_turns_nothing(value):
    assert metadata.exif_orientation(tiff((0x112, 3, 1, struct.pack("<H", value)))) == 0


def test_cut_exif_data_never_fail():
    whole = tiff((0x10F, 2, 4, b"abc\0"), ORIENTATION)
    assert metadata.exif_orientation(whole) == 6
    told = [metadata.exif_orientation(whole[:length]) for length in range(len(whole))]
    assert set(told) == {0, 6} and told == sorted(told)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("tag", ODD_TAGS)
def test_odd_tags_cost_no_pixels_and_the_orientation_counts(tmp_path, kind, tag):
    entries = sorted([ORIENTATION, ODD_TAGS[tag]])
    check(tmp_path, with_exif(quarters(), kind, tiff(*entries)), TURNS[6](quarters()))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "exif", [b"no TIFF", bytes(20), b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0"]
)
def test_exif_data_that_nobody_can_read_turn_nothing(tmp_path, kind, exif):
    check(tmp_path, with_exif(quarters(), kind, exif), quarters())


@pytest.mark.parametrize("kind", ["TIFF", "AVIF"])
def test_odd_tags_where_the_format_turns_itself(tmp_path, kind):
    exif = Image.Exif()
    exif[0x112], exif[0x11A], exif[0x13B] = 6, 72.0, "me"
    exif.get_ifd(0x8769)[0x9204] = -1.5
    whole = saved(quarters(), kind, exif=exif)
    fractions = (b"\x1a\x01\x05\0", b"\x01\x1a\0\x05")  # the resolution, in either order of bytes
    assert any(fraction in whole for fraction in fractions)
    for fraction, odd in zip(fractions, (b"\x1a\x01\x02\0", b"\x01\x1a\0\x02"), strict=True):
        whole = whole.replace(fraction, odd)
    check(tmp_path, whole, TURNS[6](quarters()))


def test_a_damaged_index_of_further_pictures_costs_nothing(tmp_path):
    more = {"save_all": True, "append_images": [Image.new("RGB", (48, 32))]}
    whole = saved(quarters(), "MPO", exif=b"Exif\0\0" + tiff(ORIENTATION), **more)
    start = whole.index(b"MPF\0") + 4
    check(tmp_path, whole, TURNS[6](quarters()))
    for place in range(start, start + 60):
        broken = whole[:place] + b"\xff" + whole[place + 1 :]
        check(tmp_path, broken, TURNS[6](quarters()))


def test_xmp_and_old_profiles_tell_the_orientation_too(tmp_path):
    xmp = b'<x tiff:Orientation="6"/>'
    for kind in ("JPEG", "WEBP"):
        check(tmp_path, saved(quarters(), kind, xmp=xmp), TURNS[6](quarters()))
    info = PngInfo()
    profile = tiff(ORIENTATION)
    info.add_text("Raw profile type exif", f"\nexif\n  {len(profile)}\n{profile.hex()}\n", zip=True)
    check(tmp_path, saved(quarters(), "PNG", pnginfo=info), TURNS[6](quarters()))
    info = PngInfo()
    info.add_text("Raw profile type exif", "no profile")
    check(tmp_path, saved(quarters(), "PNG", pnginfo=info), quarters())


def test_large_and_damaged_chunks_of_png(tmp_path):
    text, international = PngInfo(), PngInfo()
    text.add_text("parameters", "a" * 2_000_000, zip=True)
    international.add_itxt("workflow", "a" * 2_000_000, zip=True)
    behind = PngInfo()
    behind.add(b"zTXt", b"parameters\0\0" + zlib.compress(bytes(2_000_000)), after_idat=True)
    for info in (text, international, behind):
        whole = with_chunk(saved(quarters(), "PNG", pnginfo=info), b"eXIf", tiff(ORIENTATION))
        check(tmp_path, whole, TURNS[6](quarters()))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    check(tmp_path, saved(quarters(), "PNG", icc_profile=profile + bytes(1_200_000)), quarters())
    for name in (b"tEXt", b"eXIf", b"tIME", b"pHYs"):
        check(tmp_path, with_chunk(saved(quarters(), "PNG"), name, b"abc", crc=7), quarters())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "AVIF", "GIF"])
def test_metadata_of_a_cut_file_are_no_fault_of_ours(kind):
    whole = with_exif(quarters(), kind, tiff(ORIENTATION)) if kind != "GIF" else b"GIF89a"
    for length in range(0, len(whole), 7):
        assert isinstance(metadata.without(whole[:length], kind), bytes)
