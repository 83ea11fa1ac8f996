import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lorbms_tf.cli import command
from lorbms_tf.errors import Stopped, UserError
from tests import copies


@pytest.mark.parametrize(
    "words, ordered",
    [
        (["--a=1", "--flagfile=f"], ["--flagfile=f", "--a=1"]),
        (["--flagfile", "f", "--a=1"], ["--flagfile=f", "--a=1"]),
        (["x", "--flagfile=f", "--flagfile=g"], ["--flagfile=f", "--flagfile=g", "x"]),
        (["--a", "--", "--flagfile=f"], ["--a", "--", "--flagfile=f"]),
        ([], []),
    ],
)
def test_flagfiles_come_first_so_that_the_command_line_wins(words, ordered):
    assert command.flagfiles_first(["program", *words]) == ["program", *ordered]


def test_flagfiles_are_read_before_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f").write_text("# first\n--a=1\n")
    (tmp_path / "g").write_text("--b=2\n--a=3")
    argv = ["program", "x", "--flagfile=f", "--a=4", "--flagfile", "g", "--", "--flagfile=f"]
    words = ["--a=1", "--b=2", "--a=3", "x", "--a=4", "--", "--flagfile=f"]
    assert command.with_flagfiles(argv) == ["program", *words]


def test_a_missing_flagfile_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["program", "--flagfile=absent.cfg"])
    with pytest.raises(SystemExit) as stopped:
        command.run(lambda argv: None)
    assert stopped.value.code == 1
    told = capsys.readouterr().err
    assert told == "error: flagfile absent.cfg cannot be read: No such file or directory\n"


def test_a_user_error_is_one_line_without_traceback(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["program"])

    def main(argv):
        raise UserError("--colour=9 is not valid")

    with pytest.raises(SystemExit) as stopped:
        command.run(main)
    assert stopped.value.code == 1
    assert capsys.readouterr().err == "error: --colour=9 is not valid\n"


def test_a_stop_by_a_signal_is_one_line_and_the_status_that_shells_expect(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["program"])

    def main(argv):
        raise Stopped("stopped by SIGTERM after step 3", 15)

    with pytest.raises(SystemExit) as stopped:
        command.run(main)
    assert stopped.value.code == 143
    assert capsys.readouterr().err == "stopped by SIGTERM after step 3\n"


def test_help_is_a_page_on_stdout(monkeypatch, capsys):
    """The page of the module that `main` stands in: here, of this one."""
    monkeypatch.setattr("sys.argv", ["program", "--seed=3", "--help"])
    with pytest.raises(SystemExit) as stopped:
        command.run(lambda argv: pytest.fail("the door was opened"))
    assert stopped.value.code == 0
    assert "Every command takes --flagfile=FILE" in capsys.readouterr().out


def test_an_unknown_flag_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["program", "--no_such_flag=3"])
    with pytest.raises(SystemExit) as stopped:
        command.run(lambda argv: pytest.fail("the door was opened"))
    assert stopped.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("error: Unknown command line flag 'no_such_flag'")
    assert error.endswith("(--help lists the flags)\n") and error.count("\n") == 1


def test_a_reader_that_leaves_early_is_no_fault():
    script = f"{shlex.quote(sys.executable)} -m lorbms_tf.train --help | head -1"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("Training, from records") and done.stderr == ""


@pytest.mark.parametrize("words", [["--help"], ["--dry_run", "--tau=1"]])
def test_a_full_disk_behind_what_is_printed_is_one_line(words, tmp_path):
    with open("/dev/full", "w") as full, (tmp_path / "errors").open("w+") as errors:
        ended = copies.Copy(["-m", "lorbms_tf.train", *words], full, errors)
        assert ended.wait() == 1
        last = errors.read().splitlines()[-1]
    assert last == "error: cannot write all that this prints: the disk is full"


def test_stray_words_are_refused():
    command.refuse_arguments(["program"])
    with pytest.raises(UserError, match="'stray'"):
        command.refuse_arguments(["program", "stray"])


def test_files_as_stray_words_come_of_a_glob_without_quotes(tmp_path):
    """--records DIR/* without quotes: the first file is the flag's value, the others are words."""
    shard = tmp_path / "my data" / "b.tfrecord-00001-of-00002"
    shard.parent.mkdir()
    shard.touch()
    with pytest.raises(UserError, match="glob in quotes, --records='.*/my data/\\*'$"):
        command.refuse_arguments(["program", str(shard)])


def test_words_of_a_value_without_quotes():
    with pytest.raises(UserError, match="--name='my photos'"):
        command.refuse_arguments(["program", "photos", "of"])


def test_python_is_named_as_the_user_calls_it(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.executable", str(tmp_path / ".venv/bin/python"))
    assert command.python() == ".venv/bin/python"
    monkeypatch.setattr("sys.executable", "/elsewhere/bin/python")
    assert command.python() == "python"


def test_a_next_step_can_be_pasted(monkeypatch, tmp_path):
    """A shell gives the very words back, whatever signs are in them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.executable", str(tmp_path / "my venv/python"))
    given = {"records": "it's [v2], a,b/*", "limit": 3, "out": "plain.html"}
    step = command.next_step("lorbms_tf.render", "scenes", **given)
    assert shlex.split(step)[1:] == [
        "my venv/python",
        "-m",
        "lorbms_tf.render",
        "scenes",
        *(f"--{name}={value}" for name, value in given.items()),
    ]
    assert step.endswith(" --limit=3 --out=plain.html")


def test_another_python_than_the_shells_is_named_below(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.executable", "/elsewhere/bin/python")
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/python")
    assert command.next_step("m", "w").split("\n") == [
        "Next: python -m m w",
        "  (python: /elsewhere/bin/python)",
    ]
    monkeypatch.setattr("shutil.which", lambda name: "/elsewhere/bin/python")  # activated
    assert command.next_step("m", "w") == "Next: python -m m w"


def test_scripts_and_extras_of_this_environment(monkeypatch, tmp_path):
    root = Path(command.__file__).resolve().parents[2]
    monkeypatch.chdir(root)
    monkeypatch.setattr("sys.executable", str(root / "my venv/bin/python"))
    assert command.script("tensorboard") == "'my venv/bin/tensorboard'"
    install = "'my venv/bin/python' -m pip install -c constraints.txt -e '.[beam]'"
    assert command.install("beam") == install
    monkeypatch.chdir(tmp_path)
    assert command.script("tensorboard") == "tensorboard"
    words = shlex.split(command.install("beam"))
    assert words[:4] == ["python", "-m", "pip", "install"] and words[-1].endswith("[beam]")
    assert (tmp_path / words[5]).is_file() and (tmp_path / words[-1][: -len("[beam]")]).is_dir()


def test_nothing_is_held_back_in_a_process_that_is_no_door():
    """Importing doors, as tests and notebooks do, leaves stderr as it is."""
    script = (
        "import os; before = os.fstat(2).st_ino; import lorbms_tf.train; "
        "print(os.fstat(2).st_ino == before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "True\n"
