from dataclasses import dataclass

import pytest

from lorbms_tf.cli import flags, help_page
from lorbms_tf.cli.settings import setting


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What several doors have.

    More of it.
    """

    page_size: int = setting(3, "How large it is.")
    page_baseline: bool = setting(True, "Whether beside.")


@dataclass(frozen=True, kw_only=True)
class Own(Shared):
    """What is this door's own."""

    page_kinds: tuple[str, ...] = setting(("a", "b"), "Which kinds " + "and more " * 20 + "kinds.")
    page_name_that_is_longer_than_its_column: str = setting("", "What it is called.")


@pytest.fixture(scope="module", autouse=True)
def defined():
    flags.define(Own, page_size=5)


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No flags and paragraphs of doors whose tests ran before in this process."""
    monkeypatch.setattr(help_page, "_defined", [Own])
    monkeypatch.setattr(help_page, "_told", [])


def page(purpose="Does it: `python -m lorbms_tf.x --a=1`.\n"):
    return help_page.text(purpose, "here/python").split("\n")


def test_the_purpose_comes_first_as_the_user_would_type_it():
    assert page()[0] == "Does it: `here/python -m lorbms_tf.x --a=1`."


def test_a_doors_own_flags_come_before_those_it_shares_and_absls_do_not_come():
    lines = page()
    places = [
        next(i for i, line in enumerate(lines) if line.startswith(start))
        for start in ("What is this door's own.", "  --page_kinds=", "What several doors have.")
    ]
    assert places == sorted(places)
    assert "More of it." not in lines
    names = [line.split("=")[0].strip() for line in lines if line.startswith("  --")]
    assert len(names) == len(set(names))
    assert not {"--verbosity", "--pdb", "--logtostderr"} & set(names)
    assert "--verbosity=1" in lines[-2]


def test_lines_of_flags(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = page()
    assert "  --page_size=5                   How large it is." in lines
    assert "  --[no]page_baseline             Whether beside. Default: yes." in lines
    long = lines.index("  --page_name_that_is_longer_than_its_column=")
    assert lines[long + 1] == " " * 34 + "What it is called."
    kinds = next(i for i, line in enumerate(lines) if line.startswith("  --page_kinds=a,b  "))
    assert lines[kinds + 1].startswith(" " * 34) and lines[kinds + 1][34] in "am"
    assert max(map(len, lines[: kinds + 4])) <= 80
