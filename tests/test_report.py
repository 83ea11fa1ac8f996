import json
import shutil
from pathlib import Path

import pytest
import tensorflow as tf

from lorbms_tf import report
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.method import METHOD
from lorbms_tf.lorbms.score_config import ScoringConfig
from lorbms_tf.report import ReportConfig
from lorbms_tf.training import run_directory
from lorbms_tf.training.event_files import EventWriter
from tests import tiny
from tests.pages.reading import Reader

LINE = {"run_dir": "runs/other", "records_glob": "r*", "step": 3, "records": 4, "ssim": 0.875}


def words_of(path):
    return " ".join(Reader(Path(path).read_text("utf-8")).text)


@pytest.mark.filterwarnings("ignore:Even though:UserWarning")  # tf.data stays a graph
def test_the_page_of_a_run(run_dir, glob, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(run_dir, run)
    events = EventWriter(run / run_directory.LOGS)
    for step in (1, 2):
        with events.at(step):
            tf.summary.scalar("psnr/train", 10.0 * step)
    events.close()
    (run / "scores.jsonl").write_text(json.dumps(LINE) + "\n")
    (run / "broken.jsonl").write_text("{")
    metrics = ("psnr", "mix_fidelity", "swap_locality")
    config = ScoringConfig(run_dir=str(run), records=glob, metrics=metrics)
    page = ReportConfig(out=str(tmp_path / "new" / "r.html"), rows=2, cell=32)
    page.validate()
    with tiny.eagerly():
        assert report.report(METHOD, config, page) == Path(page.out)
    words = words_of(page.out)
    for expected in (
        "On 5 held-out references, after step 7", "Mixed scenes", "Reconstructions",
        "Interpolation", "Object transfer", "Swap matrix", "training references · 20", "0.875",
        "broken.jsonl, line 1 is no JSON", f"sha256 of step-{tiny.STEP}.data", "parameters",
    ):  # fmt: skip
        assert expected in words, expected


def test_a_run_without_checkpoint_events_and_records(tmp_path):
    made = tiny.config(run_dir=str(tmp_path / "run"), eval_records="gone/*")
    run_directory.prepare(made)
    out = tmp_path / "r.html"
    report.report(METHOD, ScoringConfig(run_dir=made.run_dir), ReportConfig(out=str(out)))
    words = words_of(out)
    assert "held-out records (gone/*) are not here" in words and "no scores, sheets" in words
    assert "no TensorBoard event files" in words and "--chunk_size" in words


def test_a_model_that_has_never_mixed_is_told_of(run_dir, tmp_path):
    run, out = tmp_path / "run", tmp_path / "r.html"
    shutil.copytree(run_dir, run)
    path = run / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "autoencoder_steps": tiny.STEP}))
    report.report(METHOD, ScoringConfig(run_dir=str(run)), ReportConfig(out=str(out)))
    assert "it has never learned to mix" in words_of(out)


def test_what_was_asked_for_by_name_must_be_there(tmp_path, run_dir):
    made = tiny.config(run_dir=str(tmp_path / "run"))
    run_directory.prepare(made)
    out = str(tmp_path / "r.html")
    for given, reason in (
        ({"run_dir": ""}, "--run_dir is required"),
        ({"run_dir": "nowhere"}, "nowhere is no run directory"),
        ({"run_dir": made.run_dir, "records": "gone/*"}, "no record files match"),
        ({"run_dir": made.run_dir, "checkpoint": "best"}, "best"),
        ({"run_dir": made.run_dir, "scores": "gone.jsonl"}, "--scores=gone.jsonl cannot be read"),
        ({"run_dir": made.run_dir, "metrics": ("fid",)}, "no metric 'fid'"),
    ):
        with pytest.raises(UserError, match=reason):
            page = ReportConfig(out=out, scores=given.pop("scores", ""))
            report.report(METHOD, ScoringConfig(**given), page)
    assert not Path(out).exists()


@pytest.mark.parametrize(
    "given, reason",
    [
        ({"out": "r.pdf"}, "--out=r.pdf"),
        ({"rows": 0}, "--rows=0"),
        ({"cell": 4}, "--cell=4"),
    ],
)
def test_settings_are_validated(given, reason):
    with pytest.raises(UserError, match=reason):
        ReportConfig(**given).validate()
