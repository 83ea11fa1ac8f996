"""The section on a run's curves: charts of scalars, of which some share one."""

from collections.abc import Mapping, Sequence

import numpy as np

from lorbms_tf.pages import charts, formats, html

Scalars = Mapping[str, tuple[np.ndarray, np.ndarray]]  # tag -> steps, values
Charts = Sequence[tuple[str, Mapping[str, str]]]  # a title, and the names in it by tag
TITLE = "Curves"

COLOURS = ("a", "b", "c", "d", "e")
_NOT_SHOWN = ("progress/",)


def section(scalars: Scalars, titled: Charts = (), mark: tuple[str, int] | None = None) -> str:
    """All scalars of a run.

    Args:
      scalars: those that there are.
      titled: charts of some of them; the others have one each, on request where there are any.
      mark: words for a step, and the step; left out where it is not within the run.
    """
    if not scalars:
        missing = "The run directory holds no TensorBoard event files, so there are no curves."
        return html.section(TITLE, "", html.paragraph(missing, "soft"))
    last = max(int(steps[-1]) for steps, _ in scalars.values())
    mark = mark if mark and 0 < mark[1] < last else None
    grouped = [
        (title, {tag: name for tag, name in names.items() if tag in scalars})
        for title, names in titled
    ]
    shown = {tag for _, names in grouped for tag in names}
    others = [
        (tag, {tag: tag})
        for tag in sorted(scalars)
        if tag not in shown and not tag.startswith(_NOT_SHOWN)
    ]
    note = (
        "Means of neighbouring steps, from TensorBoard's event files; behind each name the last "
        "value. Peaks far beyond all else are cut at the top."
    )
    panels = [_panel(title, names, scalars, last, mark) for title, names in grouped if names]
    more = [_panel(title, names, scalars, last, mark) for title, names in others]
    if not panels:
        panels, more = more, []
    rest = html.details(f"{len(more)} more", _two(more)) if more else ""
    return html.section(TITLE, note, _two(panels), rest)


def _two(panels: list[str]) -> str:
    return f'<div class="two">{"".join(panels)}</div>'


def _panel(
    title: str, names: Mapping[str, str], scalars: Scalars, last: int, mark: tuple | None
) -> str:
    lines = [
        charts.Curve(name, colour, *scalars[tag])
        for colour, (tag, name) in zip(COLOURS, names.items(), strict=False)
    ]
    return panel(title, lines, last, mark)


def panel(
    title: str, lines: Sequence[charts.Curve], last: int, mark: tuple[str, int] | None = None
) -> str:
    """A chart (`charts.curves`) with its title, and a legend with the last values."""
    legend = html.legend(
        [(line.colour, f"{line.name} · {formats.short(line.values[-1])}", True) for line in lines]
    )
    svg = charts.svg_text(charts.curves(lines, last, mark), title)
    return f"<div>{html.heading(title)}{legend}{svg}</div>"
