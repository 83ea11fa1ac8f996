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
from tensorboard.plugins.hparams import metadata, plugin_data_pb2

from lorbms_tf import run_directory
from lorbms_tf.data import records
from lorbms_tf.errors import Stopped, UserError
from lorbms_tf.training import checkpoints, loop, planning
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
    run = loop.Run(planning.plan(config(pattern, tmp_path_factory.mktemp("runs") / "whole")))
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


@pytest.fixture(scope="module")
def logged(finished):
    """Step -> value of every tag in the event files."""
    seen = {}
    for path in (finished.folder / "logs").glob("events*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                seen.setdefault(value.tag, {})[event.step] = value
    return seen


NETWORKS = ["encoder", "decoder", "discriminator", "classifier"]
SCALARS = {
    "loss": [
        *("generator", "reconstruction", "adversarial", "classifier_generator"),
        *("discriminator", "classifier"),
    ],
    "share": ["reconstruction", "adversarial", "classifier"],
    "probability": ["real", "fake"],
    "accuracy": [
        *("discriminator_real", "discriminator_fake", "classifier_bits", "classifier_pairs"),
        *(f"classifier_bit_{i}" for i in (1, 2, 3, 4)),
    ],
    "mix": ["replaced_quadrants", "replaced_distance"],
    "diversity": ["mix"],
    "psnr": ["train"],
    "gradient_norm": NETWORKS,
    "sigma": ["decoder_mean", "decoder_max", "discriminator_mean", "discriminator_max"],
    "learning_rate": ["generator", "discriminator", "classifier"],
    "speed": ["images_per_second", "waiting_for_input"],
    "progress": ["epoch"],
}


def test_tensorboard_has_every_scalar_at_its_steps(logged):
    names = [f"{group}/{name}" for group, members in SCALARS.items() for name in members]
    values = {name: logged[name] for name in names}
    for name, by_step in values.items():
        assert list(by_step) == [2, 4, 6], name
    numbers = {
        name: [float(tf.make_ndarray(value.tensor)) for value in by_step.values()]
        for name, by_step in values.items()
    }
    assert np.all(np.isfinite(list(numbers.values())))
    for i in range(3):
        shares = [numbers[f"share/{n}"][i] for n in ("reconstruction", "adversarial", "classifier")]
        assert sum(shares) == pytest.approx(1.0, abs=1e-5)
        weighted = 0.904 * numbers["loss/reconstruction"][i] / numbers["loss/generator"][i]
        assert shares[0] == pytest.approx(weighted, rel=1e-4)
        assert 0 <= numbers["speed/waiting_for_input"][i] <= 1
        assert numbers["gradient_norm/encoder"][i] > 0
    assert numbers["progress/epoch"] == pytest.approx([2 / 3, 4 / 3, 2.0])


def test_tensorboard_has_pictures_configuration_and_hyperparameters(logged):
    assert list(logged["scenes"]) == [0, 3, 6]
    (text,) = tf.make_ndarray(logged["configuration"][0].tensor).ravel()
    assert b"--batch_size=2" in text
    written = plugin_data_pb2.HParamsPluginData.FromString(
        logged[metadata.SESSION_START_INFO_TAG][0].metadata.plugin_data.content
    ).session_start_info.hparams
    assert written["lambda_rec"].number_value == 0.904
    assert written["encoder_layers"].string_value == "1,1,1,1"
    assert metadata.EXPERIMENT_TAG in logged


def test_a_run_cut_in_two_equals_the_whole(finished, pattern, tmp_path):
    half = config(pattern, tmp_path / "cut", max_steps=3)
    assert loop.Run(planning.plan(half)).train() == 3
    rest = loop.Run(planning.plan(dataclasses.replace(half, max_steps=0)))
    assert rest.first_step == 3 and rest.train() == 3
    whole = variables(finished)
    for name, value in variables(rest).items():
        np.testing.assert_array_equal(value, whole[name], err_msg=name)
    assert loop.Run(planning.plan(dataclasses.replace(half, max_steps=0))).train() == 0


def test_autoencoder_steps_come_first_and_are_continued_where_it_was_cut(pattern, tmp_path):
    settings = {"autoencoder_steps": 3, "log_every_steps": 1, "sample_every_steps": 9}
    half = config(pattern, tmp_path / "cut", max_steps=2, **settings)
    loop.Run(planning.plan(half)).train()
    rest = loop.Run(planning.plan(dataclasses.replace(half, max_steps=5)))
    start = [v.numpy() for v in rest.model.classifier.variables]
    assert rest.train() == 3
    assert any(
        not np.array_equal(old, new.numpy())
        for old, new in zip(start, rest.model.classifier.variables, strict=True)
    )
    seen = {}
    for path in (rest.folder / "logs").glob("events*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                seen.setdefault(value.tag, []).append(event.step)
    assert sorted(seen["loss/autoencoder"]) == [1, 2, 3]
    assert seen["loss/generator"] == [4, 5]
    assert sorted(seen["psnr/train"]) == [1, 2, 3, 4, 5]


def test_another_configuration_is_refused_naming_the_difference(finished, pattern):
    other = config(pattern, finished.folder, chunk_size=6, epochs=3)
    with pytest.raises(UserError, match="chunk_size: 4 -> 6") as caught:
        loop.Run(planning.plan(other))
    assert "epochs" not in str(caught.value)


def test_a_folder_that_is_no_run(pattern, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="not empty and holds no run"):
        loop.Run(planning.plan(config(pattern, tmp_path)))


def test_planning_writes_nothing_and_counts_steps(pattern, tmp_path):
    planned = planning.plan(config(pattern, tmp_path / "run", max_steps=5))
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
    assert planning.resolve_tau(made, [str(shard)]).tau == pytest.approx(tau)


def test_tau_quantile_without_dataset_json(pattern, tmp_path):
    with pytest.raises(UserError, match="dataset.json"):
        planning.plan(config(pattern, tmp_path, tau_quantile=0.5))


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
        planning.plan(
            config(str(tmp_path / "bad*"), tmp_path / "run", eval_records=pattern, max_steps=1)
        )
    )
    with pytest.raises(UserError, match=r"bad.tfrecord\S+, record \d.*tfrecords_tools.inspect"):
        run.train()


def test_a_first_try_with_wrong_settings_can_be_corrected(pattern, tmp_path):
    run = loop.Run(planning.plan(config(pattern, tmp_path / "run", seed=1)))
    assert run.first_step == 0  # no checkpoint was written
    planning.plan(config(pattern, tmp_path / "run", chunk_size=6))


def test_a_diverged_run_does_not_overwrite_its_checkpoints(pattern, tmp_path):
    run = loop.Run(
        planning.plan(config(pattern, tmp_path, generator_learning_rate=1e30, keep_checkpoints=1))
    )
    with pytest.raises(UserError, match="loss/generator.* not finite at step") as caught:
        run.train()
    # The sixth step, the last, would have been saved too.
    good = tf.train.latest_checkpoint(str(tmp_path / "checkpoints"))
    said = f"that of step {good.rpartition('-')[2]} in" if good else "No checkpoint was written"
    assert said in str(caught.value)


def test_tau_beyond_all_distances_is_warned_of(pattern, tmp_path):
    planned = planning.plan(config(pattern, tmp_path))
    shard = str(records.shard_path(tmp_path, "a", 0, 1))
    (tmp_path / "dataset.json").write_text(json.dumps({"distance_quantiles": {"0": 3, "1": 9}}))
    planned = dataclasses.replace(planned, shards=[shard])
    assert "--tau=2 lies outside" in planning.tau_warning(planned)
    inside = dataclasses.replace(planned.config, tau=5.0)
    assert planning.tau_warning(dataclasses.replace(planned, config=inside)) == ""


def test_quantiles_of_two_folders_are_not_mixed(pattern, tmp_path):
    shards = [str(tmp_path / name / "a.tfrecord") for name in ("one", "two")]
    with pytest.raises(UserError, match="one folder"):
        planning.resolve_tau(config(pattern, tmp_path, tau_quantile=0.5), shards)


def test_the_length_of_a_cosine_run_is_part_of_it(pattern, tmp_path):
    made = config(pattern, tmp_path, schedule="cosine", max_steps=1, sample_every_steps=9)
    loop.Run(planning.plan(made)).train()
    with pytest.raises(UserError, match="max_steps: 1 -> 2"):
        planning.plan(dataclasses.replace(made, max_steps=2))


def test_held_out_records_cut_short(pattern, tmp_path):
    whole = Path(records.find_shards(pattern)[0]).read_bytes()
    (tmp_path / "cut.tfrecord-00000-of-00001").write_bytes(whole[:-9])
    made = config(pattern, tmp_path / "run", eval_records=str(tmp_path / "cut*"))
    with pytest.raises(UserError, match="cut.tfrecord.* is cut short"):
        loop.Run(planning.plan(made)).train()


@pytest.fixture
def eagerly():
    """For runs of few steps: tracing would take far longer."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def after_step(run, number, act):
    """Lets `run` call `act` at the end of a step, before anything is written of it."""
    make, made = run._train_step, []

    def step(batch):
        values = make(batch)
        made.append(1)
        if len(made) == number:
            act()
        return values

    run._train_step = step


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_after_the_step_in_hand(pattern, tmp_path, eagerly, number, status):
    made = config(pattern, tmp_path / "run", checkpoint_every_steps=100)
    run = loop.Run(planning.plan(made))
    after_step(run, 2, lambda: os.kill(os.getpid(), number))
    with pytest.raises(Stopped, match="after step 2 of 6.*same command continues") as stopped:
        run.train()
    assert stopped.value.status == status
    rest = loop.Run(planning.plan(made))
    assert rest.first_step == 2
    for name, value in variables(run).items():
        np.testing.assert_array_equal(value, variables(rest)[name], err_msg=name)


def test_records_that_vanish_are_named_and_the_steps_before_are_saved(pattern, tmp_path, eagerly):
    shard = tmp_path / "gone.tfrecord-00000-of-00001"
    shard.write_bytes(Path(records.find_shards(pattern)[0]).read_bytes())
    made = config(
        str(shard), tmp_path / "run", eval_records=pattern, batch_size=6, epochs=500,
        checkpoint_every_steps=10_000, sample_every_steps=10_000,
    )  # fmt: skip
    run = loop.Run(planning.plan(made))
    after_step(run, 1, shard.unlink)
    with pytest.raises(UserError, match="gone.tfrecord.* cannot be read any more"):
        run.train()
    with pytest.raises(UserError, match="no record files match"):
        planning.plan(made)
    shard.write_bytes(Path(records.find_shards(pattern)[0]).read_bytes())
    assert loop.Run(planning.plan(made)).first_step >= 1


def test_evaluation_scores_keeps_the_best_and_changes_nothing_else(pattern, tmp_path, eagerly):
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
        "eval/psnr": [1, 2, 3], "eval/mix_fidelity": [1, 2, 3],
    }  # fmt: skip
    psnr = scores["eval/psnr"]
    _, step = checkpoints.find(watched.folder / "checkpoints", "best")
    assert step == max(psnr, key=psnr.get)
    run_directory.load_model(str(watched.folder), "best")


def test_no_such_metric(pattern, tmp_path):
    with pytest.raises(UserError, match="--best_metric: no metric 'fid'; valid names: psnr"):
        planning.plan(config(pattern, tmp_path, best_metric="fid"))


def test_other_records_are_refused_naming_the_shard(finished, pattern, tmp_path):
    other = tiny.write_records(tmp_path / "records", 5, draw=tiny.noise)
    made = config(other, finished.folder)
    with pytest.raises(UserError, match="records: tiny.tfrecord-00000-of-00001: .* bytes -> "):
        planning.plan(made)
    planned = planning.plan(dataclasses.replace(made, allow_changes=True))
    assert len(planned.changes) == 1
    moved = tmp_path / "moved"
    Path(records.find_shards(pattern)[0]).parent.rename(moved)
    try:
        assert planning.plan(config(str(moved / "*.tfrecord-*"), finished.folder)).changes == []
    finally:
        moved.rename(Path(pattern).parent)
