"""The flagfiles of tables, figures and variants fit their doors; documents name what there is."""

import importlib
import re

import pytest

from lorbms_tf.lorbms.config import LorbmsConfig
from lorbms_tf.sweep import SweepConfig
from tests.documents import DOCUMENTS, ROOT

FLAGFILES = sorted((ROOT / "configs").glob("*/*.cfg"))
TEXT = "\n".join(document.read_text("utf-8") for document in DOCUMENTS)
OURS = ("ablation", "eval", "perceptual")


def flags_of(path):
    """Names and values of a flagfile, those of the flagfiles in it first."""
    found = {}
    for line in path.read_text().splitlines():
        if line.startswith("--flagfile="):
            found |= flags_of(ROOT / line.removeprefix("--flagfile="))
        elif line and not line.startswith("#"):
            name, _, value = line.removeprefix("--").partition("=")
            found[name] = value
    return found


def commands(path):
    """The commands in a flagfile's comments that take this file, as (module, line)."""
    text = path.read_text().replace("\\\n#", " ")
    name = path.relative_to(ROOT)
    return [
        (found[1], found[0])
        for found in re.finditer(r"python -m ([\w.]+)[^\n]*", text)
        if f"--flagfile={name}" in found[0]
    ]


def defaults_of(module):
    """The settings of a door and their defaults, those of the thesis's training among them."""
    if module == "lorbms_tf.train":
        return vars(LorbmsConfig())
    if module == "lorbms_tf.sweep":
        return vars(LorbmsConfig()) | vars(SweepConfig())
    known = vars(importlib.import_module(module)).values()
    kinds = [kind for kind in known if isinstance(kind, type) and kind.__module__ == module]
    return vars(next(kind for kind in kinds if kind.__name__.endswith("Config"))())


@pytest.mark.parametrize(
    "path", [p for p in FLAGFILES if p.parent.name in OURS], ids=lambda path: path.stem
)
def test_flagfiles_fit_their_doors(path):
    if path.parent.name == "ablation" and "metrics" not in flags_of(path):
        default, line = vars(LorbmsConfig()), "--records="  # a variant: flags of training
        assert "python -m lorbms_tf.sweep --flagfile=configs/" in path.read_text()
    else:
        told = commands(path)
        assert told, "no command in its comments"
        assert "# Expect" in path.read_text()
        default, line = defaults_of(told[0][0]), told[0][1]
    given = flags_of(path)
    for name in re.findall(r"--(\w+)=", line):
        assert name in {*default, "flagfile"}, name
    for name, value in given.items():
        if value or name in default:
            assert name in default, name
            if not isinstance(default[name], tuple):
                type(default[name])(value)
        else:
            assert isinstance(default[name.removeprefix("no")], bool), name


def test_files_that_flagfiles_name_are_there():
    for path in FLAGFILES:
        for name, value in flags_of(path).items():
            if name in ("variants", "pairs"):
                assert all((ROOT / one).is_file() for one in value.split(",")), value


def test_every_flagfile_is_in_the_documents_and_nothing_else():
    named = set(re.findall(r"configs/[\w/.]+\.cfg", TEXT))
    assert all((ROOT / name).is_file() for name in named)
    ours = {str(p.relative_to(ROOT)) for p in FLAGFILES if p.parent.name in ("eval", "perceptual")}
    assert ours <= named


def test_every_command_in_the_documents_is_there():
    modules = set(re.findall(r"python -m ((?:lorbms_tf|tfrecords_tools)\.\w+)", TEXT))
    assert len(modules) > 8
    for module in modules:
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), module
