"""The flagfiles of tables, figures and variants fit their doors; documents name what there is."""

import re
import shlex
import sys

import pytest

from lorbms_tf.lorbms.config import LorbmsConfig
from tests import command_runner
from tests.documents import DOCUMENTS, ROOT

FLAGFILES = sorted((ROOT / "configs").glob("**/*.cfg"))
TEXT = "\n".join(document.read_text("utf-8") for document in DOCUMENTS)
VARIANTS = ("ablation", "appendix_d")
OURS = (*VARIANTS, "augint", "chapter_5", "deepsim", "eval", "paths", "perceptual")


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
    """The commands in a flagfile's comments that take this file, as lists of words."""
    text = re.sub(r"\\\n# *", " ", path.read_text())
    name = path.relative_to(ROOT)
    return [
        shlex.split(found[1])
        for found in re.finditer(r"python -m ([\w.]+[^\n]*)", text)
        if f"--flagfile={name}" in found[0]
    ]


def defaults_of(words, monkeypatch):
    """The settings that a command defines flags for, and their defaults."""
    module, *rest = words
    monkeypatch.setattr(sys, "argv", ["door", *rest])
    monkeypatch.chdir(ROOT)
    defaults = {}
    with command_runner.flags_of(command_runner.door(module)) as (_, kinds):
        for kind in kinds:
            defaults |= vars(kind())
    return defaults


@pytest.mark.parametrize(
    "path", [p for p in FLAGFILES if p.parent.name in OURS], ids=lambda path: path.stem
)
def test_flagfiles_fit_their_doors(path, monkeypatch):
    if path.parent.name in VARIANTS and "metrics" not in flags_of(path):
        default, words = vars(LorbmsConfig()), ["", "--records="]  # a variant: flags of training
        assert "python -m lorbms_tf.sweep --flagfile=configs/" in path.read_text()
    else:
        told = commands(path)
        assert told, "no command in its comments"
        assert "# Expect" in path.read_text()
        default, words = defaults_of(told[0], monkeypatch), told[0]
    given = flags_of(path)
    for name in re.findall(r"--(\w+)=", " ".join(words)):
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
            if name in ("variants", "pairs") and not value.isdigit():
                assert all((ROOT / one).is_file() for one in value.split(",")), value


def test_every_flagfile_is_in_the_documents_and_nothing_else():
    named = set(re.findall(r"configs/[\w/.]+\.cfg", TEXT))
    assert all((ROOT / name).is_file() for name in named)
    ours = {str(p.relative_to(ROOT)) for p in FLAGFILES if p.parent.name in OURS[1:]}
    assert ours <= named


def test_every_command_in_the_documents_is_there():
    modules = set(re.findall(r"python -m ((?:lorbms_tf|tfrecords_tools)\.\w+)", TEXT))
    assert len(modules) > 8
    for module in modules:
        place = ROOT / module.replace(".", "/")
        assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file(), module
