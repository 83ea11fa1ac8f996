import dataclasses
import json
import math
import shutil

import pytest
import tensorflow as tf

from lorbms_tf import evaluate, progress
from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from lorbms_tf.evaluate import EvaluateConfig
from lorbms_tf.evaluation import lines
from lorbms_tf.features import registry
from lorbms_tf.lorbms.evaluation import EVALUATION, origin
from lorbms_tf.lorbms.method import METHOD
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.lorbms.score_config import ScoringConfig
from lorbms_tf.training import run_directory
from lorbms_tf.training.method import Measured
from tests import tiny


def refuse_constants(name):
    raise ValueError(f"{name} is not JSON")


def line_of(config, scores, digest=None):
    return lines.text(origin(config, digest), scores)


@pytest.fixture
def eagerly():
    """For a handful of records, tracing would take longer than running."""
    with tiny.eagerly():
        yield


@pytest.mark.filterwarnings("ignore:Even though:UserWarning")  # tf.data stays a graph
def test_scores_come_with_where_they_come_from(run_dir, glob, monkeypatch, eagerly):
    totals = []
    track = progress.track

    def counted(items, label, unit):
        totals.append((len(items), unit))  # what the ETA is reckoned from
        return track(items, label=label, unit=unit)

    monkeypatch.setattr(progress, "track", counted)
    scores = evaluate.evaluate(
        EVALUATION, ScoringConfig(run_dir=run_dir, records=glob, batch_size=2)
    )
    assert list(scores) == ["step", "tau", "records", "psnr", "mix_fidelity"]
    assert (scores["step"], scores["tau"], scores["records"]) == (tiny.STEP, 2.0, 5)
    assert 0 <= scores["mix_fidelity"] <= 1 and math.isfinite(scores["psnr"])
    config = ScoringConfig(
        run_dir=run_dir, records=glob, batch_size=2, limit=4, metrics=("mix_fidelity",)
    )
    assert evaluate.evaluate(EVALUATION, config)["records"] == 4
    assert totals == [(3, "step"), (2, "step")]


@pytest.mark.filterwarnings("ignore:Even though:UserWarning")  # tf.data stays a graph
def test_mixes_of_a_model_that_has_never_mixed_carry_a_caution(
    run_dir, glob, tmp_path, eagerly, capsys
):
    copy = tmp_path / "run"
    shutil.copytree(run_dir, copy)
    path = copy / "config.json"
    values = json.loads(path.read_text())
    for alone, told in ((tiny.STEP - 1, False), (tiny.STEP, True)):
        path.write_text(json.dumps({**values, "autoencoder_steps": alone}))
        evaluate.evaluate(EVALUATION, ScoringConfig(run_dir=str(copy), records=glob, limit=2))
        assert ("has never learned to mix" in capsys.readouterr().out) is told


class Colours:
    """An extractor whose features are the mean colours."""

    name, weights_hash = "colours", "b" * 64

    def outputs(self, images, batch_size, label):
        return images.mean(axis=(1, 2)), images.mean(axis=(1, 2))


@pytest.mark.filterwarnings("ignore:Even though:UserWarning")  # tf.data stays a graph
def test_scores_of_sets_carry_their_protocol(run_dir, glob, monkeypatch, eagerly, capsys):
    monkeypatch.setattr(registry, "score_network", lambda *_: Colours())
    monkeypatch.setattr(registry, "check_score_network", lambda *_: None)
    names = ("ssim", "frechet_mix", "swap_locality", "swap_cycle_error", "swap_locality_features")
    given = {"run_dir": run_dir, "records": glob, "metrics": names, "resize": "antialias"}
    scores = evaluate.evaluate(EVALUATION, ScoringConfig(**given))
    assert list(scores)[-5:] == [
        "ssim", "frechet_mobilenet_v2_mix", *names[2:4], "swap_locality_mobilenet_v2",
    ]  # fmt: skip
    assert scores["protocol"] == {
        "real": "the references", "real_images": 5, "resize": "antialias",
        "extractor": "mobilenet_v2", "extractor_sha256": "b" * 64,
    }  # fmt: skip
    printed = capsys.readouterr().out
    assert "swap matrix by pixels" in printed and "swap matrix by features" in printed
    assert all(math.isfinite(scores[name]) for name in list(scores)[-5:])
    config = ScoringConfig(**{**given, "metrics": ("frechet_mix",), "real_records": glob})
    protocol = evaluate.evaluate(EVALUATION, config)["protocol"]
    assert protocol["real"] == glob and protocol["real_images"] == 5
    json.loads(line_of(config, scores), parse_constant=refuse_constants)


@pytest.mark.filterwarnings("ignore:Even though:UserWarning")  # tf.data stays a graph
def test_a_score_that_cannot_be_had_does_not_cost_the_others(run_dir, glob, eagerly, capsys):
    names = ("psnr", "seams_mix", "swd_mix", "swd_paired_reconstruction")
    scores = evaluate.evaluate(
        EVALUATION, ScoringConfig(run_dir=run_dir, records=glob, metrics=names)
    )
    assert "seams_mix cannot be computed: it takes at least 85 records" in capsys.readouterr().err
    assert scores["seams_mix"] is None and list(scores["missing"]) == ["seams_mix"]
    assert all(math.isfinite(scores[name]) for name in names if name != "seams_mix")
    assert scores["protocol"]["swd_patches"] == "drawn apart"
    line = json.loads(line_of(ScoringConfig(records=glob), scores))
    assert line["seams_mix"] is None and "85 records" in line["missing"]["seams_mix"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"metrics": ("seams_mix",)}, "--metrics: none .*85 records, --records holds 5"),
        ({"metrics": ("swap_locality",), "limit": 1}, "takes at least 2 records, not --limit=1"),
    ],
)
def test_no_score_at_all_is_an_error_before_the_model_is_loaded(glob, given, reason):
    with pytest.raises(UserError, match=reason):
        evaluate.evaluate(
            EVALUATION, ScoringConfig(run_dir="not looked for", records=glob, **given)
        )


@pytest.mark.filterwarnings("ignore:Even though:UserWarning")  # tf.data stays a graph
def test_a_model_of_pictures_that_are_not_finite_has_no_scores(run_dir, glob, monkeypatch, eagerly):
    def broken(*given):
        mask, reconstruction, mix = Lorbms.render(*given)
        return mask, math.nan * reconstruction, mix

    model, trained = run_directory.load_model(run_dir)
    monkeypatch.setattr(model, "render", lambda *given: broken(model, *given))
    monkeypatch.setattr(run_directory, "load_model", lambda *_: (model, trained))
    given = {"run_dir": run_dir, "records": glob}
    with pytest.raises(UserError, match="psnr: 5 of 5 reconstructions are not finite"):
        evaluate.evaluate(EVALUATION, ScoringConfig(**given, metrics=("psnr", "ssim")))
    scores = evaluate.evaluate(EVALUATION, ScoringConfig(**given, metrics=("psnr", "mix_fidelity")))
    assert scores["psnr"] is None and 0 <= scores["mix_fidelity"] <= 1


@pytest.mark.filterwarnings("ignore:Even though:UserWarning")  # tf.data stays a graph
def test_a_frechet_distance_of_few_images_is_cautioned(run_dir, glob, monkeypatch, eagerly, capsys):
    monkeypatch.setattr(registry, "score_network", lambda *_: Colours())
    monkeypatch.setattr(registry, "check_score_network", lambda *_: None)
    given = {"run_dir": run_dir, "records": glob, "metrics": ("frechet_mix",)}
    evaluate.evaluate(EVALUATION, ScoringConfig(**given, limit=3))
    printed = capsys.readouterr().out
    assert "caution: a Fréchet distance of 3 images with features of 3 numbers" in printed
    evaluate.evaluate(EVALUATION, ScoringConfig(**given))
    assert "caution" not in capsys.readouterr().out


def test_scores_of_features_need_weights(run_dir, glob):
    config = ScoringConfig(run_dir=run_dir, records=glob, metrics=("kernel_mix",))
    with pytest.raises(UserError, match="mobilenet_v2 needs --extractor_weights"):
        evaluate.evaluate(EVALUATION, config)


@pytest.fixture
def command(monkeypatch):
    """The command with given flags, and a pass that costs nothing."""
    passes = []

    def measure(config):
        passes.append(config)
        return Measured(
            {"step": 7, "tau": 2.0, "records": 5, "psnr": math.inf, "mix_fidelity": 0.75}
        )

    def run(digest="a" * 64, out="", allow_other_dataset=False, **given):
        evaluation = EVALUATION._replace(
            origin=lambda config: origin(config, digest), measure=measure
        )
        method = METHOD._replace(evaluation=evaluation)
        monkeypatch.setattr(run_directory, "asked_method", lambda: method)
        door = EvaluateConfig(out=out, allow_other_dataset=allow_other_dataset)
        config = ScoringConfig(run_dir="r", records="a*", **given)
        monkeypatch.setattr(
            evaluate.flags, "read", lambda kind: door if kind is EvaluateConfig else config
        )
        evaluate.main(["evaluate"])

    run.passes = passes
    return run


def test_lines_are_appended_to_out(command, tmp_path, capsys):
    out = tmp_path / "new" / "scores.jsonl"
    command(out=str(out))
    command(out=str(out), seed=1)
    held = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(line["seed"], line["psnr"], line["step"]) for line in held] == [
        (0, None, 7),
        (1, None, 7),
    ]
    printed = capsys.readouterr().out
    assert "5 records of a*, model r after step 7" in printed
    assert "inf dB" in printed and "75.0 %" in printed


def test_scores_on_other_datasets_are_not_mixed(command, tmp_path):
    out = tmp_path / "scores.jsonl"
    out.write_text("not JSON\n[1]\n")
    command(out=str(out), digest=None)
    command(out=str(out))
    command(out=str(out))  # the same dataset
    command(out=str(out), digest=None)  # not known
    with pytest.raises(UserError, match="another dataset .line 4: .*--allow_other_dataset"):
        command(out=str(out), digest="b" * 64)
    assert len(command.passes) == 4  # refused before the pass
    command(out=str(out), digest="b" * 64, allow_other_dataset=True)
    held = [json.loads(line)["dataset_hash"] for line in out.read_text().splitlines()[2:]]
    assert held == [None, "a" * 64, "a" * 64, None, "b" * 64]


def test_an_out_that_cannot_be_written_is_said_before_the_pass(command, tmp_path):
    (tmp_path / "file").write_text("")
    for out in (tmp_path, tmp_path / "file" / "scores.jsonl"):
        with pytest.raises(UserError, match="cannot write "):
            command(out=str(out))
    assert command.passes == []


def test_an_unknown_metric_and_a_missing_run_are_named(glob, tmp_path):
    with pytest.raises(UserError, match="psnr, ssim, mix_fidelity, seams_mix.*frechet_mix"):
        evaluate.evaluate(EVALUATION, ScoringConfig(run_dir="r", records=glob, metrics=("fid",)))
    with pytest.raises(UserError, match="nowhere"):
        evaluate.evaluate(EVALUATION, ScoringConfig(run_dir="nowhere", records=glob))


@pytest.mark.parametrize(
    "given, reason",
    [
        ({"records": "a"}, "--run_dir is required"),
        ({"run_dir": "r"}, "--records is required"),
        ({"run_dir": "r", "records": "a", "batch_size": 0}, "--batch_size=0"),
        ({"run_dir": "r", "records": "a", "limit": -1}, "--limit=-1"),
        ({"run_dir": "r", "records": "a", "seed": -1}, "--seed=-1"),
    ],
)
def test_settings_are_validated(given, reason):
    config = ScoringConfig(**given)
    with pytest.raises(UserError, match=reason):
        config.validate()
        EVALUATION.origin(config)


def test_records_that_cannot_be_decoded_are_one_clear_error(tmp_path):
    run = tiny.write_run(tmp_path / "run")
    shard = records.find_shards(tiny.write_records(tmp_path / "whole", 2))[0]
    with tf.io.TFRecordWriter(str(tmp_path / "bad.tfrecord-00000-of-00001")) as writer:
        for raw in records.read_shard(shard):
            broken = dataclasses.replace(records.deserialize(raw), image=b"no jpeg")
            writer.write(records.serialize(broken))
    config = ScoringConfig(run_dir=str(run), records=str(tmp_path / "bad*"))
    with pytest.raises(UserError, match="record file .*bad.*, record 0: .*tfrecords_tools.inspect"):
        evaluate.evaluate(EVALUATION, config)


def test_a_table_of_former_scores_needs_no_model(tmp_path, monkeypatch, capsys):
    path = tmp_path / "scores.jsonl"
    config = ScoringConfig(run_dir="runs/a", records="r*")
    scores = {"step": 3, "tau": 2.0, "records": 5, "psnr": 20.0}
    path.write_text(line_of(config, scores) + "\n")
    asked = EvaluateConfig(table=str(path))
    asked.validate()
    monkeypatch.setattr(evaluate.flags, "read", lambda _: asked)
    evaluate.main(["evaluate"])
    assert capsys.readouterr().out.split() == ["run", "step", "psnr", "runs/a", "3", "20"]


def test_all_checkpoints_are_scored_once(tmp_path, monkeypatch, capsys):
    made = tiny.config(run_dir=str(tmp_path / "run"))
    folder = run_directory.prepare(made) / run_directory.CHECKPOINTS
    out = tmp_path / "s.jsonl"
    out.touch()
    given = {"records": "r*", "checkpoint": "all", "metrics": ("psnr",)}
    config = ScoringConfig(run_dir=made.run_dir, **given)

    def left(config, digest):
        return evaluate.each_checkpoint(EVALUATION, config, origin(config, digest), str(out))

    with pytest.raises(UserError, match="--checkpoint=all: there is none"):
        left(config, None)
    for step in (5, 10, 20):
        (folder / f"step-{step}.index").touch()
    scores = {"step": 10, "tau": 2.0, "records": 5, "psnr": math.inf}
    other = dataclasses.replace(config, records="other*")
    held = [
        line_of(config, scores, "d"),
        line_of(config, {**scores, "step": 5}, "another dataset"),
        line_of(other, {**scores, "step": 20}, "d"),
    ]
    out.write_text("\n".join(held) + "\n")
    assert [one.checkpoint for one in left(config, "d")] == ["5", "20"]
    for changes in ({"metrics": ("psnr", "ssim")}, {"limit": 3}, {"seed": 1}):
        other = dataclasses.replace(config, **changes)
        assert len(left(other, "d")) == 3
    protocol = {"real": "the references", "resize": None}
    out.write_text(line_of(config, {**scores, "protocol": protocol}, "d") + "\n")
    assert len(left(config, "d")) == 2
    former = line_of(config, {**scores, "swd_mix": 5.0, "protocol": protocol}, "d")
    out.write_text(former + "\n")
    other = dataclasses.replace(config, metrics=("swd_mix",))  # which is measured otherwise now
    assert len(left(other, "d")) == 3
    protocol[lines.PATCHES] = lines.DRAWN_APART
    present = line_of(config, {**scores, "swd_mix": 5.0, "protocol": protocol}, "d")
    out.write_text(present + "\n")
    assert len(left(other, "d")) == 2
    other = dataclasses.replace(config, real_records="real*")
    assert len(left(other, "d")) == 3
    assert left(dataclasses.replace(config, checkpoint="5"), "d")[0].metrics
    assert "3 checkpoints, 2 to score" in capsys.readouterr().out
