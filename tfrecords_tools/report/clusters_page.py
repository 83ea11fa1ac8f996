"""A page on how many clusters to take: what is found, and how alike it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lorbms_tf.files import atomic_path
from lorbms_tf.pages import charts, html
from tfrecords_tools.report.charts import Line, by_clusters

_NOTE = (
    "Recall: the share of the true ten nearest quadrants that is found. Alike in colour: a "
    "quadrant and its candidates, by a look that the features had no part in; dashed: random "
    "images. Where alike stays level while recall falls, what is found instead is as good."
)


def write(path: str, rows: Sequence[Mapping[str, Any]], chance: float) -> None:
    """Writes the page.

    Args:
      path: of the HTML file.
      rows: with "num_clusters", "recall" and "alike".
      chance: how alike random images are.

    Raises UserError where it cannot be written.
    """
    counts = [row["num_clusters"] for row in rows]
    recall = Line("recall", "accent", [row["recall"] for row in rows], float("nan"))
    alike = Line("alike", "tau", [row["alike"] for row in rows], chance)
    svg = charts.svg_text(by_clusters(counts, [recall, alike]), "Recall and likeness by clusters")
    legend = html.legend([(line.colour, line.name, True) for line in (recall, alike)])
    body = html.section("How many clusters?", _NOTE, svg, legend)
    with atomic_path(Path(path)) as temporary:
        temporary.write_text(html.page("How many clusters?", body), "utf-8")
