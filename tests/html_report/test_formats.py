import pytest

from lorbms_tf.html_report import formats


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
    assert formats.count(338865) == "338,865"
    assert formats.percent(0.12345) == "12.3 %"
    assert formats.percent(float("nan")) == "–"
    assert [formats.size(n) for n in (980, 12_300, 278_000_000, 4.56e9)] == [
        "980 B",
        "12.3 kB",
        "278 MB",
        "4.56 GB",
    ]


@pytest.mark.parametrize(
    "least, greatest, expected",
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, 22, [0, 5, 10, 15, 20]),
        (0.07, 0.11, [0.07, 0.08, 0.09, 0.1, 0.11]),
        (3, 3, [3]),
    ],
)
def test_ticks_are_round_numbers_within(least, greatest, expected):
    assert formats.ticks(least, greatest) == pytest.approx(expected)
    assert [formats.tick(t) for t in (0.2, 1500.0, 0)] == ["0.2", "1,500", "0"]


def test_settings_are_flattened():
    assert formats.flatten({"a": {"b": 1, "c": ""}, "d": [1, "x"]}) == [
        ("a.b", "1"),
        ("a.c", "–"),
        ("d", '[1, "x"]'),
    ]
