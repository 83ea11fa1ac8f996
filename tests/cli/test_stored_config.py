"""What folders say that they are, and which settings a run goes on with."""

import dataclasses
import json

import pytest

from lorbms_tf.cli import stored_config
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.config import LorbmsConfig
from lorbms_tf.probing.settings import TransferConfig
from lorbms_tf.pseudo_labels import run_folder
from lorbms_tf.training import run_directory, sweep
from tests import tiny
from tfrecords_tools.deepcluster_config import DeepClusterConfig

DEEPCLUSTER, TRANSFER = "tfrecords_tools.deepcluster", "lorbms_tf.knowledge_transfer"
RUNS = {
    stored_config.TRAINING: tiny.config(),
    DEEPCLUSTER: DeepClusterConfig(images="photos", out="run"),
    TRANSFER: TransferConfig(images="photos", out="run"),
}


def forget_command(folder):
    """Makes config.json what it was before it told the command."""
    path = folder / "config.json"
    values = json.loads(path.read_text())
    del values["command"]
    path.write_text(json.dumps(values))


@pytest.mark.parametrize("kind", RUNS)
@pytest.mark.parametrize("old", [False, True], ids=["today's", "old"])
def test_each_run_says_what_it_is_and_opens(tmp_path, kind, old):
    stored_config.write(tmp_path, kind, RUNS[kind])
    if old:
        forget_command(tmp_path)
    assert stored_config.content(tmp_path) == f"a run of {kind}"
    assert stored_config.is_begun(tmp_path, kind, "--out=x")
    assert stored_config.read(tmp_path, kind, type(RUNS[kind]), "--out=x") == RUNS[kind]


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("full/seed_0.cfg", "a run of lorbms_tf.sweep"),
        ("dataset.json", "records of tfrecords_tools.build"),
        ("1/saved_model.pb", "exports of lorbms_tf.export"),
        ("saved_model.pb", "a SavedModel"),
        ("notes.txt", ""),
    ],
)
def test_other_folders_are_known_by_their_files(tmp_path, file, told):
    assert stored_config.content(tmp_path) == ""
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).touch()
    assert stored_config.content(tmp_path) == told


def test_folders_of_a_command_that_had_another_name_are_gone_on_with(tmp_path):
    (tmp_path / "config.json").write_text('{"command": "lorbms_tf.ablate"}')
    assert stored_config.content(tmp_path) == "a run of lorbms_tf.sweep"
    assert stored_config.is_begun(tmp_path, stored_config.SWEEP, "--out=x")
    with pytest.raises(UserError, match="a run of lorbms_tf.sweep, no run of lorbms_tf.train"):
        stored_config.is_begun(tmp_path, stored_config.TRAINING, "--out=x")


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("held", [DEEPCLUSTER, TRANSFER, stored_config.SWEEP])
@pytest.mark.parametrize("old", [False, True], ids=["today's", "old"])
def test_no_training_in_a_folder_of_another_command(tmp_path, held, old):
    stored_config.write(tmp_path, held, RUNS.get(held))
    if old and held in RUNS:
        forget_command(tmp_path)
    before = contents(tmp_path)
    reason = f"--run_dir=.* holds a run of {held}, no run of lorbms_tf.train: name another folder"
    with pytest.raises(UserError, match=reason):
        run_directory.prepare(tiny.config(run_dir=str(tmp_path)))
    with pytest.raises(UserError, match=f"a run of {held}, not of lorbms_tf.train"):
        run_directory.read_config(str(tmp_path))
    assert contents(tmp_path) == before


def test_no_training_among_records_and_none_opened_there(tmp_path):
    (tmp_path / "dataset.json").write_text("{}")
    with pytest.raises(UserError, match="holds records of tfrecords_tools.build"):
        run_directory.prepare(tiny.config(run_dir=str(tmp_path)))
    with pytest.raises(UserError, match="no run directory: it holds records of"):
        run_directory.read_config(str(tmp_path))


@pytest.mark.parametrize("kind", [DEEPCLUSTER, TRANSFER])
def test_pseudo_labels_leave_a_run_of_training_alone(tmp_path, kind):
    tiny.write_run(tmp_path)
    before = contents(tmp_path)
    settings = dataclasses.replace(RUNS[kind], out=str(tmp_path))
    with pytest.raises(UserError, match="--out=.* holds a run of lorbms_tf.train, no run of"):
        run_folder.prepare(settings, kind)
    assert contents(tmp_path) == before


def test_somebody_elses_configuration_is_not_replaced(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UserError, match="holds no run of lorbms_tf.train"):
        run_directory.prepare(tiny.config(run_dir=str(tmp_path)))


def test_names_that_no_disk_takes_are_no_run_directories():
    name = "x" * 300
    with pytest.raises(UserError, match="is no run directory"):
        run_directory.read_config(name)
    asked = tiny.config(run_dir=name)
    assert run_directory.continued(asked) == asked and run_directory.check(asked) == []
    with pytest.raises(UserError, match="cannot write x+"), run_directory.locked(name):
        pass


def without(folder, name):
    """A run directory as it was before there was the setting."""
    path = folder / "config.json"
    values = json.loads(path.read_text())
    del values[name]
    path.write_text(json.dumps(values))


def test_a_run_older_than_the_epsilon_keeps_its_own(tmp_path, capsys):
    asked = tiny.config(run_dir=str(tmp_path))
    assert asked.adam_epsilon == 1e-8
    assert run_directory.continued(asked) == asked  # nothing is there yet
    tiny.write_run(tmp_path)
    assert run_directory.continued(asked) == asked
    without(tmp_path, "adam_epsilon")
    assert run_directory.read_config(str(tmp_path)).adam_epsilon == 1e-7
    kept = run_directory.continued(asked)
    assert kept == dataclasses.replace(asked, adam_epsilon=1e-7)
    assert f"{tmp_path} was begun with --adam_epsilon=1e-07" in capsys.readouterr().err
    assert run_directory.check(kept) == []
    run_directory.prepare(kept)  # which writes it down
    assert run_directory.continued(asked) == kept
    other = dataclasses.replace(asked, adam_epsilon=1e-3)
    assert run_directory.continued(other) == other
    with pytest.raises(UserError, match="adam_epsilon: 1e-07 -> 0.001"):
        run_directory.check(other)


def test_all_trials_of_a_sweep_go_on_as_those_that_are_begun(tmp_path):
    trials = [
        sweep.Trial(name, tiny.config(run_dir=str(tmp_path / name)), tmp_path / name)
        for name in ("first", "second")
    ]
    assert sweep.continued(trials) == trials
    tiny.write_run(tmp_path / "second")
    without(tmp_path / "second", "adam_epsilon")
    assert [trial.config.adam_epsilon for trial in sweep.continued(trials)] == [1e-7, 1e-7]


def test_the_shipped_model_was_trained_with_the_former_epsilon():
    made = run_directory.read_config("pretrained:scenes64")
    assert isinstance(made, LorbmsConfig) and made.adam_epsilon == 1e-7


def test_differences_leave_out_what_may_change():
    old = LorbmsConfig()
    new = dataclasses.replace(old, epochs=7, records="other", chunk_size=96)
    assert stored_config.differences(old, new) == ["chunk_size: 192 -> 96"]
