"""A run before it starts: what is resolved, counted and refused."""

import dataclasses
import json
import re

import pytest

from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from lorbms_tf.training import loop, planning
from tests.training.making import config

pytestmark = pytest.mark.usefixtures("eagerly")


def test_planning_writes_nothing_and_counts_steps(pattern, tmp_path):
    planned = planning.plan(config(pattern, tmp_path / "run", max_steps=5))
    assert (planned.steps_per_epoch, planned.total_steps) == (3, 5)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "quantile, tau", [(0.0, 1.0), (0.5, 3.0), (0.25, 2.0), (0.75, 6.5), (1.0, 10.0)]
)
def test_tau_from_a_quantile(pattern, tmp_path, quantile, tau):
    shard = records.shard_path(tmp_path, "a", 0, 1)
    (tmp_path / "dataset.json").write_text(
        json.dumps({"distance_quantiles": {"0.0": 1, "0.5": 3, "1.0": 10}})
    )
    made = config(pattern, tmp_path, tau_quantile=quantile)
    assert planning.resolve_tau(made, [str(shard)]).tau == pytest.approx(tau)


def test_tau_quantile_without_dataset_json(pattern, tmp_path):
    with pytest.raises(UserError, match="dataset.json"):
        planning.plan(config(pattern, tmp_path, tau_quantile=0.5))


def test_tau_beyond_all_distances_is_warned_of(pattern, tmp_path):
    planned = planning.plan(config(pattern, tmp_path))
    shard = str(records.shard_path(tmp_path, "a", 0, 1))
    (tmp_path / "dataset.json").write_text(json.dumps({"distance_quantiles": {"0": 3, "1": 9}}))
    planned = dataclasses.replace(planned, shards=[shard])
    assert "--tau=2 lies outside" in planning.tau_warning(planned)
    inside = dataclasses.replace(planned.config, tau=5.0)
    assert planning.tau_warning(dataclasses.replace(planned, config=inside)) == ""


@pytest.mark.parametrize(
    ("alone", "note", "caution"),
    [
        (0, "", ""),
        (5, "steps 1 to 5 train .* as an autoencoder .AE in .*; the 1 steps after them mix", ""),
        (6, "warning: all 6 steps .* never to mix", "caution: all 6 steps .* never learned to mix"),
        (9, "warning: all 6 steps .* never to mix", "caution: all 6 steps .* never learned to mix"),
    ],
)
def test_steps_without_mixing_are_told_of(pattern, tmp_path, alone, note, caution):
    planned = planning.plan(config(pattern, tmp_path / "run", autoencoder_steps=alone))
    assert planned.total_steps == 6
    assert re.fullmatch(f"{note}.*" if note else "", planning.autoencoder_note(planned))
    told = planning.never_mixed(planned.config, planned.total_steps)
    assert re.fullmatch(f"{caution}.*" if caution else "", told)


def test_quantiles_of_two_folders_are_not_mixed(pattern, tmp_path):
    shards = [str(tmp_path / name / "a.tfrecord") for name in ("one", "two")]
    with pytest.raises(UserError, match="one folder"):
        planning.resolve_tau(config(pattern, tmp_path, tau_quantile=0.5), shards)


def test_no_such_metric(pattern, tmp_path):
    with pytest.raises(UserError, match="--best_metric: no metric 'fid'; valid names: psnr"):
        planning.plan(config(pattern, tmp_path, best_metric="fid"))


def test_a_folder_that_is_no_run(pattern, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="not empty and holds no run"):
        loop.Run(planning.plan(config(pattern, tmp_path)))


def test_the_length_of_a_cosine_run_is_part_of_it(pattern, tmp_path):
    made = config(pattern, tmp_path, schedule="cosine", max_steps=1, sample_every_steps=9)
    loop.Run(planning.plan(made)).train()
    with pytest.raises(UserError, match="max_steps: 1 -> 2"):
        planning.plan(dataclasses.replace(made, max_steps=2))
