import pytest

from lorbms_tf import command
from lorbms_tf.errors import Stopped, UserError


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


def test_stray_words_are_refused():
    command.refuse_arguments(["program"])
    with pytest.raises(UserError, match="'stray'"):
        command.refuse_arguments(["program", "stray"])
