"""Which trials are trained and scored, and when again; the processes are played in this one."""

import dataclasses
import json
from pathlib import Path

import pytest

from lorbms_tf.cli import child_process
from lorbms_tf.errors import UserError
from lorbms_tf.evaluate import EvaluateConfig
from lorbms_tf.lorbms.score_config import ScoreConfig, ScoringConfig
from lorbms_tf.training import run_directory, sweep
from tests import tiny

PROTOCOL = ScoreConfig(metrics=("psnr",))


def on(*files):
    """Held-out data of these files."""
    flags = {"records": "e*", "max_bad_records": "2"}
    return sweep.HeldOut(flags, [{"file": file} for file in files])


@pytest.fixture
def trial(tmp_path):
    made = tiny.config(run_dir=str(tmp_path / "runs/full/seed_3"), seed=3, eval_records="e*")
    return sweep.Trial("full", made, tmp_path / "full" / "seed_3")


@pytest.fixture
def doors(monkeypatch):
    """What the processes would do: training leaves a checkpoint, evaluation appends a line."""
    called = []

    def run(words, name, out, early=None):
        module = words[2].removeprefix("lorbms_tf.")
        given = dict(word.removeprefix("--").split("=", 1) for word in words[3:])
        called.append(module)
        if module == "train":
            lines = Path(given["flagfile"]).read_text().splitlines()
            settings = dict(line[2:].split("=", 1) for line in lines if line.startswith("--"))
            folder = Path(settings["run_dir"]) / run_directory.CHECKPOINTS
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"step-{tiny.STEP}.index").touch()
            return
        assert (given["records"], given["max_bad_records"]) == ("e*", "2")
        kinds = (EvaluateConfig, ScoringConfig)
        assert set(given) <= {field.name for kind in kinds for field in dataclasses.fields(kind)}
        scores = dict.fromkeys(given["metrics"].split(","), 0.5)
        line = {"run_dir": given["run_dir"], "step": int(given["checkpoint"]), **scores}
        with open(given["out"], "a") as file:
            file.write(json.dumps(line) + "\n")

    monkeypatch.setattr(child_process, "run", run)
    return called


def test_what_is_done_is_not_done_again(trial, doors, tmp_path):
    data, held_out = [{"file": "a"}], on("b")
    assert sweep.train(trial, data) and sweep.score(trial, PROTOCOL, 1, held_out)
    assert not sweep.train(trial, data) and not sweep.score(trial, PROTOCOL, 1, held_out)
    assert doors == ["train", "evaluate"]
    written = trial.file(".cfg").read_text()
    assert written.startswith("# python -m lorbms_tf.train --flagfile=") and "--seed=3\n" in written
    assert [line["step"] for line in trial.state()["lines"]] == [tiny.STEP]
    # Other held-out records, or another protocol: scored again. Other settings: both.
    assert sweep.score(trial, PROTOCOL, 1, on("c"))
    assert sweep.score(trial, ScoreConfig(metrics=("ssim",)), 1, on("c"))
    assert list(trial.state()["lines"][0])[-1] == "ssim"
    changed = dataclasses.replace(trial, config=dataclasses.replace(trial.config, epochs=60))
    assert sweep.train(changed, data) and "lines" not in trial.state()
    assert sweep.train(trial, [{"file": "other records"}])
    assert not list(tmp_path.glob("*/*.tmp"))


def test_former_distances_of_patches_are_measured_again(trial, doors):
    sweep.train(trial, [])
    protocol = ScoreConfig(metrics=("swd_mix",))
    assert sweep.score(trial, protocol, 1, on()) and not sweep.score(trial, protocol, 1, on())
    state = trial.state()
    del state["asked"]["swd_patches"]
    trial.file(".json").write_text(json.dumps(state))
    assert sweep.score(trial, protocol, 1, on())


def test_what_a_kill_has_left_of_an_evaluation_is_not_counted(trial, doors):
    sweep.train(trial, [])
    trial.file(".scores.tmp").write_text('{"half a li')
    sweep.score(trial, PROTOCOL, 1, on())
    assert len(trial.state()["lines"]) == 1


def test_more_checkpoints_than_there_are(trial, doors):
    sweep.train(trial, [])
    with pytest.raises(UserError, match="full, seed 3 has left 1 .*--score_checkpoints=2"):
        sweep.score(trial, PROTOCOL, 2, on())


def test_the_table(tmp_path):
    done = []
    for variant, seed, psnr, step in (("full", 0, 20.0, 5), ("no_cls", 0, 18.0, 5)):
        trial = sweep.Trial(variant, tiny.config(seed=seed), tmp_path / variant / f"seed_{seed}")
        trial.files.parent.mkdir()
        trial.file(".json").write_text(json.dumps({"lines": [{"step": step, "psnr": psnr}]}))
        done.append(trial)
    text = sweep.write_table(tmp_path, done)
    assert [row.split() for row in text.splitlines()] == [
        ["variant", "runs", "psnr"],
        ["full", "1", "20"],
        ["no_cls", "1", "18"],
    ]
    assert (tmp_path / "table.txt").read_text() == text + "\n"
    lines = [json.loads(line) for line in (tmp_path / "table.jsonl").read_text().splitlines()]
    assert [line["scores"]["psnr"]["mean"] for line in lines] == [20.0, 18.0]
    done[1].file(".json").write_text(json.dumps({"lines": [{"step": 6, "psnr": 1.0}]}))
    with pytest.raises(UserError, match="do not compare.*no_cls, seed 0: .6"):
        sweep.write_table(tmp_path, done)


def test_trials_of_before_a_setting_count_as_trained(trial, doors):
    former = dataclasses.replace(trial, config=dataclasses.replace(trial.config, adam_epsilon=1e-7))
    sweep.train(former, [])
    state = former.state()
    del state["trained"]["settings"]["adam_epsilon"]
    former.file(".json").write_text(json.dumps(state))
    assert not sweep.train(former, [])
    assert sweep.train(trial, [])  # with today's epsilon it is another training
