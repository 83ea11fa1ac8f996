"""Work on any number of processes, whose results come in order."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from typing import TypeVar

_CHUNK = 8  # pieces that a process takes at a time
Result = TypeVar("Result")


def results(
    work: Callable[[int], Result], count: int, processes: int, chunk: int = _CHUNK
) -> Iterator[Result]:
    """work(0), work(1), ... in order; here, or on processes that share nothing with this one.

    Args:
      work: what a process can be sent: a function of a module, or a partial of one.
      count: how many.
      processes: at most so many, at least 1; fewer where there are fewer chunks.
      chunk: pieces that a process takes at a time.
    """
    processes = min(processes, -(-count // chunk))
    if processes <= 1:
        yield from map(work, range(count))
        return
    # Ctrl-C reaches every process; only this one shall answer it
    quiet = (signal.SIGINT, signal.SIG_IGN)
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, initializer=signal.signal, initargs=quiet) as pool:
        yield from pool.imap(work, range(count), chunksize=chunk)
