"""Work in threads whose results come in order."""

import collections
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

AHEAD = 4  # jobs that each thread may be ahead of the reader; bounds the memory


def in_order(work: Callable, jobs: Iterable[tuple], num_workers: int) -> Iterator[Any]:
    """Yields work(*job) of each job; unlike pool.map it takes no more jobs than it needs soon.

    num_workers: threads; 0 means one for each core. Threads are enough for what reads photos:
    Pillow decodes, resizes and encodes outside Python's lock.
    """
    workers = num_workers or os.cpu_count() or 1
    waiting: collections.deque = collections.deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for job in jobs:
                waiting.append(pool.submit(work, *job))
                if len(waiting) > workers * AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
