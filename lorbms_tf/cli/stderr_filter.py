"""Holds back what TensorFlow's native code says on stderr at every start, and nothing else.

Such lines go to file descriptor 2 past Python. `start` puts a small process of its own behind it
(this file, run as a script), which passes every line on at once but those of `CHATTER`. Those it
keeps, and shows only where the command does not end in good order, which `end_well` announces. It
is no thread, so that it neither waits for Python's lock nor dies with the command: the last words
of native code that aborts arrive. Python's own sys.stderr goes straight to where it always went.
"""

import atexit
import collections
import contextlib
import itertools
import os
import re
import select
import subprocess
import sys
from collections.abc import Iterable

_NO_GPU = rb"UNKNOWN ERROR \(303\)|CUDA_ERROR_NO_DEVICE|no CUDA-capable device"
# What may be held of warnings and errors: files that log them where all is well.
_KNOWN = (
    rb"cudart_stub\.cc:\d+\] ",
    rb"cuda_(?:platform|driver|executor|diagnostics)\.cc:\d+\] .*(?:" + _NO_GPU + rb")",
    rb"cuda_(?:dnn|fft|blas)\.cc:\d+\] Unable to register ",
    rb"util\.cc:\d+\] oneDNN supports ",
    rb"computation_placer\.cc:\d+\] computation placer already registered",
    rb"meta_optimizer\.cc:\d+\] remapper failed: ",  # the graph stays as it was
)
CHATTER = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\) is called"
    rb"|To enable the following instructions: "
    rb"|I\d{4} [\d:.]+\s+\d+ \S+:\d+\]|[\d-]+ [\d:.]+: I "  # for information
    rb"|INFO:[\w.]+:"  # the same by Python, of processes that others start (Beam's workers)
    rb"|(?:[WE]\d{4} [\d:.]+\s+\d+ |[\d-]+ [\d:.]+: [WE] \S*)(?:" + b"|".join(_KNOWN) + b")"
)
_END = b"\0the command has ended in good order\n"
_MOST_HELD = 1000  # lines
_UNFINISHED = 0.2  # seconds after which the beginning of a line is passed on too
_PATIENCE = 2.0  # seconds to wait for the last lines, where another process holds descriptor 2

_running: subprocess.Popen | None = None


def wanted(words: Iterable[str]) -> bool:
    """Whether a command line leaves TensorFlow's lines held back: all but --verbosity=1 or more."""
    for word, after in itertools.pairwise([*words, ""]):
        if match := re.fullmatch(r"--?(?:v|verbosity)(?:=(.*))?", word):
            value = match[1] if match[1] is not None else after
            return not (value.isdigit() and int(value) >= 1)
    return True


def start() -> None:
    """Holds TensorFlow's chatter back from now on, in this process and those that it starts.

    Does nothing where it is at work already, or no process can be started.
    """
    global _running
    if _running is not None or not sys.executable:
        return
    try:
        real = os.dup(2)
        source, sink = os.pipe()
    except OSError:  # there is no stderr
        return
    try:
        # A session of its own: Ctrl-C is for the command, whose last words are still to come.
        command = [sys.executable, "-I", "-S", __file__]
        _running = subprocess.Popen(
            command, stdin=source, stdout=subprocess.DEVNULL, stderr=real, start_new_session=True
        )
        os.dup2(sink, 2)
    except OSError:
        os.close(real)
        return
    finally:
        os.close(source)
        os.close(sink)
    with contextlib.suppress(AttributeError, OSError, ValueError):  # a sys.stderr without a file
        if sys.stderr.fileno() == 2:
            encoding, errors = sys.stderr.encoding, sys.stderr.errors
            sys.stderr.flush()
            sys.stderr = open(real, "w", buffering=1, encoding=encoding, errors=errors)  # noqa: SIM115
    atexit.register(_finish, real)


def end_well() -> None:
    """Tells that the command ends as it is meant to: what was held back is not shown."""
    if _running is not None:
        with contextlib.suppress(OSError):
            os.write(2, _END)


def _finish(real: int) -> None:
    """Gives descriptor 2 back, and waits until the last lines are written."""
    sys.stderr.flush()
    os.dup2(real, 2)
    with contextlib.suppress(subprocess.TimeoutExpired):
        _running.wait(_PATIENCE)


class _Filter:
    """The lines of one source, one after the other, to one sink."""

    def __init__(self, sink: int):
        self._sink = sink
        self._held: collections.deque[bytes] = collections.deque(maxlen=_MOST_HELD)
        self._good = False

    def line(self, text: bytes) -> None:
        if text.endswith(_END):  # perhaps behind a line without an end
            self._good = True
            self.write(text.removesuffix(_END))
        elif CHATTER.match(text):
            self._held.append(text)
        else:
            self.write(text)

    def write(self, text: bytes) -> None:
        while text:
            text = text[os.write(self._sink, text) :]

    def end(self) -> None:
        if self._held and not self._good:
            self.write(b"TensorFlow's own lines, held back until now:\n" + b"".join(self._held))


def main() -> None:
    """Filters stdin to stderr, until all that write to it have ended."""
    source, kept, rest = 0, _Filter(2), b""
    while True:
        if rest and not select.select([source], [], [], _UNFINISHED)[0]:
            kept.write(rest)
            rest = b""
        chunk = os.read(source, 1 << 16)
        if not chunk:
            break
        *lines, rest = (rest + chunk).split(b"\n")
        for text in lines:
            kept.line(text + b"\n")
    if rest:
        kept.line(rest)
    kept.end()


if __name__ == "__main__":
    with contextlib.suppress(OSError):  # nobody reads any more
        main()
