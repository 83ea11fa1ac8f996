"""Another command as a process of its own, which ends in good order when this one is stopped."""

import contextlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import IO

from lorbms_tf.errors import Stopped, UserError

# What is passed on as what: a training saves and ends at the latter two.
_PASSED_ON = {
    signal.SIGINT: signal.SIGINT,
    signal.SIGTERM: signal.SIGTERM,
    signal.SIGHUP: signal.SIGTERM,
}


_WARNINGS = (b"warning:", b"caution:")  # what lines begin with that a user must see


_ASKED_EVERY = 3.0  # seconds between questions whether to end early


def run(
    words: Sequence[str], name: str, out: IO[bytes], early: Callable[[], bool] | None = None
) -> bool:
    """Runs a command to its end, or to an early one; whether it was the latter.

    SIGINT, SIGTERM and SIGHUP are passed on to it. It gets a session of its own, since Ctrl-C on a
    terminal would come to it twice, and end at once what means to save first. What it writes on
    stderr is shown, and at its end those lines of `out` that are warnings.

    Args:
      words: the command and its arguments.
      name: what it does, for messages.
      out: where what it prints goes, an open file.
      early: asked every few seconds; once it says so the command is stopped, as by SIGTERM.

    Raises:
      Stopped: a signal came, and the command has ended.
      UserError: it has failed.
    """
    received: list[int] = []
    child = None

    def pass_on(number: int, frame) -> None:
        received.append(number)
        if child is not None:
            child.send_signal(_PASSED_ON[number])

    begun = os.fstat(out.fileno()).st_size
    former = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    try:
        child = subprocess.Popen(words, stdout=out, stderr=_stderr(), start_new_session=True)
        if received:  # before there was a child to tell
            child.send_signal(_PASSED_ON[received[0]])
        ended_early = early is not None and _stopped(child, early)
        status = child.wait()
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    for line in _warnings(out, begun):
        print(f"{name}: {line}", file=sys.stderr, flush=True)
    if received:
        stop = signal.Signals(received[0])
        raise Stopped(f"stopped by {stop.name} during {name}; the same command continues", stop)
    if status and not ended_early:
        how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
        raise UserError(
            f"{name} has ended {how}, see above and {out.name}; when that is mended the "
            "same command continues"
        )
    return ended_early


def _stopped(child: subprocess.Popen, early: Callable[[], bool]) -> bool:
    """Waits for the end of a command, and asks meanwhile; whether it was told to stop."""
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_ASKED_EVERY)
            return False
        if early():
            child.send_signal(signal.SIGTERM)
            return True


def _stderr() -> int | None:
    """Where this process's own lines go, which is not descriptor 2 (`stderr_filter`)."""
    with contextlib.suppress(AttributeError, io.UnsupportedOperation):
        return sys.stderr.fileno()
    return None


def _warnings(out: IO[bytes], begun: int) -> list[str]:
    """The warnings in a file behind a place."""
    with open(out.name, "rb") as file:
        file.seek(begun)
        lines = [line.strip() for line in file if line.lower().startswith(_WARNINGS)]
    return [line.decode("utf-8", "replace") for line in lines]
