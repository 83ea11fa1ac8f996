import dataclasses

import numpy as np
import pytest
from PIL import Image

from lorbms_tf.evaluation.swap_matrix import SwapMatrix
from lorbms_tf.lorbms import report
from lorbms_tf.lorbms.config import LorbmsConfig
from lorbms_tf.lorbms.curves import CHARTS
from lorbms_tf.lorbms.scores.registry import shown_score
from lorbms_tf.pages import run_curves, run_page
from lorbms_tf.pages.run_page import Described
from tests.pages.reading import Reader

CONFIG = LorbmsConfig(records="<records>/*", autoencoder_steps=30, batch_size=7)


def points(*values):
    return np.arange(1, len(values) + 1) * 20, np.array(values, float)


@pytest.fixture(scope="module")
def whole():
    run = Described(
        name="<script>alert(1)</script>",
        config=CONFIG,
        facts=[("checkpoint", "after step 60")],
        parameters=[("  encoder", 1234567), ("total", 7654321)],
        scores={"psnr": 21.549, "mix_fidelity": 0.9345, "frechet_vgg16_mix": 12.3456},
        protocol="On 5 references.",
        earlier=[{"run_dir": "r", "step": 5, "records": 9, "records_glob": "g*", "ssim": None}],
        score_names=["ssim"],
        score=shown_score,
        charts=CHARTS,
        mark=("mixing begins", 30),
        sections=[report.swap_section(SwapMatrix(np.eye(4) * 0.7, 0.7, np.full((4, 4), 0.125)))],
        sheets=[("Mixed scenes", "How to read it.", Image.new("RGB", (30, 20)))],
        scalars={
            "psnr/train": points(10, 15, 20),
            "eval/psnr": points(11, 14),
            "sigma/decoder_max": points(1, 2),
            "progress/epoch": points(1, 2),
        },
        datasets=[("Dataset", {"features": {"network": "alexnet"}})],
    )
    text = run_page.page(run, "footer")
    return text, Reader(text)


def test_it_is_one_file_that_loads_nothing(whole):
    text, read = whole
    assert "script" not in read.tags and "link" not in read.tags and "url(" not in text
    inside = [link for link in read.links if not link.startswith("#")]
    assert inside and all(link.startswith("data:image/jpeg;base64,") for link in inside)


def test_charts_take_from_themselves_alone(whole):
    _, read = whole
    assert read.uses and {use.removeprefix("#") for use in read.uses} <= set(read.ids)
    assert len(set(read.ids)) == len(read.ids)


def test_links_lead_to_sections(whole):
    text, read = whole
    targets = [link[1:] for link in read.links if link.startswith("#")]
    assert len(targets) == 6 and all(f'id="{target}"' in text for target in targets)


def test_it_shows_what_is_known(whole):
    words = " ".join(whole[1].text)
    for expected in (
        "Run <script>alert(1)</script>",  # escaped in the file
        "21.55 dB", "93.5 %", "12.35", "7,654,321", "1,234,567", "On 5 references.",
        "0.700", "0.125", "mixing begins", "training references · 20", "1 more",
        "sigma/decoder_max", "features.network", "after step 60", "9 of g*", "footer",
    ):  # fmt: skip
        assert expected in words, expected
    assert "progress/epoch" not in words


def test_what_differs_from_the_thesis_stands_apart(whole):
    text, _ = whole
    differing = text[text.index("What differs") : text.index("All flags")]
    assert "--batch_size" in differing and "--autoencoder_steps" in differing
    assert "--records" not in differing and "--epochs" not in differing
    everything = text[text.index("All flags") :]
    for field in dataclasses.fields(LorbmsConfig):
        assert f"--{field.name}<" in everything


def test_a_run_of_which_nothing_is_known_yet():
    text = run_page.page(Described("r", LorbmsConfig(), missing=["There is no <x>."]), "")
    words = " ".join(Reader(text).text)
    assert "There is no <x>." in words and "no TensorBoard event files" in words
    assert "Nothing was scored" in words and "Nothing differs." in words
    assert "Swap matrix" not in words


def test_scores_that_are_not_finite():
    assert (
        run_page.shown(shown_score("psnr"), np.inf) == "∞" and run_page.shown(None, np.nan) == "–"
    )


def test_each_curve_of_training_has_its_place():
    tags = [tag for _, names in CHARTS for tag in names]
    assert len(tags) == len(set(tags))
    assert max(len(names) for _, names in CHARTS) <= len(run_curves.COLOURS)


def test_scores_at_several_checkpoints_become_curves():
    line = {"run_dir": "r", "records_glob": "g*", "records": 4}
    run = Described(
        "r",
        LorbmsConfig(),
        earlier=[{**line, "step": step, "fid": 200.0 - step} for step in (30, 10, 20)],
        score_names=["fid"],
    )
    words = " ".join(Reader(run_page.page(run, "")).text)
    assert "fid by checkpoint" in words and "r on g* · 170" in words  # the last, not the best
    run.earlier = run.earlier[:1]
    assert "by checkpoint" not in run_page.page(run, "")
