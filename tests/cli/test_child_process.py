import os
import signal
import threading
import time

import pytest

from lorbms_tf.cli import child_process
from lorbms_tf.errors import Stopped, UserError

# Says what it was told, and ends as a training does.
WAITS = """
trap 'echo told INT; exit 130' INT
trap 'echo told TERM; exit 143' TERM
echo ready
while :; do sleep 0.05; done
"""


def run(script, path):
    with open(path, "ab") as out:
        child_process.run(["sh", "-c", script], "the test", out)


def test_what_it_prints_goes_to_the_file(tmp_path):
    for word in ("one", "two"):
        run(f"echo {word}", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "one\ntwo\n"


def test_its_warnings_are_shown_once(tmp_path, capfd):
    run("echo Warning: of an earlier run", tmp_path / "out")
    capfd.readouterr()
    script = "echo fine; echo warning: tau is far; echo no warning: here; echo >&2 seen at once"
    run(script, tmp_path / "out")
    lines = capfd.readouterr().err.splitlines()
    assert sorted(lines) == ["seen at once", "the test: warning: tau is far"]
    assert "warning: tau is far" in (tmp_path / "out").read_text()


@pytest.mark.parametrize("script, how", [("exit 3", "status 3"), ("kill -9 $$", "SIGKILL")])
def test_failures_are_told(tmp_path, script, how):
    with pytest.raises(UserError, match=f"the test has ended .* {how}, see above and .*out"):
        run(script, tmp_path / "out")


@pytest.mark.parametrize(
    "number, told, status",
    [(signal.SIGINT, "INT", 130), (signal.SIGTERM, "TERM", 143), (signal.SIGHUP, "TERM", 129)],
)
def test_a_signal_is_passed_on_once_and_waited_for(tmp_path, number, told, status):
    out = tmp_path / "out"
    before = signal.getsignal(number)

    def send():
        while not out.exists() or "ready" not in out.read_text():
            time.sleep(0.02)
        os.kill(os.getpid(), number)

    sender = threading.Thread(target=send)
    sender.start()
    with pytest.raises(Stopped, match=f"stopped by {number.name} during the test") as stopped:
        run(WAITS, out)
    sender.join()
    assert stopped.value.status == status
    assert out.read_text() == f"ready\ntold {told}\n"
    assert signal.getsignal(number) is before


def test_it_ends_early_where_that_is_wanted(tmp_path, monkeypatch):
    monkeypatch.setattr(child_process, "_ASKED_EVERY", 0.05)
    path, asked = tmp_path / "out", []

    def early():
        asked.append(path.read_text())
        return "ready" in asked[-1]

    with open(path, "ab") as out:
        assert child_process.run(["sh", "-c", WAITS], "the test", out, early)
    assert path.read_text() == "ready\ntold TERM\n" and asked
    with open(path, "ab") as out:
        assert not child_process.run(["sh", "-c", "echo done"], "the test", out, lambda: False)
