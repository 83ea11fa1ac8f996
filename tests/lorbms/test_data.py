"""What the records of a run tell of it: tau, and what to know before it starts."""

import dataclasses
import json
import re

import numpy as np
import pytest

from lorbms_tf.cli import settings
from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms import data
from lorbms_tf.lorbms.signs import never_mixed
from lorbms_tf.training.method import Share
from tests import tiny


def shard(folder, quantiles) -> str:
    (folder / "dataset.json").write_text(json.dumps({"distance_quantiles": quantiles}))
    return str(records.shard_path(folder, "a", 0, 1))


@pytest.mark.parametrize(
    "quantile, tau", [(0.0, 1.0), (0.5, 3.0), (0.25, 2.0), (0.75, 6.5), (1.0, 10.0)]
)
def test_tau_from_a_quantile(tmp_path, quantile, tau):
    path = shard(tmp_path, {"0.0": 1, "0.5": 3, "1.0": 10})
    assert data.tau_at(quantile, [path]) == pytest.approx(tau)


def test_tau_beyond_all_distances_is_warned_of(tmp_path):
    path = shard(tmp_path, {"0": 3, "1": 9})
    assert "--tau=2 lies outside" in data.tau_warning(2.0, [path])
    assert data.tau_warning(5.0, [path]) == ""


def test_quantiles_of_two_folders_are_not_mixed(tmp_path):
    shards = [str(tmp_path / name / "a.tfrecord") for name in ("one", "two")]
    with pytest.raises(UserError, match="one folder"):
        data.tau_at(0.5, shards)


@pytest.mark.parametrize(
    ("alone", "note", "caution"),
    [
        (0, "", ""),
        (5, "steps 1 to 5 train .* as an autoencoder .AE in .*; the 1 steps after them mix", ""),
        (6, "warning: all 6 steps .* never to mix", "caution: all 6 steps .* never learned to mix"),
        (9, "warning: all 6 steps .* never to mix", "caution: all 6 steps .* never learned to mix"),
    ],
)
def test_steps_without_mixing_are_told_of(alone, note, caution):
    config = dataclasses.replace(tiny.config(), autoencoder_steps=alone)
    assert re.fullmatch(f"{note}.*" if note else "", data.autoencoder_note(config, 6))
    assert re.fullmatch(f"{caution}.*" if caution else "", never_mixed(config, 6))


def a_curriculum(folder, **changes):
    """Two sets of records, of 4 and 6 noisy scenes, the second from step 3 on."""
    first = tiny.write_records(folder / "a", 4, draw=tiny.noise)
    second = tiny.write_records(folder / "b", 6, draw=lambda n, size: tiny.noise(n + 9999, size))
    settings = {"records": first, "stages": (f"3:{second}",), "batch_size": 2, "seed": 5}
    return data.Records(tiny.config(**{**settings, **changes}))


def steps(made, first, count, share=None):
    batches = made.training(first, share or Share()).take(count)
    return [batch["reference"].numpy() for batch in batches]


def test_a_curriculum_switches_at_its_step_and_goes_on_from_any(tmp_path):
    made = a_curriculum(tmp_path)
    whole = steps(made, 0, 8)
    before = steps(a_curriculum(tmp_path, stages=()), 0, 8)
    after = steps(a_curriculum(tmp_path, records=str(tmp_path / "b" / "*"), stages=()), 0, 5)
    for seen, wanted in zip(whole, [*before[:3], *after], strict=True):
        np.testing.assert_array_equal(seen, wanted)
    assert not np.array_equal(whole[3], before[3])
    np.testing.assert_array_equal(steps(made, 6, 2), whole[6:])
    halves = steps(made, 2, 4, Share(devices=2))  # each device's half of every batch, in turn
    np.testing.assert_array_equal(np.concatenate(halves), np.concatenate(whole[2:4]))


def test_a_curriculum_is_described_and_known_by_all_of_its_records(tmp_path):
    made, alone = a_curriculum(tmp_path), a_curriculum(tmp_path, stages=())
    assert made.steps_per_epoch == alone.steps_per_epoch == 2
    assert made.fingerprint != alone.fingerprint and made.fingerprint[:1] == alone.fingerprint
    assert (made.description(), alone.description()) == ("1 + 1 shards", "1 shards")
    notes = made.notes(tiny.config(), 8)
    assert any(note.startswith("from step 4 on the run learns from") for note in notes)
    assert any(note.startswith("warning: the run ends") for note in made.notes(tiny.config(), 3))


def test_a_curriculum_is_kept_with_its_run():
    config = tiny.config(records="a/*", stages=("3:b/*", "9:c/*"))
    kept = json.loads(json.dumps(settings.to_dict(config)))
    assert settings.from_dict(type(config), kept) == config
    assert settings.of_values(type(config), kept) == config
    with pytest.raises(UserError, match="stages has the wrong type"):
        settings.from_dict(type(config), {**kept, "stages": [3]})


@pytest.mark.parametrize(
    "mixing, batch, devices, message",
    [("tiles", 4, 4, "even number"), ("tiles", 2, 2, "not 1"), ("batch", 2, 2, "2 images or more")],
)
def test_mixing_within_the_batch_needs_images_on_each_device(
    tmp_path, mixing, batch, devices, message
):
    made = a_curriculum(tmp_path, stages=(), mixing=mixing, batch_size=batch)
    with pytest.raises(UserError, match=message):
        made.training(0, Share(devices=devices))


@pytest.mark.parametrize(
    "stages, reason",
    [
        (("here/*",), "is not STEP:GLOB"),
        (("5:",), "is not STEP:GLOB"),
        (("0:b/*",), "step 0 does not come after 0"),
        (("9:b/*", "9:c/*"), "step 9 does not come after 9"),
    ],
)
def test_stages_that_are_none_are_refused(stages, reason):
    with pytest.raises(UserError, match=f"--stages: .*{reason}"):
        tiny.config(stages=stages).validate()


def test_a_stage_of_other_images_is_refused(tmp_path):
    other = tiny.write_records(tmp_path / "c", 4, size=16)
    with pytest.raises(UserError, match="16 pixels a side"):
        a_curriculum(tmp_path, stages=(f"3:{other}",))
