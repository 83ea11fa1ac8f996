"""How good are the candidates?

python -m tfrecords_tools.score_candidates --records='data/mine/*.tfrecord-*'

Compares every candidate with its reference, quadrant by quadrant, and the same for images drawn at
random: by the labels of `--annotations`, by colour and edges, which need no labels, and by the
shape of the graph (hubs, reciprocity). Prints a table and one JSON line.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from tfrecords_tools.scoring import scorecard


@dataclass(frozen=True, kw_only=True)
class ScoreConfig:
    """What to score, and by what."""

    records: str = setting("", "Glob of the shards of one dataset, quoted.")
    annotations: str = setting(
        "", "COCO file of boxes, or the instances.json of synthesized scenes; empty: no labels."
    )
    limit: int = setting(1000, "References that are scored, drawn by --seed; 0: all.")
    seed: int = setting(0, "Seed of the references and of the random choice.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        if not self.records:
            raise UserError("--records is required: a glob such as 'DIR/*.tfrecord-*'")
        require("limit", self.limit, minimum=0)
        require("seed", self.seed, minimum=0)


def score(config: ScoreConfig) -> scorecard.Scorecard:
    """Scores, prints the table and the JSON line. Raises UserError for what cannot be used."""
    shards = records.find_shards(config.records)
    folders = sorted({str(Path(path).parent) for path in shards})
    if len(folders) > 1:
        raise UserError(f"--records must be of one dataset, not of {', '.join(folders)}")
    card = scorecard.score(shards, config.annotations, config.limit, config.seed)
    print(scorecard.table(card))
    line = {
        "records_glob": config.records,
        "annotations": config.annotations,
        "seed": config.seed,
        **card.as_json(),
    }
    print(json.dumps(line, allow_nan=False))
    step = command.next_step("tfrecords_tools.inspect", records=config.records, html="report.html")
    print(step, file=sys.stderr)
    return card


def main(argv: Sequence[str]) -> None:
    """The command: reads the flags and scores."""
    command.refuse_arguments(argv)
    score(flags.read(ScoreConfig))


def console_main() -> None:
    """The entry point of the console script."""
    flags.define(ScoreConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
