"""One HTML page on a run, which loads nothing: scores, swap matrix, sheets, curves, settings:

python -m lorbms_tf.report --run_dir=R --records=GLOB --out=report.html
"""

from dataclasses import dataclass
from pathlib import Path

from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.score_config import ScoringConfig

_METRICS = ("psnr", "ssim", "mix_fidelity", "swap_locality", "swap_cycle_error", "swd_mix")
_LIMIT = 256


@dataclass(frozen=True, kw_only=True)
class ReportConfig(ScoringConfig):
    """Which run to tell of, and on which records it is looked at."""

    out: str = setting("report.html", "The page to write.")
    scores: str = setting(
        "",
        "Comma list of files that `evaluate --out` has written, to be shown as well; those in the "
        "run directory (*.jsonl) always are.",
    )
    rows: int = setting(8, "Rows of the sheets.")
    cell: int = setting(96, "Side of one image in a sheet, pixels.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting.

        Without records the page tells of the run's own held-out records, or of none.
        """
        super().validate()
        if not self.out.lower().endswith((".html", ".htm")):
            raise UserError(f"--out={self.out} is not valid: the name must end in .html")
        require("rows", self.rows, minimum=1)
        require("cell", self.cell, minimum=16, below=513)


def report(config: ReportConfig) -> Path:
    """Writes the page; returns its path.

    Raises UserError for a run directory without config.json, for records, scores or a checkpoint
    that were asked for and cannot be used, and where the page cannot be written.
    """
    from lorbms_tf.lorbms import run_report

    run = run_report.describe(config, config.scores, config.rows, config.cell)
    run_report.write(run, config.out)
    return Path(config.out)


def main(argv) -> None:
    """Writes the page and says where it is and what is missing in it."""
    command.refuse_arguments(argv)
    config = flags.read(ReportConfig)
    print(f"wrote {report(config)}")
    export = {"run_dir": config.run_dir, "export_dir": "served/lorbms"}
    print(command.next_step("lorbms_tf.export", **export))


def console_main() -> None:
    """Entry point of the console script `lorbms-report`."""
    flags.define(ReportConfig, metrics=_METRICS, limit=_LIMIT)
    command.run(main)


if __name__ == "__main__":
    console_main()
