"""When a run is stopped, when it is warned of, and how often."""

import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.signs import DIVERSITY, FAKE, JUDGED, REAL, SIGNS
from lorbms_tf.training.watch import Watch
from tests import tiny

HEALTHY = {REAL: 0.8, FAKE: 0.7, DIVERSITY: 0.9, "loss/generator": 1.0}


def watch_of(folder, collapse_steps):
    return Watch(folder, collapse_steps, SIGNS, JUDGED)


def steps(count, **changes):
    names = {"real": REAL, "fake": FAKE, "diversity": DIVERSITY, "loss": "loss/generator"}
    values = {**HEALTHY, **{names[name]: value for name, value in changes.items()}}
    return {name: np.full(count, value, np.float32) for name, value in values.items()}


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"real": 1.0, "fake": 1.0}, "tells every reference from every mix"),
        ({"real": 0.0, "fake": 0.0}, "always wrong"),
        ({"real": 1.0, "fake": 0.0}, "has stopped judging"),
        ({"real": 0.0, "fake": 1.0}, "has stopped judging"),
        ({"diversity": 0.001}, "all mixes of a batch look alike"),
    ],
)
def test_a_collapse_is_warned_of_once(tmp_path, changes, said):
    watch = watch_of(tmp_path, collapse_steps=5)
    assert watch.look(1, steps(3, **changes)) == []
    (warning,) = watch.look(4, steps(3, **changes))
    assert said in warning and "at step 5, for 5 steps" in warning
    assert watch.look(7, steps(20, **changes)) == []


def test_a_recovery_begins_the_count_anew(tmp_path):
    watch = watch_of(tmp_path, collapse_steps=5)
    collapsed = steps(4, diversity=0.0)
    for first in (1, 6, 11):
        assert watch.look(first, collapsed) == []
        assert watch.look(first + 4, steps(1)) == []
    assert len(watch.look(16, steps(30, diversity=0.0))) == 1
    assert watch.look(46, steps(1)) == []
    assert len(watch.look(47, steps(30, diversity=0.0))) == 1  # it happened again


@pytest.mark.parametrize("changes", [{}, {"real": 1.0}, {"fake": 0.0}, {"diversity": 0.02}])
def test_healthy_runs_are_left_alone(tmp_path, changes):
    assert watch_of(tmp_path, collapse_steps=1).look(1, steps(9, **changes)) == []


def test_zero_never_warns(tmp_path):
    assert watch_of(tmp_path, collapse_steps=0).look(1, steps(9, diversity=0.0)) == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_stops_the_run(tmp_path, bad):
    values = steps(4)
    values["loss/generator"][2] = bad
    with pytest.raises(UserError) as caught:
        watch_of(tmp_path, 0).look(11, values)
    message = str(caught.value)
    assert message.startswith("loss/generator not finite at step 13 (looked at steps 11 to 14)")
    assert f"loss/generator {bad:.4g}" in message and "No checkpoint was written" in message


def test_the_last_good_checkpoint_is_named(tmp_path):
    folder = tiny.write_run(tmp_path / "run") / "checkpoints"
    with pytest.raises(UserError, match=f"last good checkpoint is that of step {tiny.STEP} in"):
        watch_of(folder, 0).look(8, steps(1, loss=np.nan))
