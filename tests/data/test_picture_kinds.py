import io
import sys
import types

import numpy as np
import pytest
from PIL import Image

from lorbms_tf.data import images, picture_kinds

SAVED = ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "JPEG2000", "PPM", "ICO", "QOI"]
NAMES = {"WEBP": "WebP", "JPEG2000": "JPEG 2000"}


def saved(kind):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def boxes(*brands):
    """The first box of a file: its own brand, a version, and the brands that it agrees with."""
    body = b"ftyp" + brands[0] + bytes(4) + b"".join(brands)
    return (len(body) + 4).to_bytes(4, "big") + body + b"\0\0\0\x08mdatavif"


@pytest.mark.parametrize("kind", SAVED)
def test_what_pillow_writes_is_told_by_its_first_bytes(tmp_path, kind):
    content = saved(kind)
    assert picture_kinds.kind_of(content[: picture_kinds.HEAD_BYTES]) == NAMES.get(kind, kind)
    path = tmp_path / "no ending"
    path.write_bytes(content)
    assert picture_kinds.is_picture(path)
    assert images.read_photo(path).shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (boxes(b"heic", b"mif1", b"heic"), "HEIC"),
        (boxes(b"mif1", b"mif1", b"heix"), "HEIC"),
        (boxes(b"mif1", b"mif1", b"avif"), "AVIF"),
        (boxes(b"crx ", b"isom"), "camera raw"),
        (boxes(b"isom", b"mp42"), ""),  # a film; what follows the box counts for nothing
        (b"\xff\x0a\xfa\x1f", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"MM\0+\0\x08", "TIFF"),
        (b"BMW and other cars, of 1999", ""),
        (b"P5 is the name of a chip", ""),
        (b"RIFF\0\0\0\0WAVE", ""),
        (b"{}", ""),
        (b"", ""),
    ],
)
def test_other_first_bytes(head, kind):
    assert picture_kinds.kind_of(head) == kind


def test_endings_are_enough_and_need_not_be_there(tmp_path):
    for name in ("a.JPG", "b.jfif", "c.jpe", "d.heic", "e.avif", "f.gif", "g.TIFF"):
        assert picture_kinds.is_picture(tmp_path / name)
    for name in ("a.txt", "b", "c.json"):
        (tmp_path / name).write_text("[1, 2]")
        assert not picture_kinds.is_picture(tmp_path / name)
        assert not picture_kinds.is_picture(tmp_path / f"absent {name}")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (boxes(b"heic", b"mif1", b"heic"), "HEIC, which needs the package pillow-heif"),
        (b"\xff\x0a\xfa\x1f", "JPEG XL, which needs the package pillow-jxl-plugin"),
        (boxes(b"crx "), "camera raw, which Pillow does not read"),
        (boxes(b"avif", b"mif1", b"avif"), "corrupt or truncated .*AVIF"),
        (b"II*\0" + b"\x08\0\0\0\0\0" * 9, "corrupt or truncated .*TIFF"),
    ],
)
def test_what_pillow_does_not_read_is_named(tmp_path, monkeypatch, content, reason):
    for module in ("pillow_heif", "pillow_jxl"):
        monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(images.BadImage, match=reason):
        images.read_photo(tmp_path / "a")


def test_an_optional_package_is_used_where_it_is_there(tmp_path, monkeypatch):
    """A stand-in for pillow-heif, whose HEIC files are a PNG behind the first box."""
    head = boxes(b"heic", b"mif1", b"heic")

    def open_it(file, name):
        return Image.open(io.BytesIO(file.read()[len(head) :]))

    def register():
        Image.register_open("HEIF", open_it, lambda start: start[4:12] == b"ftypheic")

    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", list(Image.ID))
    package = types.SimpleNamespace(register_heif_opener=register)
    monkeypatch.setitem(sys.modules, "pillow_heif", package)
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(head + saved("PNG"))
    np.testing.assert_array_equal(images.read_photo(path), images.decode_jpeg(saved("PNG")))
    path.write_bytes(head + saved("PNG")[:99])
    with pytest.raises(images.BadImage, match="corrupt or truncated"):
        images.read_photo(path)


def test_previews_of_camera_files_are_no_photos(tmp_path):
    """What .nef and .dng files are: TIFF, whose first picture is small."""
    for tag in ({254: 1}, {50706: b"\1\4\0\0"}):
        Image.new("RGB", (40, 30)).save(tmp_path / "a.nef", "TIFF", tiffinfo=tag)
        with pytest.raises(images.BadImage, match="camera raw"):
            images.read_photo(tmp_path / "a.nef")
