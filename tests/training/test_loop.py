"""A real run on tiny records: what it leaves behind, and how it is continued."""

import dataclasses
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lorbms_tf import run_directory
from lorbms_tf.data import records
from lorbms_tf.errors import Stopped, UserError
from lorbms_tf.training import checkpoints, loop
from tests import tiny


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    return tiny.write_records(tmp_path_factory.mktemp("records"), 6)


def config(pattern, folder, **changes):
    settings = {
        "records": pattern,
        "run_dir": str(folder),
        "batch_size": 2,
        "epochs": 2,
        "log_every_steps": 2,
        "sample_every_steps": 3,
        "sample_rows": 2,
        "checkpoint_every_steps": 2,
        "seed": 3,
    }
    return tiny.config(**{**settings, **changes})


def variables(run):
    return {k: v.numpy() for k, v in checkpoints.model_variables(run.model).items()}


@pytest.fixture(scope="module")
def finished(pattern, tmp_path_factory):
    """An uninterrupted run of six steps."""
    run = loop.Run(loop.plan(config(pattern, tmp_path_factory.mktemp("runs") / "whole")))
    assert run.train() == 6
    return run


def test_the_run_directory_holds_what_it_should(finished):
    folder = finished.folder
    saved = json.loads((folder / "config.json").read_text())
    assert saved["batch_size"] == 2 and saved["tau"] == 2.0
    assert tf.train.latest_checkpoint(str(folder / "checkpoints")).endswith("step-6")
    samples = sorted(p.name for p in (folder / "samples").iterdir())
    assert samples == ["step_00000000.png", "step_00000003.png", "step_00000006.png"]
    assert Image.open(folder / "samples" / samples[0]).size[0] > 500


def test_tensorboard_has_losses_rates_speed_and_pictures(finished):
    seen = {}
    for path in (finished.folder / "logs").glob("events*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                seen.setdefault(value.tag, []).append(event.step)
    for name in ("loss/generator", "loss/classifier", "accuracy/discriminator_real"):
        assert seen[name] == [2, 4, 6]
    assert seen["learning_rate/generator"] == seen["speed/images_per_second"] == [2, 4, 6]
    assert seen["scenes"] == [0, 3, 6] and "configuration" in seen


def test_a_run_cut_in_two_equals_the_whole(finished, pattern, tmp_path):
    half = config(pattern, tmp_path / "cut", max_steps=3)
    assert loop.Run(loop.plan(half)).train() == 3
    rest = loop.Run(loop.plan(dataclasses.replace(half, max_steps=0)))
    assert rest.first_step == 3 and rest.train() == 3
    whole = variables(finished)
    for name, value in variables(rest).items():
        np.testing.assert_array_equal(value, whole[name], err_msg=name)
    assert loop.Run(loop.plan(dataclasses.replace(half, max_steps=0))).train() == 0


def test_another_configuration_is_refused_naming_the_difference(finished, pattern):
    other = config(pattern, finished.folder, chunk_size=6, epochs=3)
    with pytest.raises(UserError, match="chunk_size: 4 -> 6") as caught:
        loop.Run(loop.plan(other))
    assert "epochs" not in str(caught.value)


def test_a_folder_that_is_no_run(pattern, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="not empty and holds no run"):
        loop.Run(loop.plan(config(pattern, tmp_path)))


def test_planning_writes_nothing_and_counts_steps(pattern, tmp_path):
    planned = loop.plan(config(pattern, tmp_path / "run", max_steps=5))
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
    assert loop.resolve_tau(made, [str(shard)]).tau == pytest.approx(tau)


def test_tau_quantile_without_dataset_json(pattern, tmp_path):
    with pytest.raises(UserError, match="dataset.json"):
        loop.plan(config(pattern, tmp_path, tau_quantile=0.5))


def test_sizes_that_do_not_fit_are_a_user_error(pattern, tmp_path):
    small = config(
        pattern, tmp_path, image_size=16, encoder_layers=(1,) * 3, decoder_layers=(1,) * 3,
        decoder_widths=(4,) * 3,
    )  # fmt: skip
    with pytest.raises(UserError, match="28"):  # the least that the classifier can read
        loop.build_model(small, 1)


def test_loading_a_finished_run(finished):
    model, loaded = run_directory.load_model(str(finished.folder))
    assert loaded.tau == 2.0
    for name, value in variables(finished).items():
        np.testing.assert_array_equal(
            value, checkpoints.model_variables(model)[name].numpy(), err_msg=name
        )


def test_a_corrupt_drawn_candidate_names_the_way_to_find_it(pattern, tmp_path):
    shard = records.find_shards(pattern)[0]
    with tf.io.TFRecordWriter(str(tmp_path / "bad.tfrecord-00000-of-00001")) as writer:
        for raw in records.read_shard(shard):
            record = records.deserialize(raw)
            writer.write(records.serialize(dataclasses.replace(record, image=b"no jpeg")))
    run = loop.Run(
        loop.plan(
            config(str(tmp_path / "bad*"), tmp_path / "run", eval_records=pattern, max_steps=1)
        )
    )
    with pytest.raises(UserError, match="batch 0.*tfrecords_tools.inspect"):
        run.train()


def test_a_first_try_with_wrong_settings_can_be_corrected(pattern, tmp_path):
    run = loop.Run(loop.plan(config(pattern, tmp_path / "run", seed=1)))
    assert run.first_step == 0  # no checkpoint was written
    loop.plan(config(pattern, tmp_path / "run", chunk_size=6))


def test_a_diverged_run_does_not_overwrite_its_checkpoints(pattern, tmp_path):
    run = loop.Run(
        loop.plan(config(pattern, tmp_path, generator_learning_rate=1e30, keep_checkpoints=1))
    )
    with pytest.raises(UserError, match="loss/generator.* not finite at step"):
        run.train()


def test_tau_beyond_all_distances_is_warned_of(pattern, tmp_path):
    planned = loop.plan(config(pattern, tmp_path))
    shard = str(records.shard_path(tmp_path, "a", 0, 1))
    (tmp_path / "dataset.json").write_text(json.dumps({"distance_quantiles": {"0": 3, "1": 9}}))
    planned = dataclasses.replace(planned, shards=[shard])
    assert "--tau=2 lies outside" in loop.tau_warning(planned)
    inside = dataclasses.replace(planned.config, tau=5.0)
    assert loop.tau_warning(dataclasses.replace(planned, config=inside)) == ""


def test_quantiles_of_two_folders_are_not_mixed(pattern, tmp_path):
    shards = [str(tmp_path / name / "a.tfrecord") for name in ("one", "two")]
    with pytest.raises(UserError, match="one folder"):
        loop.resolve_tau(config(pattern, tmp_path, tau_quantile=0.5), shards)


def test_the_length_of_a_cosine_run_is_part_of_it(pattern, tmp_path):
    made = config(pattern, tmp_path, schedule="cosine", max_steps=1, sample_every_steps=9)
    loop.Run(loop.plan(made)).train()
    with pytest.raises(UserError, match="max_steps: 1 -> 2"):
        loop.plan(dataclasses.replace(made, max_steps=2))


def test_held_out_records_cut_short(pattern, tmp_path):
    whole = Path(records.find_shards(pattern)[0]).read_bytes()
    (tmp_path / "cut.tfrecord-00000-of-00001").write_bytes(whole[:-9])
    made = config(pattern, tmp_path / "run", eval_records=str(tmp_path / "cut*"))
    with pytest.raises(UserError, match="cut.tfrecord.* is cut short"):
        loop.Run(loop.plan(made)).train()


@pytest.fixture
def eagerly():
    """For runs of few steps: tracing would take far longer."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def after_step(run, number, act):
    """Lets `run` call `act` at the end of a step, before anything is written of it."""
    make, made = run._step_function, []

    def step(batch):
        values = make(batch)
        made.append(1)
        if len(made) == number:
            act()
        return values

    run._step_function = step


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_after_the_step_in_hand(pattern, tmp_path, eagerly, number, status):
    made = config(pattern, tmp_path / "run", checkpoint_every_steps=100)
    run = loop.Run(loop.plan(made))
    after_step(run, 1, lambda: os.kill(os.getpid(), number))
    with pytest.raises(Stopped, match="after step 1 of 6.*same command continues") as stopped:
        run.train()
    assert stopped.value.status == status
    rest = loop.Run(loop.plan(made))
    assert rest.first_step == 1
    for name, value in variables(run).items():
        np.testing.assert_array_equal(value, variables(rest)[name], err_msg=name)


def test_records_that_vanish_are_named_and_the_steps_before_are_saved(pattern, tmp_path, eagerly):
    shard = tmp_path / "gone.tfrecord-00000-of-00001"
    shard.write_bytes(Path(records.find_shards(pattern)[0]).read_bytes())
    made = config(
        str(shard), tmp_path / "run", eval_records=pattern, batch_size=6, epochs=500,
        checkpoint_every_steps=10_000, sample_every_steps=10_000,
    )  # fmt: skip
    run = loop.Run(loop.plan(made))
    after_step(run, 1, shard.unlink)
    with pytest.raises(UserError, match="gone.tfrecord.*cannot be read any more"):
        run.train()
    with pytest.raises(UserError, match="no record files match"):
        loop.plan(made)
    shard.write_bytes(Path(records.find_shards(pattern)[0]).read_bytes())
    assert loop.Run(loop.plan(made)).first_step >= 1


def test_evaluation_scores_keeps_the_best_and_changes_nothing_else(pattern, tmp_path, eagerly):
    made = config(pattern, tmp_path / "plain", max_steps=3)
    plain = loop.Run(loop.plan(made))
    plain.train()
    watched = loop.Run(loop.plan(dataclasses.replace(
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
        "eval/psnr": [1, 2, 3], "eval/mix_fidelity": [1, 2, 3],
    }  # fmt: skip
    psnr = scores["eval/psnr"]
    _, step = checkpoints.find(watched.folder / "checkpoints", "best")
    assert step == max(psnr, key=psnr.get)
    run_directory.load_model(str(watched.folder), "best")


def test_no_such_metric(pattern, tmp_path):
    with pytest.raises(UserError, match="--best_metric: no metric 'fid'; valid names: psnr"):
        loop.plan(config(pattern, tmp_path, best_metric="fid"))


def test_other_records_are_refused_naming_the_shard(finished, pattern, tmp_path):
    other = tiny.write_records(tmp_path / "records", 5, draw=tiny.noise)
    made = config(other, finished.folder)
    with pytest.raises(UserError, match="records: tiny.tfrecord-00000-of-00001: .* bytes -> "):
        loop.plan(made)
    planned = loop.plan(dataclasses.replace(made, allow_changes=True))
    assert len(planned.changes) == 1
    moved = tmp_path / "moved"
    Path(records.find_shards(pattern)[0]).parent.rename(moved)
    try:
        assert loop.plan(config(str(moved / "*.tfrecord-*"), finished.folder)).changes == []
    finally:
        moved.rename(Path(pattern).parent)
