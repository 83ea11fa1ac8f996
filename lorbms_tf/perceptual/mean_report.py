"""What the generalised means look like and how they score: a sheet, and the bars of figure 2."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from lorbms_tf.data.images import to_uint8
from lorbms_tf.files import atomic_path
from lorbms_tf.pages import html, pictures
from lorbms_tf.perceptual.mean_scores import Estimate

SHEET, PAGE = "means.png", "report.html"
_COLOURS = ("a", "b", "c", "d", "e")


def sheet(
    targets: Sequence[np.ndarray],
    means: Mapping[str, np.ndarray],
    names: Sequence[str],
    cell: int = 128,
) -> Image.Image:
    """A row a problem: two of its targets, and the mean under each distance (figures 3 and 4).

    Args:
      targets: [N, S, S, 3] of each of P problems, N at least 2.
      means: by the name of the distance, [P, S, S, 3].
      names: of the problems.
      cell: pixels a side of a picture.
    """
    rows = []
    for number, of_problem in enumerate(targets):
        shown = [of_problem[0], of_problem[-1], *(found[number] for found in means.values())]
        rows.append([to_uint8(picture) for picture in shown])
    titles = ["a target", "another", *means]
    return pictures.sheet(rows, column_titles=titles, row_titles=list(names), cell=cell)


def write(
    folder: Path, drawn: Image.Image, absolute: Mapping[str, Mapping[int, Estimate]], table: str
) -> list[Path]:
    """Writes the sheet, and a page with it, the bars and the table; returns their paths.

    Raises UserError where one cannot be written.
    """
    path = folder / PAGE
    with atomic_path(path) as temporary:
        temporary.write_text(page(drawn, absolute, table), "utf-8")
    return [pictures.save(drawn, folder / SHEET), path]


def page(drawn: Image.Image, absolute: Mapping[str, Mapping[int, Estimate]], table: str) -> str:
    """The page as HTML that loads nothing."""
    from lorbms_tf.pages import charts

    levels = list(next(iter(absolute.values())))
    bars = {f"{level} px": [tuple(found[level]) for found in absolute.values()] for level in levels}
    colours = [_COLOURS[number % len(_COLOURS)] for number in range(len(levels))]
    chart = charts.bars(list(absolute), bars, colours, "sliced Wasserstein distance")
    entries = [(c, text, False) for c, text in zip(colours, bars, strict=True)]
    encoded = io.BytesIO()
    drawn.save(encoded, "JPEG", quality=92, subsampling=0)
    body = (
        "<h1>Generalised image means</h1>"
        + html.section(
            "Distance from the targets",
            "Lower is better. A bar a level of the Laplacian pyramid, with its standard error over "
            "the problems. The last group is what other targets score: nothing can be expected to "
            "be nearer.",
            html.legend(entries),
            charts.svg_text(chart, "Sliced Wasserstein distances by loss and level"),
            f"<pre>{html.escape(table)}</pre>",
        )
        + html.section(
            "Means", "A row a problem.", html.figure(encoded.getvalue(), "", "picture", "means")
        )
    )
    return html.page("Generalised image means", body)
