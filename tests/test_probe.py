"""The whole way of a probe, on STL-10 of a few images."""

import json
from pathlib import Path

import numpy as np
import pytest

from lorbms_tf import probe
from lorbms_tf.errors import UserError
from lorbms_tf.networks import weights_files
from lorbms_tf.networks.discriminator import Discriminator
from lorbms_tf.probing import linear, results, running
from lorbms_tf.probing.settings import ProbeConfig
from tests import tiny
from tests.probing import making

SMALL = {"widths": (2, 3), "image_size": 32}  # 4x4x3 at 16 px


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return making.write_stl10(tmp_path_factory.mktemp("stl10"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "d.weights.h5"
    weights_files.write(Discriminator(**SMALL, seed=8), path, "discriminator")
    return str(path)


@pytest.fixture(autouse=True)
def eagerly():
    with tiny.eagerly():
        yield


def config(folder, weights, **given):
    values = {"dataset": f"stl10:{folder}", "features": "discriminator", "weights": weights}
    return ProbeConfig(**{**values, "image_size": 16, "epochs": 2, "batch_size": 4, **given})


def run(*args, **given):
    return running.Probe(config(*args, **given)).run()


@pytest.fixture
def trained_runs(monkeypatch):
    """The labels of the runs that are trained."""
    labels, train = [], linear.train

    def counted(made, part, places, settings, seed, label, *rest):
        labels.append((label, len(places)))
        train(made, part, places, settings, seed, label, *rest)

    monkeypatch.setattr(linear, "train", counted)
    return labels


def test_all_folds_and_the_baseline_beside_and_nothing_twice(
    folder, weights, tmp_path, trained_runs
):
    out = tmp_path / "r.jsonl"
    lines = run(folder, weights, out=str(out))
    assert [(line["weights"], line["fold"], line["seed"]) for line in lines] == [
        (weights, 0, 0), (weights, 1, 0), ("random", 0, 0), ("random", 1, 0),
    ]  # fmt: skip
    for line in lines:
        assert line["classifier_parameters"] == 10 * (4 * 4 * 3 + 1)
        assert (line["train_images"], line["test_images"]) == (4, 10)
        assert 0 <= line["accuracy"] <= 1 and not line["finetuned"]
        assert line["protocol"]["augmentation"] == "fresh in each epoch"
    assert len(trained_runs) == 4 and trained_runs[0] == (
        f"discriminator, {weights}, fold 0, seed 0",
        4,
    )
    assert results.read(str(out), "out") == lines
    assert run(folder, weights, out=str(out)) == lines and len(trained_runs) == 4
    out.write_text("".join(out.read_text().splitlines(True)[:3]))  # as a kill leaves it
    again = run(folder, weights, out=str(out))
    assert len(trained_runs) == 5
    assert [line["accuracy"] for line in again] == [line["accuracy"] for line in lines]
    more = run(folder, weights, out=str(out), folds="1", seeds=2, baseline=False)
    assert [(line["fold"], line["seed"]) for line in more] == [(1, 0), (1, 1)]
    assert len(trained_runs) == 6
    with pytest.raises(UserError, match="another protocol .epochs: 2, 3"):
        run(folder, weights, out=str(out), epochs=3)
    assert [path.name for path in tmp_path.iterdir()] == ["r.jsonl"]  # no states are left


def test_colours_are_told_apart_by_fixed_views_and_neighbours(tmp_path, weights):
    folder = making.write_folders(tmp_path, train=6)
    given = {"dataset": f"folders:{folder}", "baseline": False}
    (line,) = run(folder, weights, **given, views=2, epochs=20, learning_rate=0.1)
    assert line["accuracy"] == 1.0 and line["fold"] is None
    assert line["protocol"]["augmentation"] == "2 fixed views"
    (line,) = run(folder, weights, **given, probe="knn", k=5)
    assert line["accuracy"] == 1.0 and line["classifier_parameters"] == 0
    assert line["protocol"]["k"] == 5 and "epochs" not in line["protocol"]
    assert "standardized" not in line["protocol"]
    (line,) = run(folder, weights, **given, probe="knn", k=5, standardize=True)
    assert line["accuracy"] == 1.0 and line["protocol"]["standardized"]


def test_several_classes_an_image(tmp_path, weights):
    unknown = [("cat", 0), ("dog", 1)]
    making.write_voc(tmp_path, "train", {"a": [("dog", 0)], "b": [("cat", 0)], "e": unknown})
    making.write_voc(tmp_path, "val", {"c": [("dog", 0)], "d": [("cat", 0)]})
    for name in "bde":  # the cats are red, or nothing but rounding would order the test photos
        making.write_photo(tmp_path / "JPEGImages" / f"{name}.jpg", (199, 9, 9))
    given = {"dataset": f"voc:{tmp_path}", "baseline": False, "epochs": 20, "learning_rate": 0.1}
    for probed in ("linear", "knn"):
        (line,) = run(tmp_path, weights, **given, probe=probed, k=1)
        assert line["mean_average_precision"] == 1.0 and "accuracy" not in line
        assert line["classifier_parameters"] in (2 * (4 * 4 * 3 + 1), 0)


def test_photos_that_look_alike_share_a_place(tmp_path, weights):
    making.write_voc(tmp_path, "train", {"a": [("dog", 0)], "b": [("cat", 0), ("dog", 1)]})
    making.write_voc(tmp_path, "val", {"c": [("dog", 0), ("cat", 0)], "d": [("cat", 0)]})
    given = {"dataset": f"voc:{tmp_path}", "baseline": False}
    (line,) = run(tmp_path, weights, **given, probe="knn", k=1)
    # All of the cats are right, and the dog is one of two.
    assert line["mean_average_precision"] == (1 + 1 / 2) / 2
    assert line["protocol"]["equal_scores"] == "together"


def test_supervised_pretraining_writes_what_a_probe_reads(folder, weights, tmp_path, trained_runs):
    made = str(tmp_path / "trained.weights.h5")
    out = str(tmp_path / "pretraining.jsonl")
    given = {
        "finetune": True,
        "folds": "whole",
        "save_network": made,
        "baseline": False,
        "out": out,
    }
    (line,) = run(folder, weights, **given)
    assert line["finetuned"] and line["train_images"] == 20
    (frozen,) = run(folder, made, folds="0", baseline=False, epochs=1)
    assert frozen["weights"] == made and not frozen["finetuned"]
    before, after = Discriminator(**SMALL, seed=8), Discriminator(**SMALL)
    weights_files.load(after, made, "d")
    assert not np.array_equal(before.get_weights()[0], after.get_weights()[0])
    count = len(trained_runs)
    assert run(folder, weights, **given) == [line] and len(trained_runs) == count
    Path(made).unlink()
    run(folder, weights, **given)  # the result alone is not enough
    assert Path(made).is_file() and len(trained_runs) == count + 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"folds": "2"}, r"--folds=2: .* has no fold 2; valid: 0 to 1"),
        (
            {"save_network": "a.weights.h5", "finetune": True},
            "single run, these are 2: --folds=whole",
        ),
        ({"save_network": "a.h5", "finetune": True}, "--save_network=a.h5 .*must end in .weights"),
        ({"probe": "knn", "k": 5}, "--k=5 is more than there are images to learn from: 4"),
    ],
)
def test_flags_that_do_not_fit_the_data(folder, weights, given, message):
    with pytest.raises(UserError, match=message):
        run(folder, weights, **given)


def test_views_that_do_not_fit_into_memory(folder, weights, monkeypatch):
    monkeypatch.setattr(running, "MOST_VIEWED", 2 * 20 * 48 * 4 - 1)
    with pytest.raises(UserError, match="--views=2 of 20 images take .* GiB"):
        run(folder, weights, views=2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"features": "decoder"}, "--features=decoder is not valid; valid values: encoder, "),
        ({"features": "alexnet:conv6"}, "alexnet:conv5, .*saved_model:DIR"),
        ({"dataset": ""}, "--dataset is required"),
        ({"run_dir": "r", "weights": "w"}, "--run_dir and --weights"),
        ({"features": "alexnet:conv5", "run_dir": "r"}, "pass --weights"),
        ({"features": "saved_model:d", "weights": "w"}, "no --run_dir, no --weights"),
        ({"features": "saved_model:d", "finetune": True}, "cannot be trained"),
        ({"finetune": True, "views": 2}, "without --views"),
        ({"finetune": True, "probe": "knn"}, "--probe=linear"),
        ({"finetune": True, "standardize": True}, "for frozen features"),
        ({"save_network": "w"}, "needs --finetune"),
        ({"folds": "1,01"}, "--folds=1,01 is not valid"),
        ({"views": 1024}, "--views=1024"),
        ({"folds": "1,b"}, "--folds=1,b is not valid: own, whole"),
        ({"epochs": 0}, "--epochs=0"),
        ({"learning_rate": float("nan")}, "--learning_rate=nan"),
    ],
)
def test_flags_that_do_not_fit_each_other(given, message):
    with pytest.raises(UserError, match=message):
        ProbeConfig(**{"dataset": "stl10:x", **given}).validate()


def test_the_command_prints_table_and_lines(folder, weights, monkeypatch, capsys):
    given = config(folder, weights, probe="knn", k=1)
    monkeypatch.setattr(probe.flags, "read", lambda _: given)
    probe.main(["probe"])
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].endswith("10 classes, 20 images to learn from, 10 to test on")
    assert printed[1].startswith("protocol: probe knn, dataset stl10")
    assert [line.split()[0] for line in printed[2:5]] == ["features", *["discriminator"] * 2]
    assert [json.loads(line)["fold"] for line in printed[5:]] == [0, 1, 0, 1]


def test_the_command_prints_the_table_of_a_file(tmp_path, monkeypatch, capsys):
    line = {
        "features": "encoder", "weights": "w", "weights_sha256": "0", "finetuned": False, "fold": 0,
        "seed": 0, "accuracy": 0.5, "classifier_parameters": 11,
    }  # fmt: skip
    path = str(tmp_path / "r.jsonl")
    results.Results(path, {"epochs": 1}).add(line)
    monkeypatch.setattr(probe.flags, "read", lambda _: ProbeConfig(table=path))
    probe.main(["probe"])
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "protocol: epochs 1" and printed[2].split()[:5] == [
        "encoder", "w", "frozen", "50.0", "%",
    ]  # fmt: skip
    with open(path, "a") as file:
        file.write(json.dumps({**line, "protocol": {"epochs": 2}}) + "\n")
    with pytest.raises(UserError, match="line 2 was measured by another protocol .epochs: 2, 1"):
        probe.main(["probe"])
