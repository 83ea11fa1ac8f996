import numpy as np
import pytest

from lorbms_tf.pages.charts import COLOURS, svg_text
from tests.pages.reading import Reader
from tfrecords_tools.report import charts

EDGES = np.linspace(0, 1, 11)
NAN = float("nan")


def lengths(chart, bars=0):
    return [bar.get_width() for bar in chart.axes[0].containers[bars]]


def words(chart):
    return Reader(svg_text(chart, "t")).text


def tops(chart):
    """Height of each text above the bottom of the chart, by its words."""
    chart.draw_without_rendering()
    return {text.get_text(): text.get_window_extent().y0 for text in chart.axes[0].texts}


def test_shares_count_what_lies_beyond_in_the_outermost_bins():
    found = charts.shares(np.array([-5, 0.5, 1.5, 1.6, 99]), np.array([0, 1, 2, 3]))
    np.testing.assert_allclose(found, [0.4, 0.4, 0.2])
    assert charts.shares(np.array([]), np.array([0, 1])).tolist() == [0]
    assert charts.shares(np.array([NAN, 0.5]), np.array([0, 1])).tolist() == [1]


def test_a_histogram_has_the_shares_of_all_and_of_the_nearest():
    values, nearest = np.array([0.05, 0.05, 0.15, 0.95]), np.array([0.15])
    chart = charts.histogram(values, nearest, EDGES, [], 1.0)
    bars = chart.axes[0].containers[0]
    np.testing.assert_allclose([b.get_height() for b in bars], [0.5, 0.25, *[0] * 7, 0.25])
    assert EDGES[0] < bars[0].get_x() < bars[0].get_x() + bars[0].get_width() < EDGES[1]
    steps = next(p for p in chart.axes[0].patches if hasattr(p, "get_data")).get_data()
    assert steps.values.tolist() == [0, 1, *[0] * 8]
    assert "0 to 0.100: 50.0%" in svg_text(chart, "t")  # under the pointer


def test_marks_stand_at_their_places_and_their_labels_apart():
    marks = [("10 %", -3.0), ("50 %", 0.5), ("51 %", 0.51), ("90 %", 7.0)]
    chart = charts.histogram(np.array([0.5]), np.array([0.5]), EDGES, marks, 1.0)
    places = [lines.get_segments()[0][0][0] for lines in chart.axes[0].collections]
    np.testing.assert_allclose(places, [0, 0.5, 0.51, 1])  # those beyond at the ends
    height = tops(chart)
    assert height["10 %"] == height["50 %"] == height["90 %"] < height["51 %"]


def test_stacked_parts_are_as_long_as_their_shares():
    chart = charts.stacked([("tau 1", [0.24, 0.72, 0.04])], ["one", "two", "three"])
    one, two, three = (chart.axes[0].containers[n][0] for n in range(3))
    assert two.get_width() == pytest.approx(3 * one.get_width())
    assert [one.get_x(), two.get_x(), three.get_x()] == pytest.approx([0, 0.24, 0.96])
    shown = words(chart)
    assert {"24.0 %", "72.0 %", "tau 1"} <= set(shown)
    # A part too narrow for its number tells it under the pointer alone.
    assert shown.count("4.0 %") == 1 and shown.count("24.0 %") == 2


def test_bars_are_as_long_as_their_counts():
    chart = charts.bars([("a", 1000), ("b", 250)])
    first, second = lengths(chart)
    assert first == 4 * second and chart.axes[0].get_xlim() == (0, 1000)
    assert {"a", "b", "1,000", "250"} <= set(words(chart))
    height = tops(chart)
    assert height["1,000"] > height["250"]  # the first row at the top


def test_spans_reach_from_the_least_to_the_greatest():
    chart = charts.spans([("q1", 3, 5, 1200), ("q2", 8, 8, 8)], "images")
    spans = [(bar.get_x(), bar.get_width()) for bar in chart.axes[0].containers[0]]
    assert spans == [(3, 1197), (8, 0)]
    medians = chart.axes[0].collections[0].get_segments()
    assert [line[0][0] for line in medians] == [5, 8]
    assert {"q1", "q2", "images", "1,000"} <= set(words(chart))


def test_ranks_show_scores_and_the_random_level():
    lines = [charts.Line("a", "a", [0.5, NAN, 0.25], 0.1), charts.Line("b", "b", [0.2], NAN)]
    chart = charts.ranks(lines, as_percent=True)
    scores, level, other = chart.axes[0].lines
    assert scores.get_xydata().tolist() == [[1, 0.5], [3, 0.25]]
    assert set(level.get_ydata()) == {0.1} and level.is_dashed() and not scores.is_dashed()
    assert scores.get_color() == level.get_color() == COLOURS["a"] != other.get_color()
    assert {"1", "2", "3", "20 %", "candidate, nearest first"} <= set(words(chart))
    assert "0.2" in words(charts.ranks(lines, as_percent=False))


@pytest.mark.parametrize(
    "chart",
    [
        lambda: charts.bars([]),
        lambda: charts.bars([("a", NAN), ("b", 0)]),
        lambda: charts.stacked([], ["one"]),
        lambda: charts.stacked([("a", [NAN])], ["one"]),
        lambda: charts.spans([], "unit"),
        lambda: charts.spans([("a", NAN, NAN, NAN)], "unit"),
        lambda: charts.ranks([], True),
        lambda: charts.ranks([charts.Line("a", "a", [NAN] * 3, NAN)], True),
        lambda: charts.histogram(np.array([]), np.array([NAN]), EDGES, [], 0.0),
    ],
)
def test_nothing_to_show_is_no_error(chart):
    svg = svg_text(chart(), "t")
    assert svg.startswith("<svg") and "nan" not in svg and "inf" not in svg


def test_text_is_escaped():
    assert "<b>" not in svg_text(charts.bars([("<b>", 1)]), 'a "<b>"')
