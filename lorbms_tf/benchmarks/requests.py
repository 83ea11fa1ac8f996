"""How many requests a second the project's server answers on this machine, and how late."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from lorbms_tf.errors import UserError

_PATIENCE = 600  # seconds for one answer, at worst behind all others


@contextlib.contextmanager
def server(export_dir: Path) -> Iterator[str]:
    """The address of a server of its own process; UserError, with what it said, where none comes.

    Args:
      export_dir: folder of versions.
    """
    command = [sys.executable, "-m", "lorbms_tf.serve", f"--export_dir={export_dir}", "--port=0"]
    root = Path(__file__).resolve().parents[2]
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        # What it says on stderr is read as it comes: a full pipe would stop it.
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(process.stderr), daemon=True)
        reader.start()
        try:
            lines = [process.stdout.readline() for _ in range(2)]
            if "http://" not in lines[1]:
                reader.join(timeout=10)
                raise UserError(f"the server does not start: {''.join(said).strip()}")
            yield lines[1].split()[-1].rstrip("/")
        finally:
            process.terminate()
            reader.join()  # else the pipe would be closed under it


def rates(address: str, body: bytes, clients: int, requests: int) -> dict[str, float]:
    """Requests a second, and milliseconds of one, median and 99th percentile.

    Args:
      address: where each request is sent.
      body: of each.
      clients: which ask at the same time, each as soon as it has its answer.
      requests: of all together, at least one a client.

    Raises UserError, with the answer, for an answer that is not 200.
    """
    each = -(-requests // clients)
    times: list[float] = []
    faults: list[str] = []
    start = threading.Barrier(clients + 1)

    def ask() -> None:
        with contextlib.closing(_connection(address)) as connection:
            start.wait()
            for _ in range(each):
                begun = time.perf_counter()
                fault = _fault(connection, address, body)
                times.append(time.perf_counter() - begun)
                if fault:
                    faults.append(fault)
                    return

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    start.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    passed = time.perf_counter() - begun
    if faults:
        raise UserError(f"{address} answers: {faults[0]}")
    median, late = 1e3 * np.percentile(times, [50, 99])
    return {"requests_per_s": len(times) / passed, "p50_ms": float(median), "p99_ms": float(late)}


def _connection(address: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(address).netloc, timeout=_PATIENCE)


def _fault(connection: http.client.HTTPConnection, address: str, body: bytes) -> str:
    """Asks once; what is wrong with the answer, "" where nothing is."""
    try:
        connection.request("POST", urlsplit(address).path, body)
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    return "" if answer.status == 200 else text.decode("utf-8", "replace")


def rest_body(signature: str, instances: Sequence) -> bytes:
    """A request to a signature, in the form of TensorFlow Serving's REST interface."""
    return json.dumps({"signature_name": signature, "instances": list(instances)}).encode()
