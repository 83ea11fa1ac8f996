"""The copies that stand for Python processes are like them, or tests of commands could not fail."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests import copies

TELL = """
import os, sys
print(sys.argv, __name__, os.getcwd(), os.environ.get("TOLD"), sys.stdin.read() == "")
print("to stderr", file=sys.stderr)
"""


def test_words_folder_environment_and_output_are_those_of_a_process(tmp_path):
    place = {"cwd": tmp_path, "env": {**os.environ, "TOLD": "yes"}}
    words = ["-c", TELL, "a b", "--c=1"]
    copy = copies.run(words, **place)
    real = subprocess.run(
        [sys.executable, *words], **place, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert (copy.stdout, copy.stderr) == (real.stdout, real.stderr)
    assert "yes True" in copy.stdout
    assert "None True" in copies.run(words).stdout  # the next one knows nothing of it


@pytest.mark.parametrize(
    "code, status",
    [
        ("pass", 0),
        ("import sys; sys.exit(3)", 3),
        ("import sys; sys.exit('said')", 1),
        ("raise ValueError", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ],
)
def test_status_and_last_words_of_each_end(code, status):
    ended = copies.run(["-c", f"import atexit; atexit.register(print, 'end')\n{code}"])
    assert ended.returncode == status
    assert ended.stdout == ("" if status < 0 else "end\n")
    assert ("said" in ended.stderr) == ("said" in code)
    assert ("Traceback" in ended.stderr) == ("raise" in code)


def test_a_module_is_run_as_the_main_one(tmp_path):
    (tmp_path / "ours.py").write_text(
        "import __main__, sys; print(__name__, __main__.__spec__.name, sys.argv[1:])"
    )
    copy = copies.run(["-m", "ours", "x"], cwd=tmp_path)
    assert copy.stdout == "__main__ ours ['x']\n", copy.stderr


def test_a_running_one_can_be_watched_signalled_and_given_up(tmp_path):
    with (tmp_path / "log").open("w+") as log:
        code = "import time; print('begun', flush=True); time.sleep(600)"
        copy = copies.Copy(["-c", code], log, log)
        while log.read() != "begun\n":
            log.seek(0)
            assert copy.poll() is None
            time.sleep(0.01)
        with pytest.raises(subprocess.TimeoutExpired):
            copy.wait(0.05)
        copy.send_signal(signal.SIGTERM)
        assert copy.wait() == copy.poll() == -signal.SIGTERM
        copy.kill()  # nothing is left to kill
