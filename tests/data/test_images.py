import io
import os

import numpy as np
import pytest
from PIL import Image

from lorbms_tf.data import images
from lorbms_tf.errors import UserError
from tests.locking import lock


def photo(height=12, width=16):
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (3, 4, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_modes_become_rgb(tmp_path, mode):
    path = tmp_path / "a.jpg"
    Image.fromarray(photo()).convert(mode).save(path, quality=95)
    read = images.read_photo(path)
    assert read.shape == (12, 16, 3) and read.dtype == np.uint8
    expected = photo() if mode != "L" else np.asarray(Image.fromarray(photo()).convert("L"))
    expected = np.broadcast_to(expected.reshape(12, 16, -1), (12, 16, 3))
    assert np.abs(read.astype(int) - expected).mean() < 12


def test_transparency_is_laid_over_white(tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGBA", (4, 4), (200, 0, 0, 0)).save(path)
    assert np.all(images.read_photo(path) == 255)
    Image.new("RGBA", (4, 4), (200, 0, 0, 255)).save(path)
    assert np.all(images.read_photo(path) == [200, 0, 0])


def test_sixteen_bit_grey_keeps_its_range(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.array([[0, 65535]], np.uint16)).save(path)
    np.testing.assert_array_equal(images.read_photo(path)[0, :, 0], [0, 255])


def whole_jpeg():
    return images.encode_jpeg(photo(64, 64))


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "empty"),
        (b"no image at all", "not an image"),
        (whole_jpeg()[: len(whole_jpeg()) // 2], "truncated"),
        (whole_jpeg()[:30], "truncated|not an image"),
    ],
)
def test_broken_files_say_what_is_wrong(tmp_path, content, reason):
    path = tmp_path / "broken.jpg"
    path.write_bytes(content)
    with pytest.raises(images.BadImage, match=reason) as caught:
        images.read_photo(path)
    assert "broken.jpg" in str(caught.value)


def test_only_memory_is_no_fault_of_the_photo(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    Image.fromarray(photo()).convert("L").save(path)
    errors = iter([RuntimeError("Failed to decode image"), MemoryError()])

    def fail(image, mode):
        raise next(errors)

    monkeypatch.setattr(Image.Image, "convert", fail)
    with pytest.raises(images.BadImage, match="Failed to decode"):
        images.read_photo(path)
    with pytest.raises(MemoryError):
        images.read_photo(path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("absent.jpg", "missing"),
        ("file/below.jpg", "missing"),
        ("zero\0byte.jpg", "missing"),
        ("n" * 300 + ".jpg", r"cannot be opened \(File name too long\)"),
    ],
)
def test_files_that_are_not_there(tmp_path, name, reason):
    (tmp_path / "file").touch()
    with pytest.raises(images.BadImage, match=reason):
        images.read_photo(tmp_path / name)


def test_a_reason_has_a_kind():
    assert images.BadImage("a.jpg", "corrupt or truncated (5 bytes)").kind == "corrupt or truncated"
    assert images.BadImage("a.jpg", "missing").kind == "missing"


def test_listing(tmp_path):
    with pytest.raises(UserError, match="absent"):
        images.list_photos(tmp_path / "absent")
    with pytest.raises(UserError, match="no images"):
        images.list_photos(tmp_path)
    for name in ("b.JPG", "sub/a.png", "notes.txt", "sub-a/a.png", ".work/images/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "sub" / "no ending").write_bytes(whole_jpeg())
    (tmp_path / "sub" / "b.jpg_large").write_bytes(whole_jpeg()[:20])
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "c.bmp").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in images.list_photos(tmp_path)]
    assert found == ["b.JPG", "sub/a.png", "sub/b.jpg_large", "sub/no ending", "sub-a/a.png"]


def test_folders_that_cannot_be_read_are_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "lost+found").mkdir()
    Image.fromarray(photo()).save(tmp_path / "a.png")
    lock(monkeypatch, "lost+found")
    assert images.list_photos(tmp_path) == [tmp_path / "a.png"]
    told = capsys.readouterr().err
    assert told.startswith("warning: folder") and "lost+found cannot be read (Permission" in told
    errors = []
    assert images.list_photos(tmp_path, errors.append) == [tmp_path / "a.png"]
    assert [error.filename for error in errors] == [str(tmp_path / "lost+found")]
    assert not capsys.readouterr().err
    with pytest.raises(UserError, match=r"lost\+found cannot be read: Permission denied"):
        images.list_photos(tmp_path / "lost+found")


def test_area_resize_averages_exactly():
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2, :2] = [[[0] * 3, [100] * 3], [[100] * 3, [200] * 3]]
    np.testing.assert_array_equal(images.square_resize(image, 2)[:, :, 0], [[100, 0], [0, 0]])
    with pytest.raises(ValueError, match="16x12"):
        images.square_resize(photo(), 8)


def test_center_square_of_wide_and_narrow():
    wide = np.arange(7)[None, :, None] * np.ones((3, 1, 3), int)
    np.testing.assert_array_equal(images.center_square(wide)[0, :, 0], [2, 3, 4])
    assert images.center_square(np.zeros((100, 1, 3))).shape == (1, 1, 3)


def test_squeeze_keeps_the_whole_image():
    halves = np.repeat(np.array([10, 200], np.uint8), (4, 2))[:, None, None]  # 6 rows
    squeezed = images.squeeze(np.broadcast_to(halves, (6, 4, 3)), 3)
    np.testing.assert_array_equal(squeezed[:, 0, 0], [10, 10, 200])
    assert squeezed.shape == (3, 3, 3)


def test_ranges_are_inverse():
    values = np.arange(256, dtype=np.uint8)
    floats = images.to_float(values)
    assert floats.min() == -1.0 and floats.max() == 1.0
    np.testing.assert_array_equal(images.to_uint8(floats), values)
    np.testing.assert_array_equal(images.to_uint8([-7.0, 7.0]), [0, 255])


def test_graph_decoding_equals_pillow():
    encoded = images.encode_jpeg(photo(32, 32))
    graph = images.tf_decode(encoded, 32).numpy()
    np.testing.assert_allclose(graph.astype(int), images.decode_jpeg(encoded), atol=2)
    np.testing.assert_array_equal(images.tf_to_float(graph), images.to_float(graph))
    assert np.asarray(Image.open(io.BytesIO(encoded))).shape == (32, 32, 3)


def test_photos_are_cropped_to_the_central_square_and_averaged(tmp_path):
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[:, 32:96] = 255  # the central square is white
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    square = images.read_square(tmp_path / "wide.png", 32)
    np.testing.assert_array_equal(square, np.ones((32, 32, 3), np.float32))


@pytest.mark.parametrize("width, height", [(1, 80), (80, 31)])
def test_photos_smaller_than_the_model_are_refused(tmp_path, width, height):
    path = tmp_path / "thin.png"
    Image.new("RGB", (width, height)).save(path)
    with pytest.raises(UserError, match=f"{width}x{height} pixels; the model needs 32"):
        images.read_square(path, 32)


def test_broken_and_missing_photos_are_named(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    for name in ("broken.jpg", "absent.jpg"):
        with pytest.raises(UserError, match=name):
            images.read_square(tmp_path / name, 32)
