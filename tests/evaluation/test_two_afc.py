"""2AFC: scores by hand, and reading of folders as BAPPS has them."""

import numpy as np
import pytest
from PIL import Image

from lorbms_tf.data.images import BadImage
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation import two_afc


def test_scores_by_hand():
    first, second = np.array([1.0, 2.0, 3.0, 0.0]), np.array([2.0, 1.0, 3.0, 5.0])
    judgements = np.array([0.2, 0.2, 0.2, 1.0])
    np.testing.assert_allclose(two_afc.scores(first, second, judgements), [0.8, 0.2, 0.5, 0.0])
    np.testing.assert_allclose(two_afc.ceilings(judgements), [0.8, 0.8, 0.8, 1.0])
    np.testing.assert_allclose(two_afc.human(judgements), [0.68, 0.68, 0.68, 1.0])


def test_no_distance_scores_more_than_the_ceiling_and_people_less():
    random = np.random.default_rng(0)
    judgements = random.uniform(size=100)
    ceiling = two_afc.ceilings(judgements)
    assert (two_afc.scores(*random.normal(size=(2, 100)), judgements) <= ceiling).all()
    perfect = two_afc.scores(judgements, np.full(100, 0.5), judgements)
    np.testing.assert_allclose(perfect, ceiling)
    assert (two_afc.human(judgements) <= ceiling + 1e-12).all()


def write(folder, names=("000.png",), value=0.6, sizes=(16, 16, 16)):
    for part, size in zip(two_afc.PICTURES, sizes, strict=True):
        (folder / part).mkdir(parents=True)
        for name in names:
            Image.new("RGB", (size, 16), (255, 0, 0)).save(folder / part / name)
    (folder / "judge").mkdir()
    for name in names:
        np.save(folder / "judge" / name.replace(".png", ".npy"), np.array([value], np.float32))


def test_folders_are_found_at_any_depth(tmp_path):
    write(tmp_path / "val" / "cnn", ("000001.png", "000000.png"))
    write(tmp_path / "val" / "traditional")
    (tmp_path / "val" / "notes").mkdir()
    found = two_afc.find(str(tmp_path))
    assert {name: len(triplets) for name, triplets in found.items()} == {
        "val/cnn": 2,
        "val/traditional": 1,
    }
    triplet = found["val/cnn"][0]
    assert triplet.judge.name == "000000.npy" and triplet.pictures[2].parent.name == "p1"
    pictures, judgement = two_afc.read(triplet)
    assert pictures.shape == (3, 16, 16, 3) and judgement == pytest.approx(0.6)
    np.testing.assert_array_equal(pictures[0, 0, 0], [1, -1, -1])
    assert list(two_afc.find(str(tmp_path / "val" / "cnn"))) == ["."]


def test_hidden_folders_are_no_sets_and_links_are_followed(tmp_path):
    write(tmp_path / "else" / "cnn")
    write(tmp_path / "data" / ".ipynb_checkpoints" / "cnn")
    (tmp_path / "data" / "cnn").symlink_to(tmp_path / "else" / "cnn")
    assert list(two_afc.find(str(tmp_path / "data"))) == ["cnn"]


def test_a_distance_that_is_no_number_chooses_nothing():
    values = np.array([1.0, np.nan, np.inf])
    with pytest.raises(ValueError, match="the distances of 1 of 3 triplets are NaN"):
        two_afc.scores(values, np.ones(3), np.ones(3))


@pytest.mark.parametrize(
    "value, reason",
    [
        (np.array([0.5, 0.5]), "not one number"),
        (np.array(1.5), "1.5 is no share"),
        (np.array(np.nan), "nan is no share"),
        (np.array(["yes"]), "not one number"),
        (None, "missing"),
        (b"\x93NUMPY", "no judgement"),
    ],
)
def test_judgements_of_something_else_are_refused(tmp_path, value, reason):
    path = tmp_path / "0.npy"
    if isinstance(value, bytes):
        path.write_bytes(value)
    elif value is not None:
        np.save(path, value)
    with pytest.raises(BadImage, match=reason):
        two_afc.read_judgement(path)


def test_a_judgement_may_be_a_bare_number_or_of_any_shape(tmp_path):
    for value in (np.float64(0.25), np.array([[0.25]], np.float32)):
        np.save(tmp_path / "0.npy", value)
        assert two_afc.read_judgement(tmp_path / "0.npy") == 0.25


def test_pictures_of_unlike_sizes_and_missing_ones(tmp_path):
    write(tmp_path, sizes=(16, 16, 20))
    triplet = two_afc.find(str(tmp_path))["."][0]
    with pytest.raises(BadImage, match="another size"):
        two_afc.read(triplet)
    triplet.pictures[1].unlink()
    with pytest.raises(BadImage, match="p0.*missing"):
        two_afc.read(triplet)


def test_a_folder_without_sets_is_refused(tmp_path):
    with pytest.raises(UserError, match="ref, p0, p1 and judge"):
        two_afc.find(str(tmp_path))
    with pytest.raises(UserError, match="does not exist"):
        two_afc.find(str(tmp_path / "away"))
