"""A real run on tiny records: what it leaves behind, and how it is continued."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.plugins.hparams import metadata, plugin_data_pb2

from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.method import METHOD
from lorbms_tf.training import checkpoints, loop, planning, run_directory
from tests import tiny
from tests.training.making import config, variables

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def finished(pattern, tmp_path_factory, eagerly):
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
    assert metadata.EXPERIMENT_TAG not in logged  # it would hide the settings from the tab


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


def test_sizes_that_do_not_fit_are_a_user_error(pattern, tmp_path):
    small = config(
        pattern, tmp_path, image_size=16, encoder_layers=(1,) * 3, decoder_layers=(1,) * 3,
        decoder_widths=(4,) * 3,
    )  # fmt: skip
    with pytest.raises(UserError, match="28"):  # the least that the classifier can read
        loop.build_model(METHOD, small, 1)


def test_loading_a_finished_run(finished):
    model, loaded = run_directory.load_model(str(finished.folder))
    assert loaded.tau == 2.0
    for name, value in variables(finished).items():
        np.testing.assert_array_equal(
            value, checkpoints.model_variables(model)[name].numpy(), err_msg=name
        )


def test_a_run_older_than_the_epsilon_goes_on_bit_for_bit(pattern, tmp_path):
    def trained(folder, **changes):
        made = config(pattern, tmp_path / folder, **{"max_steps": 3, **changes})
        run = loop.Run(planning.plan(made))
        run.train()
        return run

    whole = variables(trained("whole", adam_epsilon=1e-7))
    trained("halves", adam_epsilon=1e-7, max_steps=2)
    path = tmp_path / "halves" / "config.json"
    values = json.loads(path.read_text())
    del values["adam_epsilon"], values["command"]
    path.write_text(json.dumps(values))
    second = trained("halves")
    assert second.first_step == 2
    for name, value in variables(second).items():
        np.testing.assert_array_equal(value, whole[name], err_msg=name)


def test_a_first_try_with_wrong_settings_can_be_corrected(pattern, tmp_path):
    run = loop.Run(planning.plan(config(pattern, tmp_path / "run", seed=1)))
    assert run.first_step == 0  # no checkpoint was written
    planning.plan(config(pattern, tmp_path / "run", chunk_size=6))


def test_other_records_are_refused_naming_the_shard(finished, pattern, tmp_path):
    other = tiny.write_records(tmp_path / "records", 5, draw=tiny.noise)
    made = config(other, finished.folder)
    with pytest.raises(UserError, match="records: tiny.tfrecord-00000-of-00001: .* bytes -> "):
        planning.plan(made)
    planned = planning.plan(dataclasses.replace(made, allow_changes=True))
    assert len(planned.changes) == 1
    moved = shutil.copytree(Path(pattern).parent, tmp_path / "moved")
    assert planning.plan(config(str(moved / "*.tfrecord-*"), finished.folder)).changes == []
