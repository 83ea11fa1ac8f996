"""What every method's commands say: --help, --dry_run, and wrong flags."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lorbms_tf import methods, render
from lorbms_tf.cli import flags
from lorbms_tf.errors import UserError
from tests import copies
from tests.method_examples import EXAMPLES

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(params=methods.names())
def name(request):
    return request.param


def test_a_wrong_picture_is_named_with_the_valid_ones(name, monkeypatch):
    sheets = list(render.sheets_of(methods.get(name)))
    assert set(methods.get(name).sheets) | set(methods.shared_sheets()) == set(sheets)
    for word in (["no_such_picture"], []):
        monkeypatch.setattr(sys, "argv", ["render", f"--method={name}", *word])
        with pytest.raises(UserError, match=f"; valid: {', '.join(sheets)}"):
            render.main(["render", *word])


# One process for all doors of a method; each has a copy of it: flags are global.
HELP = """
import importlib, os, sys
name, folder, *doors = sys.argv[1:]
for door in doors:
    module = importlib.import_module(f"lorbms_tf.{door}")
    if not os.fork():
        sys.stdout = open(os.path.join(folder, door), "w")
        sys.argv = [door, f"--method={name}", "--help"]
        try:
            module.console_main()
        except SystemExit as end:
            sys.stdout.flush()
            assert "tensorflow" not in sys.modules, "help takes long"
            os._exit(end.code)
    assert os.wait()[1] == 0, door
"""


def test_the_help_of_each_door_shows_the_flags_of_the_method(name, tmp_path):
    method = methods.get(name)
    kinds = {
        "train": [method.config],
        "sweep": [method.config, method.evaluation.protocol],
        "evaluate": [method.evaluation.config],
        "report": [method.evaluation.config],
        "render": [sheet.config for sheet in method.sheets.values()],
        "benchmark": [method.config, *(one.config for one in method.benchmarks.values())],
    }
    folder = tmp_path / "help"
    folder.mkdir()
    command = [sys.executable, "-W", "ignore", "-c", HELP, name, str(folder), *kinds]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for door, classes in kinds.items():
        page = (folder / door).read_text()
        for kind in classes:
            for field in dataclasses.fields(kind):
                assert re.search(rf"^  --(\[no\])?{field.name}\b", page, re.M), (door, field.name)
        for sheet in method.sheets if door == "render" else ():
            assert f"  {sheet}: " in page


def door(*words):
    return copies.run(["-m", "lorbms_tf.train", *words])


def test_a_dry_run_prints_the_parameters_and_writes_nothing(name, tmp_path):
    source = methods.get(name).source
    settings = EXAMPLES[name].config(run_dir=str(tmp_path / "dry"), **{source: ""})
    done = door("--dry_run", *flags.as_text(settings).splitlines())
    assert done.returncode == 0, done.stderr
    assert f"--method={name}\n" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines() if not line.startswith("--")]
    counts = [int(row[-1].replace(",", "")) for row in rows if row and row[-1][0].isdigit()]
    assert counts and min(counts) > 0
    assert not (tmp_path / "dry").exists()


def test_a_wrong_flag_is_named(name):
    done = door(f"--method={name}", "--no_such_flag=1")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "no_such_flag" in done.stderr and "--help lists the flags" in done.stderr
    done = door(f"--method={name}", "--jit=perhaps")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "--jit=perhaps is not valid; valid values: auto, on, off" in done.stderr


def test_a_wrong_method_is_named_with_the_valid_ones():
    done = door("--method=no_such_method")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    valid = ", ".join(methods.names())
    assert f"--method=no_such_method is not valid; valid values: {valid}" in done.stderr
