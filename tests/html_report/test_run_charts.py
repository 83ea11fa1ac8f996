import re

import numpy as np
import pytest

from lorbms_tf.html_report import charts
from lorbms_tf.html_report.charts import Curve


def curve(values, steps=None):
    steps = np.arange(len(values)) if steps is None else np.array(steps)
    return Curve("a <curve>", "a", steps, np.array(values, float))


def points(svg):
    found = re.search(r'<polyline points="([^"]*)"', svg)[1]
    return np.array([[float(n) for n in pair.split(",")] for pair in found.split()])


def test_points_lie_where_their_steps_and_values_say():
    xy = points(charts.curves([curve([0, 5, 10], [0, 50, 100])], "t", last_step=200))
    assert xy[1, 0] - xy[0, 0] == pytest.approx(xy[2, 0] - xy[1, 0], abs=0.2)
    assert xy[0, 1] > xy[1, 1] > xy[2, 1]  # y grows downwards
    whole = points(charts.curves([curve([0, 5, 10], [0, 100, 200])], "t", last_step=200))
    assert whole[1, 0] == pytest.approx(xy[2, 0], abs=0.1)  # step 100 of 200


def test_long_curves_become_means():
    steps, values = charts.thinned(curve(np.arange(1000)), most=10)
    np.testing.assert_allclose(values, np.arange(10) * 100 + 49.5)
    np.testing.assert_allclose(steps, values)
    assert charts.thinned(curve([1, 2]))[1].tolist() == [1, 2]


def test_a_lonely_peak_does_not_flatten_the_rest():
    values = [1.0, 2.0] * 100
    plain = points(charts.curves([curve(values)], "t", 200))
    peaked = points(charts.curves([curve([1e6, *values])], "t", 201))
    assert np.ptp(peaked[1:, 1]) > 0.4 * np.ptp(plain[:, 1])


@pytest.mark.parametrize("values", [[3.0], [0.0, 0.0], [-2.0, -2.0], [5e-5, 1e-4]])
def test_flat_and_short_curves_are_drawn(values):
    svg = charts.curves([curve(values)], "t", last_step=len(values) - 1)
    assert np.isfinite(points(svg)).all() and "nan" not in svg


def test_a_mark_and_titles_are_shown_and_escaped():
    svg = charts.curves([curve([1, 2])], 'the "t" <b>', 1, mark=("mixing <begins>", 1))
    assert "mixing &lt;begins&gt;" in svg and "<b>" not in svg


def test_a_matrix_shows_its_numbers_and_is_darker_near_1():
    values = np.array([[1.0, 0.25], [0.0, 7.0]])
    svg = charts.matrix(values, ["r1", "r2"], ["c1", "c2"], "m")
    opacity = [float(n) for n in re.findall(r'fill-opacity="([^"]*)"', svg)]
    assert opacity[0] == opacity[3] > opacity[1] > opacity[2] == 0
    for number in ("1.000", "0.250", "7.000", "r2", "c1"):
        assert f">{number}</text>" in svg
    assert "–" in charts.matrix(np.array([[np.nan]]), ["r"], ["c"], "m")
