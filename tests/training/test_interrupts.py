import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lorbms_tf.errors import Stopped
from lorbms_tf.training.interrupts import Interrupts

pytestmark = pytest.mark.usefixtures("interruptible")
ROOT = Path(__file__).resolve().parents[2]


def send(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    "number, name, status", [(signal.SIGTERM, "SIGTERM", 143), (signal.SIGINT, "SIGINT", 130)]
)
def test_a_signal_waits_until_it_is_safe(number, name, status):
    before = signal.getsignal(number)
    with pytest.raises(Stopped, match=f"stopped by {name}") as stopped, Interrupts() as interrupts:
        interrupts.work_begun()
        interrupts.check()
        send(number)
        finished_the_step = True
        interrupts.check()
    assert finished_the_step and stopped.value.status == status
    assert signal.getsignal(number) is before


def test_before_there_is_work_to_save_it_acts_at_once():
    with pytest.raises(Stopped), Interrupts():
        send(signal.SIGTERM)
        pytest.fail("the signal came too late")


def test_a_second_one_is_not_held_back():
    with Interrupts() as interrupts:
        interrupts.work_begun()
        send(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt) as second:
            send(signal.SIGINT)
        assert not isinstance(second.value, Stopped)


def test_a_long_pass_over_records_is_left():
    seen = []
    with pytest.raises(Stopped), Interrupts() as interrupts:
        interrupts.work_begun()
        for item in interrupts.watch(range(9)):
            seen.append(item)
            if item == 2:
                send(signal.SIGTERM)
    assert seen == [0, 1, 2]


def test_outside_the_main_thread_nothing_is_changed():
    before = signal.getsignal(signal.SIGTERM)
    during = []

    def work():
        with Interrupts() as interrupts:
            during.append(signal.getsignal(signal.SIGTERM))
            interrupts.check()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert during == [before]


# Like a training step, native code that Python's handlers wait for: here for a byte on stdin.
BUSY = """
import ctypes, signal, sys
from lorbms_tf.errors import Stopped
from lorbms_tf.training import interrupts
try:
    with interrupts.Interrupts() as context:
        context.work_begun()
        for number in interrupts.SIGNALS:
            signal.siginterrupt(number, False)
        print("ready", flush=True)
        ctypes.CDLL(None).read(0, ctypes.create_string_buffer(1), 1)
        context.check()
except Stopped as stop:
    print(stop, file=sys.stderr)
    sys.exit(stop.status)
except KeyboardInterrupt:  # as doors do
    print("interrupted", file=sys.stderr)
    sys.exit(130)
"""


@pytest.fixture
def busy():
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_is_answered_at_once(busy, number, status):
    busy.send_signal(number)
    answer = f"{number.name}: stopping after this step; again to end now\n"
    assert busy.stderr.readline() == answer  # the step is still at work
    assert busy.poll() is None
    busy.stdin.write("x")
    busy.stdin.flush()
    assert busy.wait(timeout=60) == status
    assert busy.stderr.read() == f"stopped by {number.name}\n"


def test_a_second_one_ends_a_step_that_goes_on(busy):
    busy.send_signal(signal.SIGINT)
    busy.stderr.readline()
    busy.send_signal(signal.SIGINT)
    assert busy.wait(timeout=60) == 130
    # The latter where it came before the native code was at work.
    assert busy.stderr.read() in ("SIGINT again: ended\n", "interrupted\n")
