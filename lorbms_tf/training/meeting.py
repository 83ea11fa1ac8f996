"""Workers wait for each other before TensorFlow does: it says nothing, and takes no signal then."""

import socket
import sys
import time
from collections.abc import Sequence

from lorbms_tf.errors import UserError

_BETWEEN_LINES = 15.0  # seconds
_BETWEEN_TRIES = 0.2
_TIMEOUT = 1.0  # of one try


def wait(workers: Sequence[str], index: int) -> None:
    """Returns when all workers are up; says on stderr whom it waits for, and again at intervals.

    A worker is up when something listens at its address: this function, or later TensorFlow.

    Args:
      workers: addresses "host:port" of all workers.
      index: which of them this process is.

    Raises UserError where this worker's own port cannot be listened at.
    """
    with _listener(workers, index):
        missing = {other: "" for other in range(len(workers)) if other != index}
        told = None
        while missing:
            for other in list(missing):
                missing[other] = _reason(workers[other])
                if not missing[other]:
                    del missing[other]
            now = time.monotonic()
            if missing and (told is None or now - told >= _BETWEEN_LINES):
                told = now
                shown = ", ".join(
                    f"worker {other} at {workers[other]} ({reason})"
                    for other, reason in missing.items()
                )
                print(
                    f"worker {index} at {workers[index]} waits for {shown}: start the same command "
                    "there, or end this one with Ctrl-C",
                    file=sys.stderr,
                    flush=True,
                )
            if missing:
                time.sleep(_BETWEEN_TRIES)


def _address(worker: str) -> tuple[str, int]:
    host, _, port = worker.rpartition(":")
    return host.strip("[]"), int(port)


def _listener(workers: Sequence[str], index: int) -> socket.socket:
    port = _address(workers[index])[1]
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        return socket.create_server(
            ("", port), family=family, backlog=len(workers) + 16, dualstack_ipv6=both
        )
    except OSError as error:
        raise UserError(
            f"worker {index} cannot start at {workers[index]}, its address in TF_CONFIG: "
            f"{error.strerror}"
        ) from error


def _reason(worker: str) -> str:
    """Why a worker cannot be reached; empty where it can."""
    try:
        socket.create_connection(_address(worker), timeout=_TIMEOUT).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""
