"""Variants of one training with the same seeds, data and budget, and a table of their scores:

python -m lorbms_tf.sweep --flagfile=configs/ablation/scenes32.cfg --records=GLOB \
    --eval_records=GLOB --out=DIR --seeds=0,1,2

or settings that Optuna draws from a space (`lorbms_tf.training.search_space`), poor trials stopped
early:

python -m lorbms_tf.sweep --search=tpe --space=configs/lorbms/search.txt --trials=20 \
    --flagfile=configs/lorbms/search.cfg --records=GLOB --eval_records=GLOB --out=DIR

Starting it again does what is left to do. The folder holds config.json, which tells what it is; the
run directories runs/VARIANT/seed_N; VARIANT/seed_N.cfg (all flags), .log (what training and
evaluation printed) and .json (the scores); table.txt and table.jsonl; and curves.html, where
--curves names scalars. That of a search holds
search.db, in which Optuna keeps the trials, runs/trial_N, trials/trial_N/ and the same tables.
"""

import dataclasses
import sys
import time
from dataclasses import dataclass, fields
from pathlib import Path

from lorbms_tf import files, methods
from lorbms_tf.cli import command, flags, stored_config
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError
from lorbms_tf.progress import clock
from lorbms_tf.training import search, search_space, sweep_curves
from lorbms_tf.training import sweep as trials_of
from lorbms_tf.training.method import Method
from lorbms_tf.training.run_config import RunConfig
from lorbms_tf.training.sweep import HeldOut, Trial

# What variants have in common, where their method has it, or they would not compare.
_COMMON = ("method", "seed", "epochs", "max_steps", "batch_size", "image_size", "stages")


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """How a training is varied, and how many checkpoints are scored."""

    variants: tuple[str, ...] = setting(
        (), "Flagfiles of training, one a variant, whose flags win over the others."
    )
    seeds: tuple[int, ...] = setting((0,), "Seeds with which each variant is trained.")
    out: str = setting("", "Folder of the runs and the table: made, or continued.")
    score_checkpoints: int = setting(
        1, "Scores are the means of so many of a run's last checkpoints (3 in the thesis)."
    )
    curves: tuple[str, ...] = setting(
        (),
        "Scalars that curves.html shows over the steps, all variants in one chart, as psnr/train "
        "(for the first of --seeds).",
    )

    search: str = setting(
        "",
        "Instead of --variants: trials whose settings are drawn from --space, at random or by TPE, "
        "and compared by --best_metric at every --evaluate_every_steps. Needs the extra search.",
        choices=("", *search.KINDS),
    )
    space: str = setting("", "File that says what a search changes: NAME = LOW .. HIGH, or A | B.")
    trials: int = setting(20, "Trainings of a search.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        if self.search:
            self._validate_search()
        elif self.space:
            raise UserError("--space is for a --search")
        for name in ("out", "variants", "seeds"):
            if not getattr(self, name):
                raise UserError(f"--{name} is required")
        names = [Path(path).stem for path in self.variants]
        for name, values in (("seeds", self.seeds), ("variants", names)):
            if len(set(values)) < len(values):
                raise UserError(f"--{name} names one twice: {', '.join(map(str, values))}")
        require("seeds", min(self.seeds), minimum=0)
        require("score_checkpoints", self.score_checkpoints, minimum=1)
        if self.curves and len(self.variants) > sweep_curves.MOST:
            raise UserError(f"--curves shows at most {sweep_curves.MOST} --variants")

    def _validate_search(self) -> None:
        require("trials", self.trials, minimum=1)
        if not self.space:
            raise UserError("--search needs --space=FILE")
        if len(self.seeds) != 1:
            raise UserError("--search takes one of --seeds")


def check_training(config: SweepConfig, shared: RunConfig, source: str) -> None:
    """Raises UserError, naming the flag, where the training that is varied does not fit a sweep.

    Args:
      config: of the sweep.
      shared: the settings of the training, of a method's own kind.
      source: the setting that says what it learns from.
    """
    named = {field.name for field in fields(shared)}
    for name in (source, f"eval_{source}"):
        if name in named and not getattr(shared, name):
            raise UserError(f"--{name} is required")
    for name in ("run_dir", "seed"):
        if getattr(shared, name):
            raise UserError(f"--{name} is not for a sweep: it has --out and --seeds")
    below = shared.keep_checkpoints + 1
    require("score_checkpoints", config.score_checkpoints, 1, below=below)


def trials(config: SweepConfig, method: Method) -> list[Trial]:
    """All trials, seed by seed. UserError where they would not compare.

    Trials that are there decide for all what settings hold that are newer than they.
    """
    shared, folder = flags.read(method.config), Path(config.out)
    check_training(config, shared, method.source)
    named = {field.name for field in fields(shared)}
    of_data = (method.source, f"eval_{method.source}")
    common = [name for name in (*of_data, *_COMMON) if name in named]
    planned = []
    for seed in config.seeds:
        for path in config.variants:
            varied, variant = flags.read(method.config, flagfile=path), Path(path).stem
            for name in common:
                if getattr(varied, name) != getattr(shared, name):
                    raise UserError(f"{path} sets --{name}, which all variants must share")
            run_dir = str(folder / "runs" / variant / f"seed_{seed}")
            trained = dataclasses.replace(varied, seed=seed, run_dir=run_dir)
            planned.append(Trial(variant, trained, folder / variant / f"seed_{seed}"))
    return trials_of.continued(planned)


def table(config: SweepConfig, method: Method) -> str:
    """Trains and scores what is left to do, writes the table, and returns it.

    Raises UserError for bad settings, before anything is trained, and where a training or an
    evaluation fails; Stopped where a signal came and the training has saved.
    """
    planned, folder = trials(config, method), Path(config.out)
    begun = stored_config.is_begun(folder, stored_config.SWEEP, f"--out={folder}")
    protocol = flags.read(method.evaluation.protocol)
    if not method.evaluation.names(protocol):
        raise UserError("--metrics is required")
    method.evaluation.check(protocol)
    data = method.data(planned[0].config)
    held_out = HeldOut(data.held_out_flags(), data.held_out_fingerprint())
    if not begun:
        stored_config.write(folder, stored_config.SWEEP)
    start, worked, text = time.monotonic(), 0, ""
    for number, trial in enumerate(planned, start=1):
        left = (len(planned) - number + 1) * (time.monotonic() - start) / max(1, worked)
        eta = f", ETA {clock(left)}" if worked else ""
        print(f"[{number}/{len(planned)}{eta}] {trial.name}", file=sys.stderr, flush=True)
        trained = trials_of.train(trial, data.fingerprint)
        scored = trials_of.score(trial, protocol, config.score_checkpoints, held_out)
        worked += scored or trained
        text = trials_of.write_table(folder, planned[:number])
    if config.curves:
        first = {one.variant: one.config.run_dir for one in reversed(planned)}
        shown = {Path(path).stem: first[Path(path).stem] for path in config.variants}
        with files.atomic_path(folder / "curves.html") as temporary:
            temporary.write_text(sweep_curves.page(shown, config.curves), "utf-8")
    return text


def searched(config: SweepConfig, method: Method) -> str:
    """Trains what is left of a search, and returns its table. Raises as `table`."""
    shared = flags.read(method.config)
    check_training(config, shared, method.source)
    search.check(shared)
    space = search_space.read(config.space, shared)
    shared = dataclasses.replace(shared, seed=config.seeds[0])
    return search.Search(Path(config.out), config.search, shared, space).run(config.trials)


def main(argv) -> None:
    """Trains, scores, and prints the table."""
    command.refuse_arguments(argv)
    method = methods.get(methods.asked_name())
    config = flags.read(SweepConfig)
    if config.search:
        print(searched(config, method))
        runs = Path(config.out) / "runs"
        print(f"{config.out}: table.txt, table.jsonl, search.db, runs/, trials/ (flags and logs)")
        print(f"HParams tab: {command.script('tensorboard')} --logdir={runs}")
        return
    print(table(config, method))
    print(
        f"{config.out}: table.txt, table.jsonl; runs/ (a run directory for each variant and seed); "
        "for each a folder of .cfg (its flags), .log (what it printed) and .json (its scores)"
    )
    first = trials(config, method)[0].config.run_dir
    print(command.next_step("lorbms_tf.report", run_dir=first, out="report.html"))


def console_main() -> None:
    """Entry point of the console script `lorbms-sweep`."""
    flags.define(SweepConfig, variants=methods.of_flags().variants)
    flags.define(methods.of_flags().evaluation.protocol)
    flags.define(methods.of_flags().config)
    command.run(main)


if __name__ == "__main__":
    console_main()
