"""Hyper-parameter search: trainings whose settings Optuna draws, the poor ones stopped early.

A search lies in one folder: search.db (SQLite) holds the study, runs/trial_0007 the run
directories, trials/trial_0007/ their flagfiles and logs. Started again it goes on with the trial
that was interrupted. Every trial draws from its own number, so that a stop changes no draw.
"""

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lorbms_tf.cli import command, stored_config
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.tables import aligned
from lorbms_tf.files import atomic_path, write_json_lines
from lorbms_tf.training import run_directory
from lorbms_tf.training.run_config import RunConfig
from lorbms_tf.training.search_space import Choice, Range
from lorbms_tf.training.sweep import Trial, write_flagfile

DATABASE, TABLE, RUNS = "search.db", "table", "runs"
KINDS = ("random", "tpe")
_STUDY = "search"
_SPREAD = 1_000_003  # draws of one seed are those of no other
_MOST_FAILURES = 3  # in a row, from the first trial on: then it is the settings, not their values

Space = Sequence[Range | Choice]


def check(shared: RunConfig) -> None:
    """Raises UserError where the training cannot be searched over."""
    optuna()
    if not shared.evaluate_every_steps:
        raise UserError(
            "--search needs --evaluate_every_steps above 0: by the scores on held-out data trials "
            "are compared, and poor ones stopped"
        )
    if not shared.best_metric:
        raise UserError("--search needs --best_metric, by which trials are compared")


def optuna() -> Any:
    """The package. UserError, naming the extra, where it is missing."""
    try:
        import optuna
    except ImportError as error:
        raise UserError(f"--search needs Optuna: {command.install('search')}") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


class Search:
    """One search, begun or continued.

    Args:
      folder: see above.
      kind: "random", or "tpe" (a tree-structured Parzen estimator, Bergstra et al., 2011).
      shared: the settings of all trials; `seed` is also that of the draws.
      space: what the trials change.
      train: (the trial, () -> whether to stop early) trains to the end, or to an early stop.

    Raises UserError where the folder holds another search.
    """

    def __init__(
        self,
        folder: Path,
        kind: str,
        shared: RunConfig,
        space: Space,
        train: Callable[[Trial, Callable[[], bool]], Any] | None = None,
    ):
        self._folder, self._kind, self._shared, self._space = folder, kind, shared, space
        self._train = train or _train
        self._optuna = optuna()
        _settle(folder, shared)
        self._study = self._optuna.create_study(
            storage=f"sqlite:///{folder / DATABASE}",
            study_name=_STUDY,
            direction="maximize",  # as for the best checkpoint: more is better
            pruner=self._optuna.pruners.MedianPruner(),
            load_if_exists=True,
        )
        described = [str(one) for one in space]
        if self._study.user_attrs.setdefault("space", described) != described:
            raise UserError(f"--out={folder} holds a search over another --space")
        self._study.set_user_attr("space", described)

    def run(self, count: int) -> str:
        """Trains until there are so many trials; writes the tables and returns the text.

        Raises Stopped where a signal came, after the training has saved; UserError where all of the
        first trials fail.
        """
        from lorbms_tf.training import hyperparameters  # loads TensorFlow

        metric = f"eval/{self._shared.best_metric}"
        hyperparameters.write_search(self._folder / RUNS, self._space, metric)
        states = self._optuna.trial.TrialState
        for frozen in self._study.get_trials(states=[states.RUNNING]):
            self._one(self._optuna.trial.Trial(self._study, frozen._trial_id), count)
        while (number := len(self._study.trials)) < count:
            self._study.sampler = self._sampler(_SPREAD * self._shared.seed + number)
            self._one(self._study.ask(), count)
        return self._write()

    def _sampler(self, seed: int) -> Any:
        kinds = {"random": "RandomSampler", "tpe": "TPESampler"}
        return getattr(self._optuna.samplers, kinds[self._kind])(seed=seed)

    def _one(self, drawn: Any, count: int) -> None:
        """Trains one trial, and tells the study what came of it."""
        states, name = self._optuna.trial.TrialState, f"trial_{drawn.number:04d}"
        values = {one.name: one.value(drawn) for one in self._space}
        shown = ", ".join(f"{key} {value}" for key, value in drawn.params.items())
        print(f"[{drawn.number + 1}/{count}] {name}: {shown}", file=sys.stderr, flush=True)
        run_dir = str(self._folder / RUNS / name)
        try:
            config = dataclasses.replace(self._shared, **values, run_dir=run_dir)
            config.validate()
            trial = Trial(name, config, self._folder / "trials" / name / f"seed_{config.seed}")
            poor = self._train(trial, lambda: self._is_poor(drawn, run_dir))
        except UserError as error:
            print(f"{name} has failed: {error}", file=sys.stderr, flush=True)
            self._study.tell(drawn, state=states.FAIL)
            self._give_up(states.FAIL)
            return
        known = self._report(drawn, run_dir)
        if poor or not known:
            self._study.tell(drawn, state=states.PRUNED if known else states.FAIL)
        else:
            self._study.tell(drawn, max(known.values()))
        self._write()

    def _give_up(self, failed: Any) -> None:
        trials = self._study.trials
        if len(trials) == _MOST_FAILURES and all(one.state == failed for one in trials):
            raise UserError(
                f"the first {len(trials)} trials have failed: see {self._folder}/trials"
            )

    def _is_poor(self, drawn: Any, run_dir: str) -> bool:
        """Whether others were better after as many steps: below their median."""
        self._report(drawn, run_dir)
        return drawn.should_prune()

    def _report(self, drawn: Any, run_dir: str) -> Mapping[int, float]:
        """Tells the study the scores that the run has written; gives all, by step."""
        from lorbms_tf.training import event_files  # loads TensorFlow

        curves = event_files.read_scalars(Path(run_dir) / run_directory.LOGS)
        steps, values = curves.get(f"eval/{self._shared.best_metric}", ((), ()))
        known = dict(self._study.trials[drawn.number].intermediate_values)
        for step, value in zip(map(int, steps), map(float, values), strict=True):
            if step not in known:
                drawn.report(value, step)
                known[step] = value
        return known

    def _write(self) -> str:
        """table.txt and table.jsonl: the trials, the best first; gives the text."""
        names = [one.name for one in self._space]
        trials = sorted(self._study.trials, key=_place)
        lines = [
            {
                "trial": f"trial_{one.number:04d}",
                "state": one.state.name.lower(),
                self._shared.best_metric: one.value,
                "steps": max(one.intermediate_values, default=0),
                **one.params,
            }
            for one in trials
        ]
        write_json_lines(self._folder / f"{TABLE}.jsonl", lines)
        head = ["trial", "state", self._shared.best_metric, "steps", *names]
        text = aligned([head, *([_cell(line.get(name)) for name in head] for line in lines)])
        with atomic_path(self._folder / f"{TABLE}.txt") as temporary:
            temporary.write_text(text + "\n", "utf-8")
        return text


def _place(trial: Any) -> tuple[bool, bool, float]:
    """What trials are ordered by: complete ones first, then those with a score, the best first."""
    value = trial.value
    return trial.state.name != "COMPLETE", value is None, -(value or 0.0)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _settle(folder: Path, shared: RunConfig) -> None:
    """Marks the folder as that of a search. UserError where it is one of other settings."""
    flag = f"--out={folder}"
    if not stored_config.is_begun(folder, stored_config.SEARCH, flag):
        stored_config.write(folder, stored_config.SEARCH, shared)
        return
    old = stored_config.read(folder, stored_config.SEARCH, type(shared), flag)
    if changes := stored_config.differences(old, stored_config.continued(old, shared)):
        raise UserError(f"{flag} holds a search with other settings: {'; '.join(changes)}")


def _train(trial: Trial, is_poor: Callable[[], bool]) -> bool:
    """Trains by a process of its own; whether it was stopped early."""
    flagfile = write_flagfile(trial)
    return trial.run("training", "lorbms_tf.train", [f"--flagfile={flagfile}"], is_poor)
