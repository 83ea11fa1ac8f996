"""An ablation: variants of one training with the same seeds, data and budget (thesis, table 4.5):

python -m lorbms_tf.ablate --flagfile=configs/ablation/scenes32.cfg --records=GLOB \
    --eval_records=GLOB --out=DIR --seeds=0,1,2

Starting it again does what is left to do. The folder holds config.json, which tells what it is; the
run directories runs/VARIANT/seed_N; VARIANT/seed_N.cfg (all flags), .log (what training and
evaluation printed) and .json (the scores); and table.txt and table.jsonl.
"""

import dataclasses
import sys
import time
from dataclasses import dataclass, fields
from pathlib import Path

from lorbms_tf.cli import command, flags, stored_config
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.score_config import ScoreConfig
from lorbms_tf.lorbms.config import LorbmsConfig
from lorbms_tf.progress import clock
from lorbms_tf.training import ablation
from lorbms_tf.training.ablation import Trial

_FOLDER = "configs/ablation"
# What the variants of an ablation have in common, or they would not compare.
_COMMON = ("records", "eval_records", "seed", "epochs", "max_steps", "batch_size", "image_size")


@dataclass(frozen=True, kw_only=True)
class AblateConfig(LorbmsConfig, ScoreConfig):
    """The training that is varied, how it is varied, and how the variants are scored."""

    variants: tuple[str, ...] = setting(
        tuple(f"{_FOLDER}/{name}.cfg" for name in ("full", "no_cls", "no_rec", "no_adv")),
        "Flagfiles of training, one a variant, whose flags win over the others.",
    )
    seeds: tuple[int, ...] = setting((0,), "Seeds with which each variant is trained.")
    out: str = setting("", "Folder of the runs and the table: made, or continued.")
    score_checkpoints: int = setting(
        1, "Scores are the means of so many of a run's last checkpoints (3 in the thesis)."
    )

    def validate(self) -> None:
        """As `LorbmsConfig.validate`, for all settings."""
        super().validate()
        for name in ("records", "eval_records", "out", "variants", "seeds", "metrics"):
            if not getattr(self, name):
                raise UserError(f"--{name} is required")
        for name in ("run_dir", "seed"):
            if getattr(self, name):
                raise UserError(f"--{name} is not for an ablation: it has --out and --seeds")
        names = [Path(path).stem for path in self.variants]
        for name, values in (("seeds", self.seeds), ("variants", names)):
            if len(set(values)) < len(values):
                raise UserError(f"--{name} names one twice: {', '.join(map(str, values))}")
        require("seeds", min(self.seeds), minimum=0)
        require("score_checkpoints", self.score_checkpoints, 1, below=self.keep_checkpoints + 1)


def trials(config: AblateConfig) -> list[Trial]:
    """All trials, seed by seed. UserError where they would not compare.

    Trials that are there decide for all what settings hold that are newer than they.
    """
    shared, folder = flags.read(LorbmsConfig), Path(config.out)
    made = []
    for seed in config.seeds:
        for path in config.variants:
            varied, variant = flags.read(LorbmsConfig, flagfile=path), Path(path).stem
            for name in _COMMON:
                if getattr(varied, name) != getattr(shared, name):
                    raise UserError(f"{path} sets --{name}, which all variants must share")
            run_dir = str(folder / "runs" / variant / f"seed_{seed}")
            trained = dataclasses.replace(varied, seed=seed, run_dir=run_dir)
            made.append(Trial(variant, trained, folder / variant / f"seed_{seed}"))
    return ablation.continued(made)


def ablate(config: AblateConfig) -> str:
    """Trains and scores what is left to do, writes the table, and returns it.

    Raises UserError for bad settings, before anything is trained, and where a training or an
    evaluation fails; Stopped where a signal came and the training has saved.
    """
    planned, folder = trials(config), Path(config.out)
    begun = stored_config.is_begun(folder, stored_config.ABLATION, f"--out={folder}")
    from lorbms_tf.data import fingerprint, records
    from lorbms_tf.lorbms import scoring

    scoring.check_metrics(config)
    protocol = ScoreConfig(**{f.name: getattr(config, f.name) for f in fields(ScoreConfig)})
    data = fingerprint.fingerprint(records.find_shards(config.records))
    held_out = fingerprint.fingerprint(records.find_shards(config.eval_records))
    if not begun:
        stored_config.write(folder, stored_config.ABLATION)
    start, worked, table = time.monotonic(), 0, ""
    for number, trial in enumerate(planned, start=1):
        left = (len(planned) - number + 1) * (time.monotonic() - start) / max(1, worked)
        eta = f", ETA {clock(left)}" if worked else ""
        print(f"[{number}/{len(planned)}{eta}] {trial.name}", file=sys.stderr, flush=True)
        trained = ablation.train(trial, data)
        worked += ablation.score(trial, protocol, config.score_checkpoints, held_out) or trained
        table = ablation.write_table(folder, planned[:number])
    return table


def main(argv) -> None:
    """Runs the ablation and prints its table."""
    command.refuse_arguments(argv)
    config = flags.read(AblateConfig)
    print(ablate(config))
    print(
        f"{config.out}: table.txt, table.jsonl; runs/ (a run directory for each variant and seed); "
        "for each a folder of .cfg (its flags), .log (what it printed) and .json (its scores)"
    )
    first = trials(config)[0].config.run_dir
    print(command.next_step("lorbms_tf.report", run_dir=first, out="report.html"))


def console_main() -> None:
    """Entry point of the console script `lorbms-ablate`."""
    flags.define(AblateConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
