import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.training import meeting

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workers():
    sockets = [socket.create_server(("localhost", 0)) for _ in range(3)]
    addresses = [f"localhost:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return addresses


def test_it_returns_when_the_others_are_up(workers):
    thread = threading.Thread(target=meeting.wait, args=(workers, 1))
    thread.start()
    listeners = []
    for number in (0, 2):
        assert thread.is_alive()
        # Held to the end: so TensorFlow listens, when those that have met are gone.
        listeners.append(socket.create_server(("", int(workers[number].rpartition(":")[2]))))
    thread.join(timeout=20)
    for listener in listeners:
        listener.close()
    assert not thread.is_alive()


def test_a_worker_alone_has_nobody_to_wait_for(workers):
    meeting.wait(workers[:1], 0)


def test_an_address_in_use_is_named(workers):
    with (
        socket.create_server(("", int(workers[0].rpartition(":")[2]))),
        pytest.raises(UserError, match=f"worker 0 cannot start at {workers[0]}, .* in use"),
    ):
        meeting.wait(workers, 0)


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_says_whom_it_waits_for_and_ends_at_a_signal(workers, number, status):
    script = f"""
import sys
from lorbms_tf.errors import Stopped
from lorbms_tf.training import meeting
from lorbms_tf.training.interrupts import Interrupts
try:
    with Interrupts():
        meeting.wait({workers!r}, 1)
except Stopped as stop:
    sys.exit(stop.status)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    try:
        line = process.stderr.readline()
        process.send_signal(number)
        assert process.wait(timeout=30) == status
    finally:
        process.kill()
        process.stderr.close()
    assert line.startswith(f"worker 1 at {workers[1]} waits for worker 0 at {workers[0]} (")
    assert f"worker 2 at {workers[2]} (" in line
