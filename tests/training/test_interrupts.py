import os
import signal
import threading

import pytest

from lorbms_tf.errors import Stopped
from lorbms_tf.training.interrupts import Interrupts

pytestmark = pytest.mark.usefixtures("interruptible")


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
