import re

import numpy as np

from tfrecords_tools.report import charts


def widths(svg, style):
    found = re.findall(rf'width="([\d.]+)" height="[\d.]+" class="{style}"', svg)
    return [float(width) for width in found]


def test_shares_count_what_lies_beyond_in_the_outermost_bins():
    found = charts.shares(np.array([-5, 0.5, 1.5, 1.6, 99]), np.array([0, 1, 2, 3]))
    np.testing.assert_allclose(found, [0.4, 0.4, 0.2])
    assert charts.shares(np.array([]), np.array([0, 1])).tolist() == [0]


def test_stacked_parts_are_as_long_as_their_shares():
    svg = charts.stacked([("tau 1", [0.25, 0.75])], ["one", "two"], "shares")
    one, two = widths(svg, "one")[0], widths(svg, "two")[0]
    assert abs(two / one - 3) < 0.01
    assert "25.0 %" in svg and "75.0 %" in svg


def test_bars_are_as_long_as_their_counts():
    first, second = widths(charts.bars([("a", 1000), ("b", 250)], "counts"), "bar")
    assert abs(first / second - 4) < 0.01


def test_nothing_to_show_is_no_error():
    assert charts.bars([], "none").startswith("<svg")
    blank = charts.Line("a", "a", [float("nan")] * 3, float("nan"))
    assert "nan" not in charts.ranks([blank], "none", True)


def test_text_is_escaped():
    assert "<b>" not in charts.bars([("<b>", 1)], 'a "<b>"')
