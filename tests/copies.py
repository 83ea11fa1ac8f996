"""Python processes that start at once: copies of one that has imported TensorFlow already.

`run(["-m", module, ...])` and `run(["-c", code, ...])` do what `subprocess.run` does with
`sys.executable` in front: a process of its own, with its own flags, signals, output and status.
Only TensorFlow is not imported anew, which takes some seconds. Not for tests of what happens
before or at that import, such as a backend of Keras or lines that are held back.

This file, run as a script, is the process that is copied. It reads one JSON request a line.
"""

import atexit
import functools
import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
IMPORTED = ("tensorflow", "keras", "lorbms_tf.training.loop", "lorbms_tf.lorbms.model")


class _Server:
    """The process that is copied, and what it answers."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", __file__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"},
        )  # fmt: skip
        atexit.register(self._process.communicate)  # the end of its input is its end

    def answer(self, **request) -> int | None:
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


_server = functools.cache(_Server)


class Copy:
    """A running process, with the part of `subprocess.Popen` that tests use.

    Args:
      words: what stands behind `python`.
      stdout, stderr: open files that have names; one may be given for both.
      cwd: its working directory.
      env: all its environment; this process's where it is None.
    """

    def __init__(
        self,
        words: Sequence[str],
        stdout: IO,
        stderr: IO,
        cwd: str | os.PathLike = ROOT,
        env: Mapping[str, str] | None = None,
    ):
        self.args, self.returncode = list(map(str, words)), None
        self.pid = _server().answer(
            words=self.args,
            cwd=str(cwd),
            env=dict(os.environ if env is None else env),
            files=[file.name for file in (stdout, stderr)],
        )

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = _server().answer(ended=self.pid)
        return self.returncode

    def wait(self, timeout: float = 900.0) -> int:
        begun = time.monotonic()
        while self.poll() is None:
            if time.monotonic() - begun > timeout:
                raise subprocess.TimeoutExpired(self.args, timeout)
            time.sleep(0.01)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(words: Sequence[str], **settings) -> subprocess.CompletedProcess:
    """Runs a process to its end; its output and errors are text. Settings are those of `Copy`."""
    with tempfile.NamedTemporaryFile("r") as out, tempfile.NamedTemporaryFile("r") as errors:
        status = Copy(words, out, errors, **settings).wait()
        return subprocess.CompletedProcess(list(words), status, out.read(), errors.read())


def _served() -> dict | None:
    """Serves until a copy is asked for: in the copy, what was asked for; None at the end."""
    for line in sys.stdin:
        request = json.loads(line)
        if "ended" in request:
            pid, status = os.waitpid(request["ended"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if not answer:
                return request
        print(json.dumps(answer), flush=True)
    return None


def _become(request: dict) -> None:
    """Makes this copy the process that was asked for, up to what it runs."""
    files = [os.open(name, os.O_WRONLY | os.O_APPEND) for name in request["files"]]
    for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), *files)):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    how, what, *rest = request["words"]
    sys.path[0] = request["cwd"] if how == "-m" else ""
    sys.argv = [what if how == "-m" else how, *rest]
    if how == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        names = {"__name__": "__main__"}
        exec(compile(what, "<string>", "exec"), names)


if __name__ == "__main__":
    for name in IMPORTED:
        __import__(name)
    gc.freeze()
    asked = _served()
    if asked:
        _become(asked)
