import json

import pytest

from lorbms_tf import run_directory
from lorbms_tf.errors import UserError
from tests import tiny


def test_ordinary_names_are_paths(tmp_path):
    assert run_directory.resolve(str(tmp_path)) == tmp_path


def test_an_unknown_pretrained_name_lists_the_valid_ones():
    with pytest.raises(UserError, match="pretrained:nothing.*valid names"):
        run_directory.resolve("pretrained:nothing")


def test_preparing_makes_it_and_does_so_again(tmp_path):
    config = tiny.config(run_dir=str(tmp_path / "run"))
    folder = run_directory.prepare(config)
    assert {p.name for p in folder.iterdir()} == {"config.json", "checkpoints", "logs", "samples"}
    assert run_directory.prepare(config) == folder
    assert run_directory.read_config(str(folder)) == config


def test_no_training_inside_the_package():
    with pytest.raises(UserError, match="not trained on"):
        run_directory.prepare(tiny.config(run_dir="pretrained:scenes64"))


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
