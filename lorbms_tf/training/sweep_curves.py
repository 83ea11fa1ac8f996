"""The curves of a sweep: scalars over training steps, all variants in one chart (figure 3.9)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lorbms_tf.errors import UserError
from lorbms_tf.pages import charts, html, run_curves

MOST = len(run_curves.COLOURS)  # variants that one chart can tell apart


def page(run_dirs: Mapping[str, str], tags: Sequence[str]) -> str:
    """An HTML page with a chart for each scalar.

    Args:
      run_dirs: a run directory for each variant, by its name; at most `MOST`.
      tags: of the scalars, such as psnr/train.

    Raises UserError where no run has a scalar of that name, naming those that there are.
    """
    from lorbms_tf.training import event_files, run_directory  # heavy: --help need not wait

    found = {
        name: event_files.read_scalars(Path(run_dir) / run_directory.LOGS)
        for name, run_dir in run_dirs.items()
    }
    panels = []
    for tag in tags:
        lines = [
            charts.Curve(name, colour, *scalars[tag])
            for colour, (name, scalars) in zip(run_curves.COLOURS, found.items(), strict=False)
            if tag in scalars
        ]
        if not lines:
            valid = sorted({other for scalars in found.values() for other in scalars})
            raise UserError(f"--curves={tag}: no run has it; they have {', '.join(valid)}")
        last = max(int(line.steps[-1]) for line in lines)
        panels.append(run_curves.panel(tag, lines, last))
    note = "Means of neighbouring steps; behind each name the last value. The first of the seeds."
    title = "Curves of a sweep"
    return html.page(title, html.section(title, note, f'<div class="two">{"".join(panels)}</div>'))
