"""Charts say what their values say, in the page's colours, and load and change nothing."""

import warnings

import matplotlib
import numpy as np
import pytest

from lorbms_tf.pages import charts, html
from lorbms_tf.pages.charts import Curve
from tests.pages.reading import Reader


def curve(values, steps=None, colour="a"):
    steps = np.arange(len(values)) if steps is None else np.array(steps)
    return Curve("a <curve>", colour, steps, np.array(values, float))


def points(chart):
    """Where the points of the first curve are drawn: [n, 2], y upwards."""
    axes = chart.axes[0]
    chart.draw_without_rendering()
    return axes.transData.transform(axes.lines[0].get_xydata())


def words(chart):
    return Reader(charts.svg_text(chart, "t")).text


def test_points_lie_where_their_steps_and_values_say():
    xy = points(charts.curves([curve([0, 5, 10], [0, 50, 100])], last_step=200))
    assert xy[1, 0] - xy[0, 0] == pytest.approx(xy[2, 0] - xy[1, 0], abs=0.2)
    assert xy[0, 1] < xy[1, 1] < xy[2, 1]
    whole = points(charts.curves([curve([0, 5, 10], [0, 100, 200])], last_step=200))
    assert whole[1, 0] == pytest.approx(xy[2, 0], abs=0.1)  # step 100 of 200


def test_long_curves_become_means():
    steps, values = charts.thinned(curve(np.arange(1000)), most=10)
    np.testing.assert_allclose(values, np.arange(10) * 100 + 49.5)
    np.testing.assert_allclose(steps, values)
    assert charts.thinned(curve([1, 2]))[1].tolist() == [1, 2]


def test_a_lonely_peak_does_not_flatten_the_rest():
    values = [1.0, 2.0] * 100
    plain = points(charts.curves([curve(values)], 200))
    peaked = points(charts.curves([curve([1e6, *values])], 201))
    assert np.ptp(peaked[1:, 1]) > 0.4 * np.ptp(plain[:, 1])
    assert peaked[0, 1] > peaked[1:, 1].max()  # cut, but the highest still


@pytest.mark.parametrize(
    "values", [[3.0], [0.0, 0.0], [-2.0, -2.0], [5e-5, 1e-4], [1e30, 2e30], [1e-12, 3e-12]]
)
def test_flat_short_huge_and_tiny_curves_are_drawn(values):
    chart = charts.curves([curve(values)], last_step=len(values) - 1)
    assert np.isfinite(points(chart)).all()
    axis = chart.axes[0].yaxis
    low, high = axis.get_view_interval()
    inside = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    texts = [tick.label1.get_text() for tick in inside]
    assert len(set(texts)) == len(texts) >= 2 and max(map(len, texts)) < 10


def test_values_that_are_not_finite_are_left_out():
    chart = charts.curves([curve([1, np.nan, np.inf, 4])], last_step=3)
    assert chart.axes[0].lines[0].get_xydata().tolist() == [[0, 1], [3, 4]]
    for nothing in ([], [curve([])], [curve([np.nan])]):
        assert "nan" not in charts.svg_text(charts.curves(nothing, 10), "t")


def test_axes_have_round_numbers():
    chart = charts.curves([curve([0, 22])], last_step=1_000_000)
    shown = words(chart)
    assert {"0", "10", "20", "200,000", "1,000,000", "step"} <= set(shown)
    assert words(charts.curves([curve([-0.3, 0.3])], 1)).count("0") == 2  # not -0, nor 5.6e-17
    steps = words(charts.curves([curve([7, 8])], last_step=2))
    assert steps[:3] == ["0", "1", "2"]  # no half steps


def test_a_mark_and_titles_are_shown_and_escaped():
    chart = charts.curves([curve([1, 2])], 1, mark=("mixing <begins> $x$", 1))
    svg = charts.svg_text(chart, 'the "t" <b>')
    assert "mixing &lt;begins&gt; $x$" in svg and "<b>" not in svg
    assert 'aria-label="the &quot;t&quot; &lt;b&gt;"' in svg and 'role="img"' in svg


def test_a_matrix_shows_its_numbers_and_is_darker_near_1():
    values = np.array([[1.0, 0.25], [0.0, 7.0]])
    chart = charts.matrix(values, ["r1", "r2"], ["c1", "c2"])
    shown = words(chart)
    opacity = chart.axes[0].collections[0].get_facecolor().reshape(-1, 4)[:, 3]
    assert opacity[0] == opacity[3] > opacity[1] > opacity[2] == 0
    for number in ("1.000", "0.250", "7.000", "r2", "c1"):
        assert number in shown
    assert "–" in words(charts.matrix(np.array([[np.nan]]), ["r"], ["c"]))


def test_the_first_row_of_a_matrix_is_at_the_top():
    chart = charts.matrix(np.array([[0.1, 0.2], [0.3, 0.4]]), ["r1", "r2"], ["c1", "c2"])
    chart.draw_without_rendering()
    place = {t.get_text(): t.get_window_extent().get_points().mean(0) for t in chart.axes[0].texts}
    assert place["0.100"][1] > place["0.300"][1] and place["0.100"][0] < place["0.200"][0]


def test_colours_are_the_pages_and_the_text_is_its_own():
    lines = [curve([1, 2], colour="b"), curve(np.arange(50), colour="c")]
    svg = charts.svg_text(charts.curves(lines, 50), "t")
    for name in ("b", "c", "soft", "line"):
        assert f"var(--{name})" in svg and f"--{name}:" in html.STYLE
    assert "#c0de" not in svg and "url(" not in svg and "font-family" not in svg
    assert "<text" in svg and "fill: #" not in svg and "stroke: #" not in svg


def test_equal_charts_have_equal_bytes_and_others_no_id_in_common():
    def svg(values, label):
        return charts.svg_text(charts.curves([curve(values)], 3), label)

    assert svg([1, 2], "t") == svg([1, 2], "t")
    ids = [set(Reader(svg(*one)).ids) for one in (([1, 2], "t"), ([1, 3], "t"), ([1, 2], "u"))]
    assert all(ids) and len(set.union(*ids)) == sum(map(len, ids))


def test_words_under_the_pointer_are_escaped():
    chart, axes = charts.themed(charts.figure)(100, 50)
    charts.hover(axes.bar([0], [1])[0], "5 < 6")
    assert "<title>5 &lt; 6</title>" in charts.svg_text(chart, "t")


def test_strange_letters_neither_warn_nor_break_the_page():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chart = charts.matrix(np.eye(1), ["中文"], ["\x01"])
        assert {"中文", "\ufffd"} <= set(words(chart))


def test_the_users_settings_of_matplotlib_are_neither_used_nor_changed():
    def drawn():
        return charts.svg_text(charts.curves([curve([1, 2])], 1), "t")

    plain = drawn()
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True, "svg.fonttype": "path"}):
        assert drawn() == plain
        assert matplotlib.rcParams["font.size"] == 30
        assert matplotlib.rcParams["svg.fonttype"] == "path"
