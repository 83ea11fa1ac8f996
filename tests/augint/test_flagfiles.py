"""The flagfiles of configs/augint: each parses, is valid, and says how it is used."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from lorbms_tf.augint.config import AugintConfig
from tests import copies

ROOT = Path(__file__).resolve().parents[2]
FLAGFILES = sorted((ROOT / "configs" / "augint").glob("*.cfg"))

# In a process of its own: absl's flags are global. The settings by the first command of each file.
PARSE = """
import json, sys
from absl.flags import FLAGS
from lorbms_tf import methods
from lorbms_tf.cli import flags, settings
from lorbms_tf.training.run_directory import MethodConfig

method = methods.get("augint")
kinds = {"train": method.config, "evaluate": method.evaluation.config}
kinds |= {f"render {name}": sheet.config for name, sheet in method.sheets.items()}
done = {}
for item in sys.argv[1:]:
    door, path = item.split("=", 1)
    for name in list(FLAGS):
        delattr(FLAGS, name)
    kind = kinds[door]
    flags.define(kind)
    flags.define(MethodConfig)
    places = {"run_dir": "some/run", "photos": "some/photos", "out": "some.png"}
    words = [f"--{name}={value}" for name, value in places.items() if name in FLAGS]
    assert FLAGS(["door", *flags.flagfile_lines(path), *words]) == ["door"], path
    done[path] = settings.to_dict(flags.read(kind))
print(json.dumps(done))
"""


def head(path):
    """Its first comments as one line."""
    lines = path.read_text().splitlines()
    block = [line.lstrip("# ").removesuffix("\\").strip() for line in lines if line.startswith("#")]
    return " ".join(block)


def door(path):
    return re.search(
        r"python -m lorbms_tf\.(train|evaluate|render \w+) --flagfile=(\S+)", head(path)
    )


@pytest.mark.parametrize("path", FLAGFILES, ids=lambda path: path.stem)
def test_its_head_names_command_and_expectation(path):
    found = door(path)
    assert found and found[2] == str(path.relative_to(ROOT))
    assert "# Expect" in path.read_text()


@pytest.fixture(scope="module")
def parsed():
    words = [f"{door(path)[1]}={path.relative_to(ROOT)}" for path in FLAGFILES]
    done = copies.run(["-c", PARSE, *words])
    assert done.returncode == 0, done.stderr
    return {Path(name).stem: values for name, values in json.loads(done.stdout).items()}


def test_all_parse_and_are_valid(parsed):
    assert set(parsed) == {path.stem for path in FLAGFILES}
    trained = {values["objective"] for values in parsed.values() if "objective" in values}
    assert trained == {"augint", "ae", "intae", "vae", "wgan_gp", "dagan"}


def test_the_characters_are_the_defaults(parsed):
    defaults = dataclasses.asdict(AugintConfig(run_dir="some/run", photos="some/photos"))
    assert {**parsed["characters28"]} == json.loads(json.dumps(defaults))


def test_those_with_critics_train_twice_as_long(parsed):
    assert parsed["wgan_gp"]["epochs"] == parsed["dagan"]["epochs"] == 200
    assert parsed["characters28"]["epochs"] == parsed["intae"]["epochs"] == 100
