"""SIGTERM and Ctrl-C while training: the step in hand is finished, and the run can be saved."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

from lorbms_tf.cli import stderr_filter
from lorbms_tf.errors import Stopped

Item = TypeVar("Item")
SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PATIENCE = 2.0  # seconds in which a second signal may end the process in the ordinary way


class Interrupts:
    """A context in which SIGTERM and SIGINT are noted, and acted on where it is safe.

    Until `work_begun` there is nothing to save, and a signal raises `Stopped` wherever the program
    is: tracing a large model takes minutes. After it, `check` raises. A second signal acts as if
    this class were not there, and ends the process where that does not help. Each is answered on
    stderr at once, also while native code is at work, whose end Python's own handlers wait for.
    Outside the main thread, where Python takes no signals, it does nothing.
    """

    def __init__(self):
        self._received: signal.Signals | None = None
        self._former: dict = {}
        self._work_begun = False
        self._left = threading.Event()
        self._listening = contextlib.ExitStack()

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            self._former = {number: signal.signal(number, self._note) for number in SIGNALS}
            self._listen()
        return self

    def __exit__(self, *error) -> None:
        self._restore()
        self._left.set()
        self._listening.close()

    def _restore(self) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former = {}

    def _note(self, number: int, frame) -> None:
        self._restore()
        self._received = signal.Signals(number)
        if not self._work_begun:
            self.check()

    def _listen(self) -> None:
        """Starts the thread that answers: a signal's number reaches it as it comes."""
        source, sink = os.pipe()
        os.set_blocking(sink, False)
        former = signal.set_wakeup_fd(sink, warn_on_full_buffer=False)
        thread = threading.Thread(target=self._answer, args=(source,), daemon=True)
        thread.start()
        for undo, value in ((thread.join, None), (os.close, sink), (signal.set_wakeup_fd, former)):
            self._listening.callback(undo, value)  # in the opposite order

    def _answer(self, source: int) -> None:
        with os.fdopen(source, "rb", buffering=0) as numbers:
            answered = False
            while byte := numbers.read(1):
                if byte[0] not in SIGNALS:
                    continue
                name = signal.Signals(byte[0]).name
                if not answered:
                    answered = True
                    after = " after this step" if self._work_begun else ""
                    _say(f"{name}: stopping{after}; again to end now")
                elif not self._left.wait(_PATIENCE):
                    _say(f"{name} again: ended")
                    stderr_filter.end_well()
                    os._exit(128 + byte[0])

    def work_begun(self) -> None:
        """From now on there is something to save; signals wait for `check`."""
        self._work_begun = True

    def check(self) -> None:
        """Raises `Stopped` where a signal has come."""
        if self._received is not None:
            raise Stopped(f"stopped by {self._received.name}", self._received)

    def watch(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yields the items; raises `Stopped` between two of them where a signal has come."""
        for item in items:
            self.check()
            yield item


def _say(text: str) -> None:
    start = "\n" if sys.stderr.isatty() else ""  # below the line that shows the progress
    print(f"{start}{text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def ending_at_once() -> Iterator[None]:
    """A block in which SIGTERM and SIGINT end the process without asking Python.

    For calls of native code that wait for others: Python's handlers would wait with them. Outside
    the main thread it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
