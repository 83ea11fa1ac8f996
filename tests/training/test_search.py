"""A search with trainings that are played: what is drawn, stopped early, failed and continued."""

import json
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from lorbms_tf.errors import Stopped, UserError
from lorbms_tf.training import search
from lorbms_tf.training.event_files import EventWriter
from lorbms_tf.training.run_directory import LOGS
from lorbms_tf.training.search_space import Choice, Range
from tests import tiny

SPACE = [
    Range("generator_learning_rate", 1e-5, 1e-2, True),
    Choice("encoder_layers", ("1,1,1,1", "2,1,1,1"), ((1, 1, 1, 1), (2, 1, 1, 1))),
]
STEPS = (10, 20, 30)


def shared(**changes):
    settings = {"evaluate_every_steps": 10, "eval_records": "e*", "best_metric": "psnr"}
    return tiny.config(run_dir="", **{**settings, **changes})


class Played:
    """Trains without a network: its score rises with the logarithm of the rate, and with steps."""

    def __init__(self, interrupted_at=None, fails=()):
        self.configs, self._interrupted_at, self._fails = [], interrupted_at, fails

    def __call__(self, trial, is_poor):
        number = len(self.configs)
        if number == self._interrupted_at:
            self._interrupted_at = None
            raise Stopped("stopped", 2)
        self.configs.append(trial.config)
        if number in self._fails:
            raise UserError("values are not finite")
        for step in STEPS:
            events = EventWriter(Path(trial.config.run_dir) / LOGS)
            with events.at(step):
                tf.summary.scalar("eval/psnr", step + 1e4 * trial.config.generator_learning_rate)
            events.close()
            if is_poor():
                return True
        return False


def made(folder, train, kind="random", space=SPACE, **changes):
    return search.Search(folder, kind, shared(**changes), space, train)


def lines(folder):
    return [json.loads(line) for line in (folder / "table.jsonl").read_text().splitlines()]


def by_trial(folder):
    return {line.pop("trial"): line for line in lines(folder)}


@pytest.mark.extras
@pytest.mark.parametrize("kind", search.KINDS)
def test_the_table_has_the_best_first_and_the_values_that_were_trained(tmp_path, kind):
    train = Played()
    text = made(tmp_path, train, kind).run(4)
    found = lines(tmp_path)
    assert [line["psnr"] for line in found] == sorted(
        (line["psnr"] for line in found), reverse=True
    )
    best = found[0]
    assert best["psnr"] == pytest.approx(30 + 1e4 * best["generator_learning_rate"], rel=1e-5)
    assert text.splitlines()[1].split()[0] == best["trial"] and best["state"] == "complete"
    drawn = {config.generator_learning_rate for config in train.configs}
    assert drawn == {line["generator_learning_rate"] for line in found} and len(drawn) == 4
    assert all(1e-5 <= rate <= 1e-2 for rate in drawn)
    assert {config.encoder_layers for config in train.configs} <= {(1, 1, 1, 1), (2, 1, 1, 1)}


@pytest.mark.extras
def test_trials_below_the_median_are_stopped_early(tmp_path):
    made(tmp_path, Played(), seed=1).run(12)
    found = lines(tmp_path)
    pruned = [line for line in found if line["state"] == "pruned"]
    assert pruned and all(line["steps"] < 30 for line in pruned)
    complete = [line for line in found if line["state"] == "complete"]
    assert len(complete) >= 5 and all(line["steps"] == 30 for line in complete)
    assert found == [*complete, *pruned]  # however good a stopped one was so early
    rates = [line["generator_learning_rate"] for line in pruned]
    assert max(rates) < max(line["generator_learning_rate"] for line in complete)


@pytest.mark.extras
def test_an_interrupted_search_goes_on_with_its_trial_and_draws_as_if_there_was_no_stop(tmp_path):
    made(tmp_path / "whole", Played()).run(5)
    with pytest.raises(Stopped):
        made(tmp_path / "parts", Played(interrupted_at=2)).run(5)
    assert len(by_trial(tmp_path / "parts")) == 2
    train = Played()
    made(tmp_path / "parts", train).run(5)
    assert train.configs[0].run_dir.endswith("trial_0002") and len(train.configs) == 3
    assert by_trial(tmp_path / "parts") == by_trial(tmp_path / "whole")
    again = Played()
    made(tmp_path / "parts", again).run(5)
    assert again.configs == []


@pytest.mark.extras
def test_a_trial_that_fails_is_noted_and_the_next_ones_run(tmp_path, capsys):
    made(tmp_path, Played(fails=(0, 2))).run(4)
    states = [line["state"] for line in by_trial(tmp_path).values()]
    assert sorted(states) == ["complete", "complete", "fail", "fail"]
    assert "trial_0002 has failed: values are not finite" in capsys.readouterr().err
    with pytest.raises(UserError, match="the first 3 trials have failed"):
        made(tmp_path / "other", Played(fails=(0, 1, 2))).run(9)


@pytest.mark.extras
def test_a_folder_takes_one_search(tmp_path):
    made(tmp_path, Played()).run(1)
    with pytest.raises(UserError, match="batch_size: 12 -> 3"):
        made(tmp_path, Played(), batch_size=3)
    with pytest.raises(UserError, match="another --space"):
        made(tmp_path, Played(), space=SPACE[:1])
    made(tmp_path, Played(), keep_checkpoints=9).run(1)  # which a run may change


@pytest.mark.extras
@pytest.mark.parametrize(
    "changes, reason",
    [({"evaluate_every_steps": 0}, "--evaluate_every_steps"), ({"best_metric": ""}, "best_metric")],
)
def test_a_search_needs_scores(changes, reason):
    with pytest.raises(UserError, match=reason):
        search.check(shared(**changes))


def test_without_optuna_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UserError, match=r"--search needs Optuna: .*search"):
        search.check(shared())
