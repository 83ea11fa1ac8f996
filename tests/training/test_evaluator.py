"""Scores while training, and the checkpoint that had the best of them."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.training import checkpoints, loop, planning, run_directory
from tests.training.making import config, variables

pytestmark = pytest.mark.usefixtures("eagerly")


def test_evaluation_scores_keeps_the_best_and_changes_nothing_else(pattern, tmp_path):
    made = config(pattern, tmp_path / "plain", max_steps=3)
    plain = loop.Run(planning.plan(made))
    plain.train()
    watched = loop.Run(planning.plan(dataclasses.replace(
        made, run_dir=str(tmp_path / "watched"), eval_records=pattern, evaluate_every_steps=1,
        best_metric="psnr",
    )))  # fmt: skip
    watched.train()
    for name, value in variables(plain).items():
        np.testing.assert_array_equal(value, variables(watched)[name], err_msg=name)
    scores = {}
    for path in (watched.folder / "logs").glob("events*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                if value.tag.startswith("eval/"):
                    scores.setdefault(value.tag, {})[event.step] = float(
                        tf.make_ndarray(value.tensor)
                    )
    assert {name: list(values) for name, values in scores.items()} == {
        f"eval/{name}": [1, 2, 3] for name in ("psnr", "ssim", "mix_fidelity")
    }  # fmt: skip
    psnr = scores["eval/psnr"]
    _, step = checkpoints.find(watched.folder / "checkpoints", "best")
    assert step == max(psnr, key=psnr.get)
    run_directory.load_model(str(watched.folder), "best")
