import sys

import pytest

from lorbms_tf import progress


@pytest.mark.parametrize(
    "seconds, text", [(0, "00:00"), (61, "01:01"), (3599.6, "1:00:00"), (90061, "25:01:01")]
)
def test_clock(seconds, text):
    assert progress.clock(seconds) == text


def test_plain_lines_at_intervals(monkeypatch, capsys):
    now = iter(range(0, 1000, 6))  # six seconds pass at each look
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    assert list(progress.track(range(5), label="doing", unit="thing")) == list(range(5))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("doing: 2/5, ETA 00:18") and lines[-1].startswith("doing: 5 things")


def test_an_unknown_length_has_no_eta(monkeypatch, capsys):
    now = iter(range(0, 1000, 20))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    assert list(progress.track((c for c in "ab"), label="doing")) == ["a", "b"]
    assert "ETA" not in capsys.readouterr().err


def test_a_bar_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert list(progress.track([1, 2], label="doing")) == [1, 2]
    assert "doing: 100%" in capsys.readouterr().err


def test_nothing_to_do():
    assert list(progress.track([])) == []
