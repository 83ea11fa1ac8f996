"""The door of 2AFC on triplets whose order is known."""

import json

import numpy as np
import pytest
from PIL import Image

from lorbms_tf import two_afc
from lorbms_tf.errors import UserError
from lorbms_tf.two_afc import TwoAfcConfig
from tests.distances.pictures import photo

H = (0.0, 0.25, 0.1, 0.4)  # shares for the second picture: the first is always the nearer one


def save(path, picture) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.rint((np.clip(picture, -1, 1) + 1) * 127.5).astype(np.uint8)
    Image.fromarray(pixels).save(path)


def write(folder, first, second) -> None:
    """A set whose alternatives are functions of the reference and a random generator."""
    (folder / "judge").mkdir(parents=True)
    for number, share in enumerate(H):
        random = np.random.default_rng(number)
        reference = 0.5 * photo(number)[0]
        save(folder / "ref" / f"{number}.png", reference)
        save(folder / "p0" / f"{number}.png", first(reference, random))
        save(folder / "p1" / f"{number}.png", second(reference, random))
        np.save(folder / "judge" / f"{number}.npy", np.array([share], np.float32))


def noisy(scale):
    return lambda picture, random: picture + random.normal(scale=scale, size=picture.shape)


def brighter(picture, random):
    return picture + 0.2


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """ "noise": little and much; "shift": another brightness, and noise that is nearer in L2."""
    root = tmp_path_factory.mktemp("judged")
    write(root / "val" / "noise", noisy(0.03), noisy(0.3))
    write(root / "val" / "shift", brighter, noisy(0.15))
    return root


def test_distances_score_as_their_order_says(dataset):
    metrics = ("l2", "psnr", "ssim", "mmd_no_dc", "mmd++")
    config = TwoAfcConfig(dataset=str(dataset), metrics=metrics, batch_size=3)
    found = two_afc.two_afc(config)
    agree = 1 - np.mean(H)
    noise, shift = found["folders"]["val/noise"], found["folders"]["val/shift"]
    assert noise["triplets"] == shift["triplets"] == 4
    for name in (*metrics, "ceiling"):
        assert noise[name] == pytest.approx(agree), name
    # Only what does not see a change of brightness sides with these people against L2.
    assert shift["mmd_no_dc"] == pytest.approx(agree)
    assert shift["l2"] == shift["psnr"] == pytest.approx(1 - agree)
    assert found["mean"]["l2"] == pytest.approx(0.5)
    shares = np.array(H)
    assert noise["human"] == pytest.approx(np.mean(shares**2 + (1 - shares) ** 2))
    line = json.loads(two_afc.json_line(config, found))
    assert line["mmd_no_dc"] == pytest.approx(agree) and line["skipped"] == 0
    assert line["folders"]["val/noise"]["triplets"] == 4
    shown = two_afc.text(found).splitlines()
    assert shown[0].split() == ["2AFC", "score", "val/noise", "val/shift", "mean"]
    assert shown[1].split() == ["l2", f"{agree:.3f}", f"{1 - agree:.3f}", "0.500"]
    assert shown[-1].split() == ["triplets", "4", "4"]


def test_equal_alternatives_score_half(tmp_path):
    write(tmp_path, brighter, brighter)
    found = two_afc.two_afc(TwoAfcConfig(dataset=str(tmp_path), metrics=("l2", "mmd", "scnn")))
    assert [found["mean"][name] for name in ("l2", "mmd", "scnn")] == [0.5, 0.5, 0.5]


def test_triplets_that_cannot_be_read_are_counted(tmp_path, dataset):
    write(tmp_path, noisy(0.03), noisy(0.3))
    (tmp_path / "p0" / "0.png").write_bytes(b"no picture")
    (tmp_path / "judge" / "1.npy").unlink()
    found = two_afc.two_afc(TwoAfcConfig(dataset=str(tmp_path), metrics=("l2",)))
    assert found["skipped"] == {"not an image": 1, "missing": 1}
    assert found["folders"]["."]["triplets"] == 2
    limited = TwoAfcConfig(dataset=str(dataset), metrics=("l2",), limit=1)
    assert two_afc.two_afc(limited)["folders"]["val/noise"]["triplets"] == 1


def test_a_folder_of_which_nothing_is_left_is_an_error(dataset):
    config = TwoAfcConfig(dataset=str(dataset), metrics=("mmd",), mmd_window=64)
    with pytest.raises(UserError, match="val/noise has no triplet of use: .*--mmd_window, 64 px"):
        two_afc.two_afc(config)


@pytest.mark.parametrize(
    "given, reason",
    [
        ({}, "--dataset is required"),
        ({"dataset": "away"}, "--dataset=away does not exist"),
        ({"dataset": "x", "metrics": ()}, "--metrics is empty"),
        ({"dataset": "x", "metrics": ("human",)}, "no distance 'human'"),
        ({"dataset": "x", "batch_size": 0}, "--batch_size=0"),
        ({"dataset": "x", "limit": -1}, "--limit=-1"),
    ],
)
def test_bad_flags_are_named(given, reason):
    with pytest.raises(UserError, match=reason):
        two_afc.two_afc(TwoAfcConfig(**given))
