"""One HTML page on a run, which loads nothing: scores, sheets, curves, settings:

python -m lorbms_tf.report --run_dir=R --records=GLOB --out=report.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lorbms_tf import __version__
from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_path
from lorbms_tf.training import run_directory
from lorbms_tf.training.evaluation_config import EvaluationConfig
from lorbms_tf.training.method import Method
from lorbms_tf.training.run_directory import MethodConfig


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """Where the page goes, and what is shown in it."""

    out: str = setting("report.html", "The page to write.")
    scores: str = setting(
        "",
        "Comma list of files that `evaluate --out` has written, to be shown as well; those in the "
        "run directory (*.jsonl) always are.",
    )
    rows: int = setting(8, "Rows of the sheets.")
    cell: int = setting(96, "Side of one image in a sheet, pixels.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        if not self.out.lower().endswith((".html", ".htm")):
            raise UserError(f"--out={self.out} is not valid: the name must end in .html")
        require("rows", self.rows, minimum=1)
        require("cell", self.cell, minimum=16, below=513)


def report(method: Method, config: EvaluationConfig, page: ReportConfig) -> Path:
    """Writes the page; returns its path.

    Args:
      method: of the run.
      config: which run, and how it is scored: without data on its own held-out ones, or on none.
      page: what is shown, and where the page goes.

    Raises UserError for a run directory without config.json, for data, scores or a checkpoint that
    were asked for and cannot be used, and where the page cannot be written.
    """
    from lorbms_tf.pages import run_page
    from lorbms_tf.training import run_description

    run = run_description.describe(method, config, page.scores, page.rows, page.cell)
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    footer = f"Written by lorbms_tf.report {__version__}, {when}; this page loads nothing."
    with atomic_path(page.out) as temporary:
        temporary.write_text(run_page.page(run, footer), "utf-8")
    return Path(page.out)


def main(argv: Sequence[str]) -> None:
    """Writes the page and says where it is and what is missing in it."""
    command.refuse_arguments(argv)
    method = run_directory.asked_method()
    config, page = flags.read(method.evaluation.config), flags.read(ReportConfig)
    print(f"wrote {report(method, config, page)}")
    name = run_directory.read_config(config.run_dir).method
    export = {"run_dir": config.run_dir, "export_dir": f"served/{name}"}
    print(command.next_step("lorbms_tf.export", **export))


def console_main() -> None:
    """Entry point of the console script `lorbms-report`."""
    method = run_directory.method_of_flags()
    flags.define(ReportConfig)
    flags.define(method.evaluation.config, **method.report.defaults)
    flags.define(MethodConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
