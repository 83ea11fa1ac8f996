"""Progress with a time to the end: a bar on a terminal, plain lines at intervals elsewhere."""

import operator
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
LINE_INTERVAL = 10.0  # seconds between plain lines


def clock(seconds: float) -> str:
    """Seconds as "1:02:03" or "02:03"."""
    minutes, seconds = divmod(int(max(0.0, seconds) + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes:02d}:{seconds:02d}"


def say(text: str) -> None:
    """A line on stderr, at once: before what takes long and shows no progress of its own."""
    print(text, file=sys.stderr, flush=True)


def track(
    items: Iterable[Item], total: int | None = None, label: str = "", unit: str = "image"
) -> Iterator[Item]:
    """Yields `items` while showing how many are done, how many a second, and the ETA (stderr).

    Args:
      items: anything to iterate over.
      total: how many there are, for the ETA; taken from `items` where they know.
      label: what is being done, shown first.
      unit: the singular name of one item.
    """
    if total is None:
        total = operator.length_hint(items) or None
    if sys.stderr.isatty():
        yield from tqdm(items, total=total, desc=label, unit=unit, dynamic_ncols=True)
    else:
        yield from _lines(items, total, label, unit)


def _lines(items: Iterable[Item], total: int | None, label: str, unit: str) -> Iterator[Item]:
    start = last = time.monotonic()
    count = 0
    for count, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - last >= LINE_INTERVAL:
            last = now
            rate = count / (now - start)
            rest = f"/{total}, ETA {clock((total - count) / rate)}" if total else ""
            say(f"{label}: {count}{rest}, {rate:.1f} {unit}s/s")
    seconds = time.monotonic() - start
    if seconds >= 1.0:
        rate = count / seconds
        say(f"{label}: {count} {unit}s in {clock(seconds)}, {rate:.1f} {unit}s/s")
