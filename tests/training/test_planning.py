"""A run before it starts: what is resolved, counted and refused."""

import dataclasses

import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.training import loop, planning
from tests.training.making import config

pytestmark = pytest.mark.usefixtures("eagerly")


def test_planning_writes_nothing_and_counts_steps(pattern, tmp_path):
    planned = planning.plan(config(pattern, tmp_path / "run", max_steps=5))
    assert (planned.data.steps_per_epoch, planned.total_steps) == (3, 5)
    assert not (tmp_path / "run").exists()


def test_tau_quantile_without_dataset_json(pattern, tmp_path):
    with pytest.raises(UserError, match="dataset.json"):
        planning.plan(config(pattern, tmp_path, tau_quantile=0.5))


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
