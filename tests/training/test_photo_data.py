import itertools
from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lorbms_tf.data import fingerprint
from lorbms_tf.data.photos_config import PhotosConfig
from lorbms_tf.errors import UserError
from lorbms_tf.training.method import Share
from lorbms_tf.training.photo_data import PhotoData
from lorbms_tf.training.run_config import RunConfig

ONE = Share()
COUNT = 11  # photos; grey level 10 * n, class n % 2


@dataclass(frozen=True, kw_only=True)
class Config(RunConfig, PhotosConfig):
    pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photos that are 4 pixels wider than they are high."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(COUNT):
        path = folder / "ab"[number % 2] / f"{number:02d}.png"
        path.parent.mkdir(exist_ok=True)
        ramp = np.full((8, 12), 10 * number, np.uint8) + np.arange(12, dtype=np.uint8) % 10
        Image.fromarray(ramp).save(path)
    return folder


def config(folder, **changes):
    settings = {"image_size": 8, "channels": 1, "batch_size": 4, "crop": "random", "flip": True}
    return Config(photos=str(folder), **{**settings, "seed": 5, **changes})


def batches(data, first, count, share=ONE):
    return list(data.training(first, share).take(count).as_numpy_iterator())


def arrays(batches):
    return [{name: tensor.numpy() for name, tensor in batch.items()} for batch in batches]


def same(first, second):
    for one, other in zip(first, second, strict=True):
        assert (one["image"] == other["image"]).all() and (one["label"] == other["label"]).all()


def numbers(batch):
    return ((batch["image"].min((1, 2, 3)) * 127.5 + 127.5).round() // 10).astype(int).tolist()


def test_batches(folder):
    data = PhotoData(config(folder))
    assert data.steps_per_epoch == 2 and data.description() == "11 photos of 2 classes"
    found = batches(data, 0, 4)
    for batch in found:
        assert batch["image"].shape == (4, 8, 8, 1) and batch["image"].dtype == np.float32
        assert batch["label"].dtype == np.int32
        assert batch["label"].tolist() == [n % 2 for n in numbers(batch)]
        assert np.abs(batch["image"]).max() <= 1
    for epoch in (found[:2], found[2:]):
        assert len({n for batch in epoch for n in numbers(batch)}) == 8  # each at most once
    assert numbers(found[0]) != numbers(found[2])  # another order
    steps = {tuple(np.diff(image[0, :, 0]) > 0) for batch in found for image in batch["image"]}
    assert len(steps) > 4  # cut at several places and mirrored


def test_a_step_follows_from_seed_and_number_alone(folder):
    whole = batches(PhotoData(config(folder)), 0, 5)
    same(whole[3:], batches(PhotoData(config(folder)), 3, 2))  # in the middle of an epoch
    other = batches(PhotoData(config(folder, seed=6)), 0, 1)
    assert not (whole[0]["image"] == other[0]["image"]).all()


def test_memory_changes_nothing(folder, monkeypatch):
    kept = batches(PhotoData(config(folder)), 0, 5)
    monkeypatch.setattr("lorbms_tf.data.photos.MOST_IN_MEMORY", 0)
    same(kept, batches(PhotoData(config(folder)), 0, 5))


@pytest.mark.parametrize("workers", [1, 2])
def test_devices_and_workers_see_together_what_one_sees(folder, workers):
    devices, local = 4, 4 // workers
    whole = batches(PhotoData(config(folder)), 1, 2)
    shares = [
        batches(PhotoData(config(folder)), 1, 2 * local, Share(devices, worker, workers))
        for worker in range(workers)
    ]
    for step, batch in enumerate(whole):
        parts = [part for own in shares for part in own[step * local : (step + 1) * local]]
        assert all(len(part["label"]) == 1 for part in parts)
        for key in ("image", "label"):
            assert (np.concatenate([part[key] for part in parts]) == batch[key]).all()


def test_held_out_batches_draw_nothing(folder):
    data = PhotoData(config(folder, eval_photos=str(folder)))
    again = data.held_out(4)
    first, second = arrays(again()), arrays(again())
    assert len(again()) == 3 and [len(batch["label"]) for batch in first] == [4, 4, 3]
    same(first, second)
    images = np.concatenate([batch["image"] for batch in first])
    # Class a holds the even numbers and comes first; the center begins at column 2.
    values = np.round(images[:, 0, 0, 0] * 127.5 + 127.5).astype(int)
    assert values.tolist() == [10 * n + 2 for n in (*range(0, 11, 2), *range(1, 11, 2))]
    limited = data.held_out(4, 5)
    assert len(limited()) == 2 and [len(b["label"]) for b in limited()] == [4, 1]


def test_what_it_says_of_itself(folder, tmp_path):
    data = PhotoData(config(folder))
    assert data.notes(config(folder), 9) == [
        "no --eval_photos: the sample pictures show training photos"
    ]
    assert data.held_out_flags() == {"photos": str(folder)}
    assert data.held_out_fingerprint() == data.fingerprint and data.summary() == ""
    held_out = config(folder, eval_photos="keras:mnist")
    assert PhotoData(held_out).notes(held_out, 9) == []
    assert PhotoData(held_out).held_out_flags() == {"photos": "keras:mnist:test"}


def test_other_photos_are_told_apart(folder):
    before = PhotoData(config(folder)).fingerprint
    after = PhotoData(config(folder / "a")).fingerprint
    assert fingerprint.differences(before, before) == []
    assert fingerprint.differences(before, after)


def test_labels_of_held_out_photos_follow_those_of_training(folder, tmp_path):
    for name in "bc":
        (tmp_path / name).mkdir()
        Image.new("L", (8, 8)).save(tmp_path / name / "x.png")
    data = PhotoData(config(folder, eval_photos=str(tmp_path)))
    assert data.classes == ("a", "b", "c")
    assert [batch["label"].numpy().tolist() for batch in data.held_out(4)()] == [[1, 2]]


def test_too_few_photos(folder):
    with pytest.raises(UserError, match="holds 11 photos, fewer than --batch_size=12"):
        _ = PhotoData(config(folder, batch_size=12)).steps_per_epoch


def test_photos_that_are_gone_while_training(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("lorbms_tf.data.photos.MOST_IN_MEMORY", 0)
    for number in range(4):
        Image.new("L", (8, 8), number).save(tmp_path / f"{number}.png")
    data = PhotoData(config(tmp_path, batch_size=2))
    assert data.steps_per_epoch == 2
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(UserError, match=r"4 of 4 photos cannot be used .* 4 missing \(as "):
        list(itertools.islice(data.checked(data.training(0, Share())), 1))
    assert data.summary().startswith("4 of 4")


def test_other_faults_keep_their_kind(folder):
    def fail(number):
        raise KeyError("ours")

    broken = tf.data.Dataset.range(1).map(
        lambda number: tf.numpy_function(fail, [number], tf.int64)
    )
    with pytest.raises(tf.errors.OpError):
        list(PhotoData(config(folder)).checked(broken))
