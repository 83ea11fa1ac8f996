"""What the records of a run tell of it: tau, and what to know before it starts."""

import dataclasses
import json
import re

import pytest

from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms import data
from lorbms_tf.lorbms.signs import never_mixed
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
