"""When values are looked at, and what is said of them."""

import io

import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.method import METHOD
from lorbms_tf.training import reporting
from tests import tiny

PARTS = ("generator", "reconstruction", "adversarial", "classifier", "discriminator")


class Notes:
    """A watch that notes what it is shown, and warns when told to."""

    def __init__(self, warnings=()):
        self.seen, self.warnings = [], list(warnings)

    def look(self, first, values):
        if not all(value == value for value in values["loss/generator"]):
            raise UserError("not finite")
        self.seen.append((first, list(values["loss/generator"])))
        return [self.warnings.pop()] if self.warnings else []


def reporter(folder, watch, **changes):
    config = tiny.config(log_every_steps=3, **changes)
    return reporting.Reporter(folder, config, METHOD, 10, 20, watch)


def values(number):
    named = {f"loss/{part}": tf.constant(float(number)) for part in PARTS}
    return {**named, "loss/classifier_generator": tf.constant(1.0), "psnr/train": tf.constant(9.0)}


def report(made, steps, numbers=None):
    for step in steps:
        made.step_done(step, values(numbers[step] if numbers else step), dict)


def test_values_are_looked_at_together_and_all_of_them(tmp_path):
    watch = Notes()
    made = reporter(tmp_path, watch)
    report(made, [1, 2])
    assert watch.seen == []  # nothing was fetched yet
    report(made, [3, 4])
    assert watch.seen == [(1, [1.0, 2.0, 3.0])]
    made.check(4)
    made.check(4)
    report(made, [5, 6])
    assert watch.seen[1:] == [(4, [4.0]), (5, [5.0, 6.0])]
    assert tiny.scalars(tmp_path, "loss/generator") == {3: 2.0, 6: 5.0}  # means since the last


def test_kinds_of_steps_that_take_turns_have_means_of_their_own(tmp_path):
    watch = Notes()
    made = reporter(tmp_path, watch)
    other = {"loss/generator": tf.constant(50.0), "loss/interpolation": tf.constant(7.0)}
    for step, named in enumerate((values(1), other, values(3)), start=1):
        made.step_done(step, named, dict)
    assert watch.seen == [(1, [1.0]), (2, [50.0]), (3, [3.0])]  # in their order, with their steps
    assert tiny.scalars(tmp_path, "loss/reconstruction") == {3: 2.0}  # of the first and the third
    assert tiny.scalars(tmp_path, "loss/interpolation") == {3: 7.0}
    assert tiny.scalars(tmp_path, "loss/generator") == {3: 18.0}  # a name that both have


def test_a_run_continued_counts_its_steps_from_there(tmp_path):
    watch = Notes()
    report(reporter(tmp_path, watch), [7, 8, 9])
    assert watch.seen == [(7, [7.0, 8.0, 9.0])]


def test_a_check_before_a_checkpoint_finds_what_is_not_finite(tmp_path):
    made = reporter(tmp_path, Notes())
    report(made, [1, 2], {1: 1.0, 2: float("nan")})
    with pytest.raises(UserError, match="not finite"):
        made.check(2)


def test_a_warning_has_a_line_of_its_own(tmp_path, capsys):
    report(reporter(tmp_path, Notes(["warning: collapsed"])), range(1, 7))
    assert capsys.readouterr().err.splitlines() == ["warning: collapsed"]


def test_on_a_terminal_a_warning_clears_the_progress_line(tmp_path, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stderr", Terminal())
    report(reporter(tmp_path, Notes(["warning: collapsed"])), [1, 2, 3])
    assert "\r\x1b[2Kwarning: collapsed\n" in reporting.sys.stderr.getvalue()


def test_waiting_for_input_is_a_share_of_the_time(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(reporting.time, "monotonic", lambda: now[0])

    def batches():
        while True:
            now[0] += 1.0  # seconds waited for each
            yield "batch"

    made = reporter(tmp_path, Notes(), batch_size=8)
    assert made.waiting_share == made.images_per_second == 0.0
    timed = made.timed(batches())
    for step in range(1, 6):
        assert next(timed) == "batch"
        now[0] += 3.0  # and trained
        made.step_done(step, values(step), dict)
    assert made.waiting_share == pytest.approx(1 / 4)
    assert made.images_per_second == pytest.approx(8 / 4)
    made.pause()
    now[0] += 100.0  # a checkpoint counts for neither
    next(timed)
    made.step_done(6, values(6), dict)
    assert made.images_per_second == pytest.approx(8 / 4)
    assert list(made.timed(["one", "two"])) == ["one", "two"]
