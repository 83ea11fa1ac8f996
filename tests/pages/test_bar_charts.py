import pytest

from lorbms_tf.pages import charts


def test_every_bar_tells_its_value_and_error():
    series = {"64 px": [(9.5, 0.5), (4.0, 0.25)], "32 px": [(8.0, 1.0), (0.0, 0.0)]}
    text = charts.svg_text(charts.bars(["l2", "mmd"], series, ["a", "b"], "distance"), "bars")
    for told in ("l2, 64 px: 9.5 ± 0.5", "mmd, 32 px: 0.0 ± 0.0", "distance", ">mmd<"):
        assert told in text


def test_series_of_different_lengths():
    with pytest.raises(ValueError):
        charts.bars(["l2", "mmd"], {"64 px": [(1.0, 0.0)]}, ["a"], "distance")
