"""The trials of a sweep: each trained and scored by processes of their own, once."""

import dataclasses
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lorbms_tf import methods
from lorbms_tf.cli import child_process, flags, stored_config
from lorbms_tf.cli.settings import from_dict, to_dict
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation import sweep_table
from lorbms_tf.files import atomic_path, read_json, write_json, write_json_lines
from lorbms_tf.training import run_directory
from lorbms_tf.training.run_config import RunConfig


class HeldOut(NamedTuple):
    """What the trials are scored on.

    flags: by which `lorbms_tf.evaluate` finds it.
    fingerprint: that tells it from other data.
    """

    flags: Mapping[str, str]
    fingerprint: list[dict]


@dataclasses.dataclass(frozen=True)
class Trial:
    """One variant with one seed: its settings, and where its files lie."""

    variant: str
    config: RunConfig
    files: Path  # .cfg, .log and .json are added

    @property
    def name(self) -> str:
        return f"{self.variant}, seed {self.config.seed}"

    def file(self, ending: str) -> Path:
        return self.files.with_name(self.files.name + ending)

    def state(self) -> dict[str, Any]:
        """What is done: "trained", "asked" and "lines" (of lorbms_tf.evaluate); empty at first."""
        path = self.file(".json")
        return read_json(path) if path.is_file() else {}

    def run(
        self, what: str, module: str, words: list[str], early: Callable[[], bool] | None = None
    ) -> bool:
        """Runs a door to its end, or to an early one; returns and raises as `child_process.run`."""
        name = f"{what} of {self.name}"
        with open(self.file(".log"), "ab") as log:
            return child_process.run([sys.executable, "-m", module, *words], name, log, early)


def continued(trials: list[Trial]) -> list[Trial]:
    """The trials, going on as those of them that are begun (`stored_config.continued`)."""
    for trial in trials:
        run_dir = trial.config.run_dir
        if stored_config.is_there(Path(run_dir)):
            old = run_directory.read_config(run_dir)
            return [
                dataclasses.replace(one, config=stored_config.continued(old, one.config))
                for one in trials
            ]
    return trials


def write_flagfile(trial: Trial) -> Path:
    """Writes all flags of a trial's training, and returns where."""
    flagfile = trial.file(".cfg")
    with atomic_path(flagfile) as temporary:
        command = f"# python -m lorbms_tf.train --flagfile={flagfile}\n"
        temporary.write_text(command + flags.as_text(trial.config) + "\n", "utf-8")
    return flagfile


def train(trial: Trial, data: list[dict]) -> bool:
    """Trains, unless these settings have been trained on these data; whether it did.

    data: their fingerprint.
    """
    asked = _as_json({"settings": to_dict(trial.config), "records": data})
    if _as_today(trial.state().get("trained"), type(trial.config)) == asked:
        return False
    flagfile = write_flagfile(trial)
    trial.run("training", "lorbms_tf.train", [f"--flagfile={flagfile}"])
    write_json(trial.file(".json"), {"trained": asked})
    return True


def _as_today(trained: dict[str, Any] | None, config_class: type) -> dict[str, Any] | None:
    """What a .json says was trained, with the settings that are newer than it."""
    if not trained:
        return None
    settings = to_dict(from_dict(config_class, trained["settings"]))
    return _as_json({**trained, "settings": settings})


def score(trial: Trial, protocol: Any, count: int, held_out: HeldOut) -> bool:
    """Scores the last `count` checkpoints, unless it has been done in this way; whether it did.

    protocol: of the method's `Evaluation`.
    """
    limit = trial.config.evaluate_records
    asked = {**to_dict(protocol), "limit": limit, "checkpoints": count}
    asked["records"] = held_out.fingerprint
    asked |= methods.get(trial.config.method).evaluation.fixed(protocol)  # else measured again
    asked, state = _as_json(asked), trial.state()
    if state.get("asked") == asked:
        return False
    from lorbms_tf.training import checkpoints  # loads TensorFlow

    steps = checkpoints.steps(Path(trial.config.run_dir) / run_directory.CHECKPOINTS)[-count:]
    if len(steps) < count:
        raise UserError(
            f"{trial.name} has left {len(steps)} checkpoints, fewer than --score_checkpoints="
            f"{count}: lower that or --checkpoint_every_steps"
        )
    written = trial.file(".scores.tmp")
    written.unlink(missing_ok=True)
    words = [f"--run_dir={trial.config.run_dir}"]
    words += [f"--{name}={value}" for name, value in held_out.flags.items()]
    words += [f"--limit={limit}", f"--out={written}", *flags.as_text(protocol).splitlines()]
    for step in steps:
        name = f"evaluation after step {step}"
        trial.run(name, "lorbms_tf.evaluate", [f"--checkpoint={step}", *words])
    lines = [json.loads(line) for line in written.read_text("utf-8").splitlines()]
    write_json(trial.file(".json"), {**state, "asked": asked, "lines": lines})
    written.unlink()
    return True


def _as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def write_table(folder: Path, done: list[Trial]) -> str:
    """Writes table.txt and table.jsonl of trials that are scored; returns the former.

    Raises UserError where they were trained for different numbers of steps.
    """
    found = {(trial.variant, trial.config.seed): trial.state()["lines"] for trial in done}
    steps = {key: tuple(line["step"] for line in lines) for key, lines in found.items()}
    if len(set(steps.values())) > 1:
        shown = "; ".join(f"{name}, seed {seed}: {at}" for (name, seed), at in steps.items())
        raise UserError(f"the runs in {folder} do not compare, they have other steps: {shown}")
    summaries = sweep_table.summary(found)
    text = sweep_table.text(summaries)
    with atomic_path(folder / "table.txt") as temporary:
        temporary.write_text(text + "\n", "utf-8")
    write_json_lines(folder / "table.jsonl", summaries)
    return text
