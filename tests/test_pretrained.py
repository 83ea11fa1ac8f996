"""The models that come with the package: small, described, and as good as they claim."""

import dataclasses

import numpy as np
import pytest

from lorbms_tf.data.images import to_float
from lorbms_tf.evaluation.psnr import psnr
from lorbms_tf.lorbms.scores.mix_fidelity import faithful_quadrants
from lorbms_tf.training import run_directory
from tests.test_train_configs import PLACES, ROOT, parse
from tfrecords_tools.scenes.scene import render, sample

NAME = "pretrained:scenes64"


@pytest.fixture(scope="module")
def shipped():
    return run_directory.load_model(NAME)


@pytest.fixture(scope="module")
def scenes():
    """Scenes of a seed that nothing was trained on, [10, 64, 64, 3] in [-1, 1]."""
    return to_float(np.stack([render(sample(77, i), 64) for i in range(10)]))


def test_it_is_small_and_says_how_it_was_made():
    folder = run_directory.resolve(NAME)
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) <= 5e6
    text = (folder / "README.md").read_text()
    for stage in ("scenes64", "scenes64_sharp"):
        assert f"--flagfile=configs/{stage}.cfg" in text


def test_it_says_once_what_it_knows(capsys):
    run_directory._tell_note.cache_clear()
    for _ in range(2):
        run_directory.load_model(NAME)
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = [line for line in printed.err.splitlines() if line.startswith(f"{NAME}: ")]
    assert "synthesized scenes" in line and len(line) < 140


def test_its_configuration_is_that_of_its_flagfile(shipped):
    asked = parse(ROOT / "configs" / "scenes64_sharp.cfg")
    blank = dict.fromkeys(PLACES, "")
    tau = shipped[1].tau  # resolved from the quantile
    assert shipped[1] == dataclasses.replace(asked, tau=tau, **blank)


def test_it_reconstructs_scenes_that_it_has_never_seen(shipped, scenes):
    assert psnr(scenes, shipped[0](scenes).numpy()).mean() > 20


def test_its_mixes_show_what_the_mask_says(shipped, scenes):
    reference, others = scenes[:5], scenes[5:]
    candidates = np.repeat(others[:, None], 4, axis=1)
    for number in range(4):
        mask = np.tile(np.arange(4) == number, (5, 1))
        mixes = shipped[0].mix(reference, candidates, mask).numpy()
        faithful = faithful_quadrants(mixes, reference, candidates, mask)
        assert faithful[~mask].mean() > 0.9
        assert faithful[:, number].mean() > 0.5  # these two scenes need not be alike at all
