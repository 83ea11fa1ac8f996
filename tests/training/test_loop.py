"""A real run on tiny records: what it leaves behind, and how it is continued."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lorbms_tf import run_directory
from lorbms_tf.data import records
from lorbms_tf.errors import UserError
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
        np.testing.assert_allclose(value, whole[name], atol=1e-5, err_msg=name)
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
    with pytest.raises(UserError, match=r"bad.tfrecord\S+, record \d.*tfrecords_tools.inspect"):
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
