import numpy as np
import pytest
from PIL import Image

from lorbms_tf.data import photos as rooms
from lorbms_tf.data.images import BadImage
from lorbms_tf.data.photos import Photos, cut, scaled
from lorbms_tf.data.photos_config import PhotosConfig
from lorbms_tf.errors import UserError

NO_DRAWS = np.full((1, 3), 0.9)


def config(**changes):
    return PhotosConfig(**{"image_size": 8, "channels": 1, **changes})


def write(path, value, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, value).save(path)


@pytest.fixture
def folder(tmp_path):
    """Grey levels 10, 20, 30 of the classes a, b, b; 40 without a class."""
    for name, value in {"a/1": 10, "b/1": 20, "b/deep/2": 30, "0": 40}.items():
        write(tmp_path / "photos" / f"{name}.png", value)
    return tmp_path / "photos"


def values(photos, numbers, draws=NO_DRAWS):
    pixels, labels = photos.take(np.array(numbers), np.repeat(draws, len(numbers), 0))
    return pixels[:, 4, 4, 0].tolist(), labels.tolist()


def test_folders_are_classes(folder):
    photos = Photos(str(folder), config())
    assert photos.classes == ("a", "b")
    assert values(photos, range(4)) == ([40, 10, 20, 30], [-1, 0, 1, 1])
    pixels, labels = photos.take(np.array([2]), NO_DRAWS)
    assert pixels.shape == (1, 8, 8, 1) and pixels.dtype == np.uint8 and labels.dtype == np.int32


def test_joined_places_share_classes(folder, tmp_path):
    write(tmp_path / "more" / "b" / "x.png", 50)
    write(tmp_path / "more" / "c" / "x.png", 60)
    photos = Photos(f"{folder},{tmp_path / 'more'}", config())
    assert photos.classes == ("a", "b", "c")
    assert values(photos, [1, 4, 5]) == ([10, 50, 60], [0, 1, 2])
    assert [entry["file"] for entry in photos.fingerprint] == ["photos/", "more/"]
    known = Photos(str(tmp_path / "more"), config(), "eval_photos", ("a", "c"))
    assert known.classes == ("a", "c", "b")
    assert known.labels.tolist() == [2, 1]


def test_the_fingerprint_tells_photos_apart(folder):
    before = Photos(str(folder), config()).fingerprint
    assert Photos(str(folder), config()).fingerprint == before
    write(folder / "a" / "2.png", 10)
    after = Photos(str(folder), config()).fingerprint
    assert after[0]["sha256"] != before[0]["sha256"] and after[0]["bytes"] > before[0]["bytes"]


@pytest.mark.parametrize("most", [0, 1 << 30])
def test_photos_that_cannot_be_read_are_counted_and_their_places_taken(
    folder, monkeypatch, capsys, most
):
    monkeypatch.setattr(rooms, "MOST_IN_MEMORY", most)
    (folder / "a" / "1.png").write_bytes(b"")
    (folder / "b" / "deep" / "2.png").write_bytes(b"GIF no")
    photos = Photos(str(folder), config())
    photos.read_ahead()
    assert values(photos, range(4)) == ([40, 20, 20, 40], [-1, 1, 1, -1])
    assert [(int(p[0, 0, 0]), label) for p, label in photos.held_out()] == [(40, -1), (20, 1)]
    assert photos.summary().startswith("2 of 4 photos cannot be used and are left out: 1 empty")
    assert str(folder / "a" / "1.png") in photos.summary()
    assert capsys.readouterr().err.count("warning: 2 of 4") == 1
    assert len(list(photos.held_out())) == 2
    assert not capsys.readouterr().err  # a user knows already


def test_where_none_can_be_read(tmp_path):
    (tmp_path / "x.png").write_bytes(b"")
    photos = Photos(str(tmp_path), config())
    with pytest.raises(UserError, match="1 of 1 photos cannot be used"):
        photos.take(np.array([0]), NO_DRAWS)
    with pytest.raises(UserError, match="1 empty file"):
        list(photos.held_out())
    with pytest.raises(UserError, match="1 empty file"):
        Photos(str(tmp_path), config()).read_ahead()


def test_missing_and_empty_places(tmp_path):
    with pytest.raises(UserError, match="--photos is required"):
        Photos("", config())
    with pytest.raises(UserError, match="does not exist"):
        Photos(str(tmp_path / "nowhere"), config())
    with pytest.raises(UserError, match="no images in folder"):
        Photos(str(tmp_path), config())


def test_splits_are_not_taken_for_classes(tmp_path):
    write(tmp_path / "train" / "a" / "1.png", 1)
    write(tmp_path / "val" / "a" / "1.png", 1)
    with pytest.raises(UserError, match="the splits train, val and no classes: name one of them"):
        Photos(str(tmp_path), config())


def test_random_squares_and_mirror_images(tmp_path):
    ramp = np.broadcast_to(np.arange(24, dtype=np.uint8), (8, 24))
    Image.fromarray(np.ascontiguousarray(ramp)).save(tmp_path / "ramp.png")
    photos = Photos(str(tmp_path), config(crop="random", flip=True))
    for draws, first, last in (
        ([0, 0, 0.9], 0, 7),
        ([0, 0.999, 0.9], 16, 23),
        ([0.7, 0.5, 0.9], 8, 15),
        ([0, 0, 0.1], 7, 0),
    ):
        pixels, _ = photos.take(np.array([0]), np.array([draws]))
        assert (pixels[0, 3, 0, 0], pixels[0, 3, -1, 0]) == (first, last)
    assert next(photos.held_out())[0][0, 0, 0] == 8  # the center, as it is
    centred, _ = Photos(str(tmp_path), config()).take(np.array([0]), np.zeros((1, 3)))
    assert centred[0, 0, 0, 0] == 8


def test_held_out_photos_may_be_fewer(folder):
    photos = Photos(str(folder), config())
    assert [label for _, label in photos.held_out(2)] == [-1, 1]
    assert [label for _, label in photos.held_out(9)] == [-1, 0, 1, 1]


def test_fewer_held_out_photos_are_evenly_out_of_all_classes(tmp_path):
    for name in "abc":
        for number in range(4):
            write(tmp_path / name / f"{number}.png", 10 * number)
    photos = Photos(str(tmp_path), config())
    assert [label for _, label in photos.held_out(3)] == [0, 1, 2]
    assert [label for _, label in photos.held_out(6)] == [0, 0, 1, 1, 2, 2]
    (tmp_path / "b" / "0.png").write_bytes(b"")
    photos = Photos(str(tmp_path), config())
    assert [label for _, label in photos.held_out(3)] == [0, 2, 0]  # another one takes its place


def photo(height, width, channels=3):
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)


@pytest.mark.parametrize(
    "changes, shape",
    [
        ({}, (8, 8, 1)),
        ({"channels": 3}, (8, 8, 3)),
        ({"crop": "random"}, (8, 16, 1)),
        ({"crop": "random", "short_side": 10}, (10, 20, 1)),
        ({"crop": "random", "short_side": -1}, (20, 40, 1)),
        ({"short_side": -1}, (8, 8, 1)),
    ],
)
def test_sizes(changes, shape):
    assert scaled(photo(20, 40), config(**changes)).shape == shape


def test_grey_and_colour_become_each_other():
    grey = np.full((8, 8, 1), 77, np.uint8)
    assert (scaled(grey, config(channels=3)) == 77).all()
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    assert (scaled(red, config()) == 76).all()  # luma 0.299


def test_reducing_averages_and_equal_sizes_change_nothing():
    pixels = photo(16, 16, 1)
    means = pixels.reshape(8, 2, 8, 2).astype(float).mean((1, 3))
    np.testing.assert_allclose(scaled(pixels, config())[..., 0], means, atol=1.01)  # rounded twice
    assert (scaled(pixels[:8, :8], config()) == pixels[:8, :8]).all()


def test_photos_smaller_than_a_square_of_their_own_size_are_refused():
    with pytest.raises(BadImage, match=r"too small \(9x7 pixels\)"):
        scaled(photo(7, 9), config(short_side=-1))


def test_white_ink():
    paper = np.full((8, 8, 1), 250, np.uint8)
    paper[3:5, 3:5] = 0
    expected = 255 - paper
    assert (scaled(paper, config(white_ink=True)) == expected).all()
    assert (scaled(expected, config(white_ink=True)) == expected).all()
    assert (scaled(paper, config()) == paper).all()


def test_cut():
    pixels = np.arange(25).reshape(5, 5, 1)
    assert cut(pixels, 3, (0, 0))[0, 0, 0] == 0
    assert cut(pixels, 3, (0.5, 0.5))[0, 0, 0] == 6
    assert cut(pixels, 3, (0.999, 0.0))[0, 0, 0] == 10
    assert cut(pixels, 5, (0.999, 0.999)).shape == (5, 5, 1)
