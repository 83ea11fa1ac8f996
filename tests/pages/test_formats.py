import pytest

from lorbms_tf.pages import formats


@pytest.mark.parametrize(
    "value, text",
    [
        (0, "0"),
        (0.79399, "0.794"),
        (15999.6, "16,000"),
        (0.00012345, "0.000123"),
        (-2.5, "-2.50"),
        (1234567, "1,230,000"),
        (float("nan"), "–"),
    ],
)
def test_three_digits_are_enough(value, text):
    assert formats.short(value) == text


def test_counts_shares_and_sizes():
    assert formats.count(338865) == "338,865" and formats.count(float("inf")) == "–"
    assert formats.percent(0.12345) == "12.3 %"
    assert formats.percent(float("nan")) == "–"
    assert [formats.size(n) for n in (980, 12_300, 278_000_000, 4.56e9)] == [
        "980 B",
        "12.3 kB",
        "278 MB",
        "4.56 GB",
    ]


def test_numbers_at_an_axis_are_short():
    ticks = (0.2, 1500.0, 0, -2.5, 0.00005, 2e12, 5e-9)
    shown = ["0.2", "1,500", "0", "-2.5", "0.00005", "2e+12", "5e-09"]
    assert [formats.tick(tick) for tick in ticks] == shown


def test_settings_are_flattened():
    assert formats.flatten({"a": {"b": 1, "c": ""}, "d": [1, "x"]}) == [
        ("a.b", "1"),
        ("a.c", "–"),
        ("d", '[1, "x"]'),
    ]
