"""The flagfiles of training: each parses, is valid, and says how it is used."""

import dataclasses
import json
from pathlib import Path

import pytest

from lorbms_tf.cli.settings import from_dict
from lorbms_tf.distances.distance_config import DistanceConfig
from lorbms_tf.lorbms import config
from tests import copies

ROOT = Path(__file__).resolve().parent.parent
FLAGFILES = sorted((ROOT / "configs").glob("*.cfg"))
PLACES = {"records": "some/records/*", "run_dir": "some/run"}

# In a process of its own: absl's flags are global, and other tests define some of the same names.
PARSE = """
import json, sys
from absl import flags as absl_flags
from lorbms_tf.cli import flags, settings
from lorbms_tf.lorbms import config
flags.define(config.LorbmsConfig)
rest = absl_flags.FLAGS(["train", *sys.argv[1:]])
assert rest == ["train"], rest
print(json.dumps(settings.to_dict(flags.read(config.LorbmsConfig))))
"""


def parse(flagfile):
    """The validated configuration that the flagfile, records and a run directory give."""
    words = [f"--flagfile={flagfile}", *(f"--{name}={value}" for name, value in PLACES.items())]
    done = copies.run(["-c", PARSE, *words])
    assert done.returncode == 0, done.stderr
    return from_dict(config.LorbmsConfig, json.loads(done.stdout), str(flagfile))


def flag_lines(flagfile):
    lines = flagfile.read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def test_the_flagfiles_that_the_documents_name_are_there():
    assert {"thesis.cfg", "quickstart.cfg"} <= {path.name for path in FLAGFILES}


@pytest.mark.parametrize("flagfile", FLAGFILES, ids=lambda path: path.name)
def test_it_parses_and_is_valid(flagfile):
    made = parse(flagfile)
    assert {name: getattr(made, name) for name in PLACES} == PLACES


@pytest.mark.parametrize("flagfile", FLAGFILES, ids=lambda path: path.name)
def test_no_flag_is_given_twice_and_no_place_at_all(flagfile):
    names = [line.split("=")[0].removeprefix("--") for line in flag_lines(flagfile)]
    assert len(names) == len(set(names))
    # Where data and runs lie is for the command line to say.
    assert not {"records", "eval_records", "run_dir"} & set(names)


@pytest.mark.parametrize("flagfile", FLAGFILES, ids=lambda path: path.name)
def test_its_first_comment_names_the_command(flagfile):
    lines = flagfile.read_text().splitlines()
    block = []
    for line in lines:
        if not line.startswith("#"):
            break
        block.append(line.lstrip("# ").removesuffix("\\").strip())
    text = " ".join(block)
    assert f"python -m lorbms_tf.train --flagfile=configs/{flagfile.name} " in text
    assert "--records=" in text and "--run_dir=" in text


def test_the_thesis_is_the_defaults():
    assert parse(ROOT / "configs" / "thesis.cfg") == config.LorbmsConfig(**PLACES)


def test_the_thesis_names_every_setting_of_the_model():
    lines = flag_lines(ROOT / "configs" / "thesis.cfg")
    names = {line.split("=")[0].removeprefix("--") for line in lines}
    settings = {field.name for field in dataclasses.fields(config.ModelConfig)}
    of_distances = {field.name for field in dataclasses.fields(DistanceConfig)}  # it has none
    assert settings - of_distances <= names
