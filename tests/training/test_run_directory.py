import dataclasses
import json
import subprocess
import sys

import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.training import run_directory
from tests import tiny


def test_ordinary_names_are_paths(tmp_path):
    assert run_directory.resolve(str(tmp_path)) == tmp_path


def test_an_unknown_pretrained_name_lists_the_valid_ones():
    with pytest.raises(UserError, match="pretrained:nothing.*valid names"):
        run_directory.resolve("pretrained:nothing")


def test_preparing_makes_it_and_does_so_again(tmp_path):
    config = tiny.config(run_dir=str(tmp_path / "run"))
    folder = run_directory.prepare(config)
    assert {p.name for p in folder.iterdir()} == {
        "config.json", "checkpoints", "logs", "samples",
    }  # fmt: skip
    assert run_directory.prepare(config) == folder
    assert run_directory.read_config(str(folder)) == config


def trained(folder, data=None):
    """A run directory in which a checkpoint seems to lie."""
    config = tiny.config(run_dir=str(folder))
    run_directory.prepare(config, data)
    (folder / "checkpoints" / "step-1.index").touch()
    return config


def shard(name="a", size=3):
    return {"file": name, "bytes": size, "sha256": None}


def test_other_records_are_refused_unless_told_otherwise(tmp_path):
    config = trained(tmp_path, [shard()])
    assert run_directory.check(config, [shard()]) == []
    assert run_directory.check(config) == []
    with pytest.raises(UserError, match="records: a: 3 bytes -> 4 bytes"):
        run_directory.check(config, [shard(size=4)])
    told = dataclasses.replace(config, allow_changes=True, chunk_size=6)
    changes = run_directory.check(told, [shard("b")])
    assert changes == ["chunk_size: 4 -> 6", "records: a: gone", "records: b: new"]
    run_directory.prepare(told, [shard("b")])
    # From now on they are the run's own; what was allowed once is not allowed for ever.
    once = dataclasses.replace(told, allow_changes=False)
    assert run_directory.check(once, [shard("b")]) == []
    assert run_directory.read_config(str(tmp_path)) == once


def test_a_run_older_than_the_list_of_its_records_goes_on(tmp_path):
    config = trained(tmp_path)
    assert run_directory.check(config, [shard()]) == []


def test_a_first_start_killed_at_its_first_file_can_be_repeated(tmp_path):
    (tmp_path / "lock").touch()
    (tmp_path / ".config.json.123.tmp").write_text("{")
    run_directory.prepare(tiny.config(run_dir=str(tmp_path)))
    assert not list(tmp_path.glob(".*"))


HOLD = """
import sys
from lorbms_tf.training import run_directory
with run_directory.locked(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_training_is_refused_until_the_first_has_ended_or_was_killed(tmp_path):
    folder = str(tmp_path / "run")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    message = f"trained in by process {holder.pid} on .*name another folder"
    with pytest.raises(UserError, match=message), run_directory.locked(folder):
        pass
    holder.kill()
    holder.communicate()
    for _ in range(2):
        with run_directory.locked(folder):
            pass


def test_a_read_only_run_directory_is_a_clear_error(tmp_path):
    folder = tmp_path / "run"
    config = tiny.config(run_dir=str(folder))
    run_directory.prepare(config)
    with tiny.read_only(folder):
        with pytest.raises(UserError, match="cannot write .*run"), run_directory.locked(folder):
            pass
        with pytest.raises(UserError, match="cannot write .*config.json: Permission denied"):
            run_directory.prepare(config)
    assert run_directory.read_config(str(folder)) == config


def test_no_training_inside_the_package():
    with pytest.raises(UserError, match="not trained on"):
        run_directory.prepare(tiny.config(run_dir="pretrained:scenes64"))


def test_a_name_that_the_system_refuses_is_no_run(tmp_path):
    with pytest.raises(UserError, match="is no run directory"):
        run_directory.read_config(str(tmp_path / ("n" * 300)))


def test_a_folder_without_configuration(tmp_path):
    with pytest.raises(UserError, match="no run directory"):
        run_directory.load_model(str(tmp_path))


def test_no_checkpoint_yet(tmp_path):
    run_directory.prepare(tiny.config(run_dir=str(tmp_path)))
    with pytest.raises(UserError, match="no checkpoint"):
        run_directory.load_model(str(tmp_path))


@pytest.mark.parametrize("text", ["not json", json.dumps({"color": 1})])
def test_a_broken_configuration_names_its_file(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(UserError, match="config.json"):
        run_directory.read_config(str(tmp_path))


def test_a_run_of_the_former_order_is_told_of_the_new_one(tmp_path):
    folder = tiny.write_run(tmp_path / "run")
    assert run_directory.retired(str(folder)) == run_directory.retired(str(tmp_path)) == []
    path = folder / run_directory.CONFIG_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "shuffle_buffer": 64}))
    (line,) = run_directory.retired(str(folder))
    assert "another order" in line and "\n" not in line
    assert run_directory.check(run_directory.read_config(str(folder))) == []
