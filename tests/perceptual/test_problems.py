import numpy as np
import pytest
from PIL import Image

from lorbms_tf.data.images import to_uint8
from lorbms_tf.errors import UserError
from lorbms_tf.perceptual import problems
from tests.perceptual import making


def spatial(folder, **changes):
    values = {"count": 2, "image_size": 32, "short_side": 48, "shift": 4, "seed": 0}
    return problems.spatial(str(folder), **{**values, **changes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return making.write_photos(tmp_path_factory.mktemp("photos") / "p", 3)


def test_targets_are_crops_within_the_shift_of_the_centre(folder):
    given = spatial(folder)
    targets = to_uint8(given.targets(1, 12))
    assert targets.shape == (12, 32, 32, 3)
    photo = np.asarray(Image.open(f"{folder}/{given.name(1)}"))
    windows = np.lib.stride_tricks.sliding_window_view(photo, (32, 32), axis=(0, 1))
    windows = windows.transpose(0, 1, 3, 4, 2)
    places = []
    for target in targets:
        places += np.argwhere((windows == target).all(axis=(2, 3, 4))).tolist()
    assert len(places) == 12
    assert np.abs(np.array(places) - [8, 12]).max() <= 4
    assert len(np.unique(places, axis=0)) > 5


def test_problems_follow_from_seed_and_number(folder):
    one, same, other = spatial(folder), spatial(folder), spatial(folder, seed=1)
    np.testing.assert_array_equal(one.targets(0, 4), same.targets(0, 4))
    assert one.name(0) != one.name(1)
    assert not np.array_equal(one.targets(0, 4), other.targets(0, 4))


def test_the_short_side_is_resized_first(folder):
    assert spatial(folder, short_side=40).targets(0, 2).shape == (2, 32, 32, 3)
    assert spatial(folder, short_side=90, image_size=64).targets(0, 2).shape == (2, 64, 64, 3)


def test_without_a_shift_all_targets_are_alike(folder):
    targets = spatial(folder, shift=0).targets(0, 3)
    np.testing.assert_array_equal(targets[0], targets[2])


def test_photos_that_cannot_be_used(folder, tmp_path):
    with pytest.raises(UserError, match=r"--short_side=39 is too small.* at least 40"):
        spatial(folder, short_side=39)
    with pytest.raises(UserError, match="has 3 photos, fewer than --num_problems=4"):
        spatial(folder, count=4)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(UserError, match="0 photos of use.*=1: 1 of 1 .*truncated.*broken.png"):
        spatial(tmp_path, count=1)


def test_photos_that_cannot_be_read_are_no_problems(tmp_path, capsys):
    folder = tmp_path / "p"
    making.write_photos(folder, 3)
    for number in range(6):
        (folder / f"empty{number}.jpg").write_bytes(b"")
    given = [spatial(folder, count=3, seed=seed) for seed in range(4)]
    for one in given:
        assert sorted(map(one.name, range(3))) == ["photo0.png", "photo1.png", "photo2.png"]
    assert "photos cannot be used and are left out" in capsys.readouterr().err
    assert given[1].name(0) == spatial(folder, count=1, seed=1).name(0)


def generator(decode, code=(2, 2, 5), **changes):
    middle = lambda number, rng: rng.standard_normal(code).astype(np.float32)  # noqa: E731
    return problems.Generator(decode, middle, **{"image_size": 16, **changes})


def flat(codes):
    first = codes.reshape(len(codes), -1)[:, :1, None, None]
    return np.broadcast_to(first / 9, (len(codes), 32, 32, 3))


def test_codes_lie_around_one_code_at_its_distance():
    given = generator(flat, code=(50, 20))
    codes = given.codes(3, 400).reshape(400, -1)
    lengths = np.linalg.norm(codes, axis=1)
    np.testing.assert_allclose(lengths, lengths[0], rtol=1e-5)
    middle = codes.mean(axis=0)
    spread = np.square(codes - middle).mean() / np.square(middle).mean()
    assert 0.03 < spread < 0.05
    np.testing.assert_array_equal(given.codes(3, 9), generator(flat, code=(50, 20)).codes(3, 9))
    assert not np.allclose(given.codes(3, 9), given.codes(4, 9))


def test_noise_is_in_proportion_to_the_code():
    small = generator(flat, code=(400,))
    large = problems.Generator(flat, lambda n, rng: 10 * small.middle(n, rng), 16)
    np.testing.assert_allclose(large.codes(0, 5), 10 * small.codes(0, 5), rtol=1e-3, atol=1e-4)


def test_pictures_come_to_the_size():
    targets = generator(flat).targets(0, 4)
    assert targets.shape == (4, 16, 16, 3) and targets.std() > 0
    assert generator(flat, image_size=32).targets(0, 4).shape == (4, 32, 32, 3)


def test_a_generator_that_is_broken():
    with pytest.raises(UserError, match="not finite"):
        generator(lambda codes: np.full((len(codes), 32, 32, 3), np.nan)).targets(0, 2)
