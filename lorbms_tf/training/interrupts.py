"""SIGTERM and Ctrl-C while training: the step in hand is finished, and the run can be saved."""

import contextlib
import signal
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

from lorbms_tf.errors import Stopped

Item = TypeVar("Item")
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupts:
    """A context in which SIGTERM and SIGINT are noted, and acted on where it is safe.

    Until `work_begun` there is nothing to save, and a signal raises `Stopped` wherever the program
    is: tracing a large model takes minutes. After it, `check` raises. A second signal acts as if
    this class were not there. Outside the main thread, where Python takes no signals, it does
    nothing.
    """

    def __init__(self):
        self._received: signal.Signals | None = None
        self._former: dict = {}
        self._work_begun = False

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            self._former = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *error) -> None:
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former = {}

    def _note(self, number: int, frame) -> None:
        self._restore()
        self._received = signal.Signals(number)
        if not self._work_begun:
            self.check()

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
