import numpy as np
import pytest

from lorbms_tf.errors import UserError
from tfrecords_tools import versions
from tfrecords_tools.versions import VERSIONS, crop_place, make, parse

CROPS = [(name, version.scale) for name, version in VERSIONS.items() if version.scale]


def gradient(height, width):
    """A photo whose red is the row and whose green is the column (below 256 of each)."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows, columns, np.full_like(rows, 7)], axis=-1).astype(np.uint8)


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def test_the_sets_of_the_thesis():
    assert parse("tr_v4") == ("original", "flip")
    assert parse("tr_v5") == ("original", "flip", "crop_0.6", "flip_crop_0.7", "flip_crop_0.9")
    assert parse("tr_v6") == parse("te_v2") == ("original",)


def test_names_are_given_once_and_in_a_fixed_order():
    assert parse("flip, original,flip") == ("original", "flip")
    assert parse("crop_0.6,tr_v4") == ("original", "flip", "crop_0.6")


@pytest.mark.parametrize("text", ["", "orignal", "original,", "tr_v7", "crop_0.5"])
def test_unknown_versions_are_answered_with_the_valid_ones(text):
    with pytest.raises(UserError) as error:
        parse(text)
    message = str(error.value)
    assert "--versions" in message and "tr_v5" in message
    assert all(name in message for name in VERSIONS)


def test_original_is_the_central_square():
    image = make(gradient(60, 100), "original", "a", seed=0, image_size=60)
    np.testing.assert_array_equal(image, gradient(60, 100)[:, 20:80])


def test_original_is_averaged_by_area():
    photo = noise(40, 40)
    image = make(photo, "original", "a", seed=0, image_size=10)
    mean = photo.reshape(10, 4, 10, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(image, mean, atol=1)  # Pillow rounds after each of two passes


@pytest.mark.parametrize("size", [(60, 101), (61, 100), (50, 50), (64, 64)])
def test_flip_is_the_exact_mirror_of_original(size):
    photo = noise(*size)
    original = make(photo, "original", "a", seed=3, image_size=32)
    flip = make(photo, "flip", "a", seed=3, image_size=32)
    np.testing.assert_array_equal(flip, original[:, ::-1])


@pytest.mark.parametrize(("name", "scale"), CROPS)
def test_crops_lie_inside_and_have_their_scale(name, scale):
    tops, lefts = [], []
    for i in range(200):
        top, left, side = crop_place(60, 100, name, f"photo {i}", seed=1)
        assert side == round(scale * 60)
        assert 0 <= top <= 60 - side and 0 <= left <= 100 - side
        tops.append(top)
        lefts.append(left)
    # Anywhere in the photo, from border to border.
    assert min(tops) == 0 and max(tops) == 60 - side
    assert min(lefts) <= 3 and max(lefts) >= 100 - side - 3
    assert abs(np.mean(lefts) - (100 - side) / 2) < 8


@pytest.mark.parametrize(("name", "scale"), CROPS)
def test_the_pixels_are_those_of_the_place(name, scale):
    top, left, side = crop_place(60, 100, name, "a", seed=5)
    image = make(gradient(60, 100), name, "a", seed=5, image_size=side).astype(int)
    columns = left + np.arange(side)
    if VERSIONS[name].mirrored:
        columns = columns[::-1]
    np.testing.assert_array_equal(image[:, :, 0], (top + np.arange(side))[:, None].repeat(side, 1))
    np.testing.assert_array_equal(image[:, :, 1], columns[None].repeat(side, 0))


def test_the_place_is_fixed_for_ever():
    # Records that were built once must be built again the same, by every later version.
    assert crop_place(480, 640, "crop_0.6", "139", seed=1) == (86, 15, 288)
    assert crop_place(480, 640, "flip_crop_0.9", "a/b.jpg", seed=0) == (38, 34, 432)


def test_the_place_depends_on_seed_photo_and_version():
    def place(version="crop_0.6", photo_id="1", seed=0):
        return crop_place(1000, 1000, version, photo_id, seed)[:2]

    places = {place(), place(seed=1), place(photo_id="2"), place("flip_crop_0.7")}
    assert len(places) == 4
    assert place() == place()


def test_the_crop_is_the_same_at_every_size():
    photo = np.repeat(np.repeat(noise(30, 30), 2, axis=0), 2, axis=1)[:, :58]
    small = make(photo, "crop_0.6", "a", seed=0, image_size=7)
    large = make(photo, "crop_0.6", "a", seed=0, image_size=35)
    mean = large.reshape(7, 5, 7, 5, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(small, mean, atol=2)


@pytest.mark.parametrize("name", VERSIONS)
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (3, 2)])
def test_tiny_photos_do_not_fail(name, size):
    image = make(noise(*size), name, "a", seed=0, image_size=8)
    assert image.shape == (8, 8, 3) and image.dtype == np.uint8
    assert image.flags.c_contiguous


def test_an_unknown_version_is_an_error():
    with pytest.raises(ValueError, match="crop_0.6"):
        make(noise(8, 8), "rotated", "a", seed=0, image_size=8)


def test_every_version_of_a_set_exists():
    assert all(name in VERSIONS for names in versions.SETS.values() for name in names)
