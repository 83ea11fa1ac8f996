import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lorbms_tf.data.images import to_float
from lorbms_tf.distances.distance_config import DistanceConfig
from lorbms_tf.errors import UserError
from lorbms_tf.perceptual import enlargement_scores, scores, sheets, upscaling, whole_photos
from tests.perceptual import making

BOTH = ("psnr", "psnr_bicubic", "ssim", "ssim_bicubic", "swd_paired", "swd_paired_bicubic")


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos") / "p"
    making.write_photos(folder, 2, 37, 50)
    Image.fromarray(making.photo(7, 41, 33)[..., 0]).save(folder / "z_grey.png")
    return whole_photos.photos(str(folder))


def nearest(small):
    return small.repeat(4, axis=0).repeat(4, axis=1)


@pytest.fixture(scope="module")
def made(given):
    return list(whole_photos.enlargements(given, {"nearest": nearest}))


def test_photos_are_cropped_to_multiples_of_four(given):
    assert [photo.shape for _, photo in given] == [(36, 48, 3)] * 2 + [(40, 32, 3)]
    np.testing.assert_array_equal(given[0][1], making.photo(0, 37, 50)[:36, :48])
    grey = given[2][1]
    assert (grey[..., 0] == grey[..., 2]).all()


def test_of_each_photo_there_is_a_small_one_and_what_was_made_of_it(made):
    for one in made:
        assert one.small.shape == (one.photo.shape[0] // 4, one.photo.shape[1] // 4, 3)
        assert list(one.made) == ["bicubic", "nearest"]
        assert {image.shape for image in one.made.values()} == {one.photo.shape}


def test_a_perfect_model_scores_best(given):
    answers = {photo[:4, :4].tobytes(): photo for _, photo in given}
    photos = iter([photo for _, photo in given])
    made = list(whole_photos.enlargements(given, {"perfect": lambda small: next(photos)}))
    assert len(answers) == 3
    values = enlargement_scores.scores(made, (*BOTH, "l2", "l2_bicubic"), DistanceConfig())
    assert values["psnr"] == np.inf and values["ssim"] == 1.0
    assert values["swd_paired"] == values["l2"] == 0.0
    assert 5 < values["psnr_bicubic"] < 30 and values["ssim_bicubic"] < 0.9
    assert values["swd_paired_bicubic"] > 1 and values["l2_bicubic"] > 0.001


def test_scores_leave_colour_and_border_out():
    image = to_float(making.photo(0, 32, 32))[None]
    changed = image.copy()
    changed[:, :4] *= -1
    changed[:, :, -4:] *= -1
    assert scores.luma_psnr(image, changed)[0] == np.inf
    changed[:, 16, 16] *= -1
    assert scores.luma_psnr(image, changed)[0] < np.inf
    # Luma is in 16 to 235: one level of grey is 219 / 255 of one level of luma.
    lighter = image * 0.5 + 2 / 255
    wanted = 20 * np.log10(255 / (219 / 255))
    assert scores.luma_psnr(image * 0.5, lighter)[0] == pytest.approx(wanted, abs=1e-3)


def test_squares_have_the_largest_side_that_fits_all():
    sizes = ((40, 70), (33, 64), (127, 80))
    assert enlargement_scores.common_side([np.zeros((*s, 3), np.uint8) for s in sizes]) == 32
    with pytest.raises(UserError, match="swd_paired needs photos of 16 pixels"):
        enlargement_scores.common_side([np.zeros((15, 90, 3), np.uint8)])


def test_names_of_scores():
    enlargement_scores.check(("psnr", "mmd++_bicubic", "taps:vgg16:conv1_1"))
    assert enlargement_scores.score("ssim_bicubic").higher_is_better is True
    assert enlargement_scores.score("mmd").higher_is_better is False
    assert enlargement_scores.score("psnr").shown(28.43) == "28.43 dB"
    with pytest.raises(UserError, match="no metric 'fid'; valid names: psnr, ssim, swd_paired"):
        enlargement_scores.check(("psnr", "fid"))


def test_photos_that_cannot_be_used(tmp_path):
    with pytest.raises(UserError, match="--photos is required"):
        whole_photos.photos("")
    small = making.write_photos(tmp_path / "small", 1, 19, 60)
    with pytest.raises(UserError, match="1 of 1 photos cannot be used.* too small .*photo0.png"):
        whole_photos.photos(small)


def test_photos_that_cannot_be_used_do_not_cost_the_others(tmp_path, capsys):
    folder = tmp_path / "a, b"
    making.write_photos(folder, 2)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    found = whole_photos.photos(str(folder))
    assert [name.rpartition("/")[2] for name, _ in found] == ["photo0.png", "photo1.png"]
    assert "1 of 3 photos cannot be used" in capsys.readouterr().err
    assert len(whole_photos.photos(str(folder), limit=1)) == 1


def test_a_model_that_makes_no_numbers_is_refused():
    upscale = whole_photos.upscaler(lambda images: tf.repeat(images * np.nan, 4, axis=1))
    with pytest.raises(UserError, match="1 of 1 pictures that the model makes are not finite"):
        upscale(np.zeros((8, 8, 3), np.uint8))


def test_sheets_draw_a_column_a_model(made):
    drawn = upscaling.sheet(made, side=16, cell=32)
    assert drawn.width > 3 * 32 and drawn.convert("L").getextrema()[1] > 0
    images = to_float(np.stack([one.photo for one in made[:2]]))
    broken = np.full_like(images, np.nan)
    sheet = sheets.enlargements(images, images[:, ::4, ::4], {"broken": np.nan_to_num(broken)})
    assert sheet.height > 2 * 192
