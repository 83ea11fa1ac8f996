"""The door of distances: by hand on real files, what it says and writes, and what it refuses."""

import json

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.distance import cdist

from lorbms_tf import distance
from lorbms_tf.distance import PairsConfig
from lorbms_tf.distances import distance_config
from lorbms_tf.errors import UserError
from tests.distances.pictures import photo

METRICS = ("mmd_exact", "l2", "l1", "psnr", "ssim", "mmd", "mmd++")


def pixels(seed: int, height: int = 48, width: int = 48) -> np.ndarray:
    """uint8 [height, width, 3]."""
    return np.rint((photo(seed, 64)[0, :height, :width] + 1) * 127.5).astype(np.uint8)


def literal_mmd(first: np.ndarray, second: np.ndarray, sigma: float) -> float:
    """Patches of 3 px of uint8 pictures in windows of 32 px, 16 px apart, by loops in float64."""
    numbers = [
        np.pad(p.astype(float) / 127.5 - 1, ((1, 1), (1, 1), (0, 0)), "reflect")
        for p in (first, second)
    ]
    height, width, _ = first.shape
    found = []
    for top in range(0, height - 31, 16):
        for left in range(0, width - 31, 16):
            sets = [
                np.array(
                    [
                        picture[y : y + 3, x : x + 3].ravel()
                        for y in range(top, top + 32)
                        for x in range(left, left + 32)
                    ]
                )
                for picture in numbers
            ]
            same, other, between = (
                np.exp(-(cdist(a, b) ** 2) / (2 * sigma**2)).mean()
                for a, b in ((sets[0], sets[0]), (sets[1], sets[1]), sets)
            )
            found.append(same + other - 2 * between)
    return float(np.mean(found))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two folders of three good pairs, a damaged one, one of unlike sizes, two without partner."""
    root = tmp_path_factory.mktemp("pairs")
    for folder, offset in (("a", 0), ("b", 10)):
        (root / folder / "deep").mkdir(parents=True)
        for number, name in enumerate(("1.png", "2.png", "deep/3.png")):
            width = 64 if number == 2 else 48
            Image.fromarray(pixels(number + offset, width=width)).save(root / folder / name)
        Image.fromarray(pixels(5, width=40 + offset)).save(root / folder / "unlike.png")
        Image.fromarray(pixels(6)).save(root / folder / f"alone_{folder}.png")
    Image.fromarray(pixels(7)).save(root / "a" / "cut.png")
    (root / "b" / "cut.png").write_bytes((root / "a" / "cut.png").read_bytes()[:900])
    return root


@pytest.mark.parametrize("sigma", [0.6, 0.54])
def test_it_is_what_a_person_computes_by_hand(folders, sigma):
    first, second = folders / "a" / "deep" / "3.png", folders / "b" / "deep" / "3.png"
    config = PairsConfig(
        metrics=("mmd_exact", "l2"), images=str(first), others=str(second), mmd_sigma=sigma
    )
    line = json.loads(distance.json_line(config, distance.distance(config)))
    one, two = (np.asarray(Image.open(path)) for path in (first, second))
    assert line["mmd_exact"] == pytest.approx(literal_mmd(one, two, sigma), rel=1e-5)
    squared = np.square(one / 127.5 - two / 127.5).mean()
    assert line["l2"] == pytest.approx(squared, rel=1e-5)


def test_a_hardly_changed_picture_has_its_small_distance(tmp_path):
    one, two = pixels(3, 32, 32), pixels(3, 32, 32)
    two[5, 5, 1] ^= 2
    for name, picture in (("a.png", one), ("b.png", two)):
        Image.fromarray(picture).save(tmp_path / name)
    config = PairsConfig(
        metrics=("mmd_exact",), images=str(tmp_path / "a.png"), others=str(tmp_path / "b.png")
    )
    found = float(distance.distance(config)["values"]["mmd_exact"][0])
    assert 0 < found == pytest.approx(literal_mmd(one, two, 0.6), rel=0.01)


def test_folders_are_compared_by_names_and_what_cannot_be_is_counted(folders, capsys):
    config = PairsConfig(metrics=METRICS, images=str(folders / "a"), others=str(folders / "b"))
    found = distance.distance(config)
    assert found["names"] == ["1.png", "2.png", "deep/3.png"]
    assert sorted(path.name for path in found["alone"]) == ["alone_a.png", "alone_b.png"]
    assert found["skipped"] == {"corrupt or truncated": 1, "another size than its partner": 1}
    assert found["examples"]["corrupt or truncated"].endswith("cut.png")
    line = json.loads(distance.json_line(config, found))
    assert line["pairs"] == 3 and line["skipped"] == 2 and line["mmd_sigma"] == 0.6
    for name in METRICS:
        assert found["values"][name].shape == (3,)
        assert line[name] == pytest.approx(found["values"][name].mean())
    shown = distance.text(found).splitlines()
    assert [row.split()[0] for row in shown[:5]] == ["pair", "1.png", "2.png", "deep/3.png", "mean"]
    assert shown[0].split()[1:] == list(METRICS)
    for name, value in (("l2", line["l2"]), ("psnr", line["psnr"])):
        assert shown[4].split()[1 + METRICS.index(name)] == f"{value:.4g}"


def test_a_list_of_pairs_with_names_beside_it(folders):
    listed = folders / "pairs.txt"
    listed.write_text(f"a/1.png,b/1.png\n\n{folders}/a/2.png , b/2.png\na/1.png,b/none.png\n")
    found = distance.distance(PairsConfig(metrics=("l2",), pairs=str(listed)))
    assert found["names"] == ["a/1.png", f"{folders}/a/2.png"] and found["skipped"] == {
        "missing": 1
    }
    both = PairsConfig(metrics=("l2",), images=str(folders / "a"), others=str(folders / "b"))
    expected = distance.distance(both)["values"]["l2"][:2]
    np.testing.assert_allclose(found["values"]["l2"], expected)


def test_pictures_are_brought_to_a_size_where_asked(folders):
    config = PairsConfig(
        metrics=("l2", "mmd"), image_size=32, images=str(folders / "a"), others=str(folders / "b")
    )
    found = distance.distance(config)
    assert found["names"][-1] == "unlike.png" and found["skipped"] == {"corrupt or truncated": 1}


def test_equal_pictures_and_many_rows(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for number in range(25):
            Image.fromarray(pixels(1, 16, 16)).save(tmp_path / folder / f"{number:02}.png")
    config = PairsConfig(
        metrics=("psnr", "l2"), images=str(tmp_path / "a"), others=str(tmp_path / "b")
    )
    found = distance.distance(config)
    line = json.loads(distance.json_line(config, found))
    assert line["psnr"] is None and line["l2"] == 0
    shown = distance.text(found).splitlines()
    assert shown[21].startswith("... 5 more") and shown[22].split() == ["mean", "inf", "0"]
    assert shown[23].split() == ["standard", "error", "-", "0"]


@pytest.mark.parametrize(
    "names, changes, reason",
    [
        (("a/1.png", "b/unlike.png"), {}, "another size than its partner .48x48 and 50x48 px"),
        (("a/1.png", "b/cut.png"), {}, "b/cut.png: corrupt or truncated"),
        (("a/1.png", "b/none.png"), {}, "--others=.*none.png does not exist"),
        (("a/1.png", "b"), {}, "one is a folder, the other a file"),
        (("a", "empty"), {}, "no images in folder"),
        (("a", "b/deep"), {}, "no picture of the same name"),
        (("a/1.png", "b/1.png"), {"mmd_window": 64}, "smaller than --mmd_window, 64 px a side"),
        (("a/1.png", "b/1.png"), {"image_size": 64}, "smaller than --image_size"),
    ],
)
def test_pictures_that_do_not_compare_are_named(folders, names, changes, reason):
    (folders / "empty").mkdir(exist_ok=True)
    images, others = (str(folders / name) for name in names)
    with pytest.raises(UserError, match=reason):
        distance.distance(PairsConfig(images=images, others=others, metrics=("mmd",), **changes))


def test_where_nothing_is_left_one_pair_says_why(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for name in ("1.png", "2.png"):
            Image.fromarray(pixels(0, 8, 8)).save(tmp_path / folder / name)
    config = PairsConfig(metrics=("ssim",), images=str(tmp_path / "a"), others=str(tmp_path / "b"))
    with pytest.raises(UserError, match=r"smaller than ssim's window.*\(and 1 more are left out\)"):
        distance.distance(config)


@pytest.mark.parametrize(
    "given, reason",
    [
        ({}, "--images=A --others=B, or else by --pairs=FILE"),
        ({"images": "a"}, "--images and --others are required"),
        ({"images": "a", "others": "b", "pairs": "c"}, "or else by --pairs"),
        ({"pairs": "none.txt"}, "--pairs=none.txt cannot be read"),
        ({"pairs": "c", "metrics": ("lpips",)}, "no distance 'lpips'; valid names: .*ssim, psnr"),
        ({"pairs": "c", "metrics": ()}, "--metrics is empty"),
        ({"pairs": "c", "mmd_sigma": -1.0}, "--mmd_sigma=-1.0"),
        ({"pairs": "c", "image_size": -1}, "--image_size=-1"),
        ({"images": "none", "others": "none"}, "--images=none does not exist"),
    ],
)
def test_bad_flags_are_named(given, reason):
    with pytest.raises(UserError, match=reason):
        distance.distance(PairsConfig(**given))


@pytest.mark.parametrize("lines", ["a.png\n", "a.png,b.png,c.png\n", "\n"])
def test_lists_that_are_none_are_refused(tmp_path, lines):
    (tmp_path / "pairs.txt").write_text(lines)
    with pytest.raises(UserError, match="line 1 is no pair|holds no pairs"):
        distance.distance(PairsConfig(pairs=str(tmp_path / "pairs.txt")))


def test_the_names_are_those_of_the_door():
    distance_config.check_names(METRICS, "metrics", others=distance.SIMILARITIES)
    assert not set(distance.SIMILARITIES) & set(distance_config.NAMES)
