import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.training import run_directory, sweep_curves
from lorbms_tf.training.event_files import EventWriter


def write(folder, tag, values):
    writer = EventWriter(folder / run_directory.LOGS)
    for step, value in enumerate(values, start=1):
        with writer.at(step):
            tf.summary.scalar(tag, value)
    writer.close()
    return str(folder)


@pytest.fixture
def runs(tmp_path):
    return {
        "resize": write(tmp_path / "a", "psnr/train", np.linspace(10, 20, 50)),
        "transposed": write(tmp_path / "b", "psnr/train", np.linspace(10, 15.5, 50)),
        "other": write(tmp_path / "c", "loss", [3.0, 2.0]),
    }


def test_all_runs_that_have_a_scalar_share_its_chart(runs):
    page = sweep_curves.page(runs, ["psnr/train", "loss"])
    first, second = page.split("<svg")[:2]
    assert "resize · 20" in first and "transposed · 15.5" in first and "other" not in first
    assert page.count("<svg") == 2 and "other · 2" in page
    assert "var(--a)" in page and "var(--b)" in page  # two curves, two colours


def test_a_scalar_that_no_run_has_is_named(runs):
    with pytest.raises(UserError, match="--curves=psnr/none: no run has it; they have loss, psnr"):
        sweep_curves.page(runs, ["psnr/none"])
