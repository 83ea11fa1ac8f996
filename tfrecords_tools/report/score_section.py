"""The section on how good the candidates are, beside random choice."""

from lorbms_tf.pages import formats, html
from lorbms_tf.pages.charts import svg_text
from tfrecords_tools.report import charts
from tfrecords_tools.scoring import scorecard
from tfrecords_tools.scoring.measures import Comparison, Estimate
from tfrecords_tools.scoring.scorecard import Scorecard

_COLOURS = ("a", "b", "c")


def scores(card: Scorecard) -> str:
    """Table and charts of a scorecard."""
    header = ["score", "candidates", "random", "difference or ratio", "better"]
    rows = [_row(name, found, True) for name, found in card.labels.items()]
    rows += [_row(name, found, False) for name, found in card.looks.items()]
    shapes = [
        [
            title,
            *(scorecard.graph_text(found, key) for found in (card.shape, card.random_shape)),
            better,
        ]
        for title, (key, better) in scorecard.GRAPH_ROWS.items()
    ]
    panels = []
    if card.labels:
        panels.append(_panel("By labels: higher is better", card.labels, True))
    panels.append(_panel("By look: lower is better", card.looks, False))
    note = (
        f"{formats.count(card.scored)} references and their candidates, quadrant by quadrant, "
        "against images drawn at random from other photos (dashed). Plus or minus one standard "
        "error over photos. Colours and edges are histograms that no feature network had a part "
        "in; their distance lies between 0 and 1."
    )
    cautions = [html.paragraph(text, "soft") for text in scorecard.cautions(card)]
    graph = html.table(["graph of all records", "candidates", "random", "better"], shapes, [1, 2])
    return html.section(
        "Candidates against random choice",
        note,
        html.table(header, rows, [1, 2, 3]),
        *cautions,
        f'<div class="two">{"".join(panels)}</div>',
        html.heading("Hubs"),
        graph,
    )


def _row(name: str, found: Comparison, label: bool) -> list[str]:
    if label:
        contrast = f"{100 * found.contrast.value:+.1f} ± {100 * found.contrast.error:.1f} points"
    else:
        contrast = f"× {found.contrast.value:.3f} ± {found.contrast.error:.3f}"
    return [
        scorecard.TITLES[name],
        _text(found.candidates, label),
        _text(found.random, label),
        contrast,
        "higher" if label else "lower",
    ]


def _text(estimate: Estimate, label: bool) -> str:
    if label:
        return f"{100 * estimate.value:.1f} ± {100 * estimate.error:.1f} %"
    return f"{estimate.value:.3f} ± {estimate.error:.3f}"


def _panel(title: str, found: dict[str, Comparison], label: bool) -> str:
    lines = [
        charts.Line(scorecard.TITLES[name], colour, one.by_rank, one.random.value)
        for colour, (name, one) in zip(_COLOURS, found.items(), strict=False)
    ]
    legend = html.legend([(line.colour, line.name, True) for line in lines])
    svg = svg_text(charts.ranks(lines, label), title)
    return f"<div>{html.heading(title)}{legend}{svg}</div>"
