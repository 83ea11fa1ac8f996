from dataclasses import dataclass

import pytest
from absl import flags as absl_flags

from lorbms_tf.cli import flags
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Example:
    flag_count: int = setting(3, "How many.")
    flag_rate: float = setting(0.5, "How fast.")
    flag_kind: str = setting("a", "Which.", choices=("a", "b"))
    flag_on: bool = setting(True, "Whether.")
    flag_sizes: tuple[int, ...] = setting((1, 2), "Sizes.")
    flag_names: tuple[str, ...] = setting(("x",), "Names.")

    def validate(self):
        require("flag_count", self.flag_count, minimum=1)


@pytest.fixture(scope="module", autouse=True)
def defined():
    flags.define(Example)


@pytest.fixture
def parse():
    def parse(*words):
        absl_flags.FLAGS.unparse_flags()
        for name in Example.__dataclass_fields__:
            absl_flags.FLAGS[name].unparse()
        absl_flags.FLAGS(["program", *words])
        return flags.read(Example)

    return parse


def test_defaults(parse):
    assert parse() == Example()


def test_every_type(parse):
    words = ("--flag_count=7", "--flag_rate=2", "--flag_kind=b", "--noflag_on", "--flag_sizes=4,5")
    made = parse(*words, "--flag_names=p,q")
    assert made == Example(
        flag_count=7, flag_rate=2.0, flag_kind="b", flag_on=False, flag_sizes=(4, 5),
        flag_names=("p", "q"),
    )  # fmt: skip
    assert isinstance(made.flag_rate, float)


def test_a_flag_after_the_flagfile_wins(parse, tmp_path):
    path = tmp_path / "a.cfg"
    path.write_text("# a comment\n--flag_count=5\n--flag_sizes=9\n")
    made = parse(f"--flagfile={path}", "--flag_count=6")
    assert (made.flag_count, made.flag_sizes) == (6, (9,))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_flagfiles_of_other_programs(parse, tmp_path, encoding):
    path, inner = tmp_path / "a.cfg", tmp_path / "inner.cfg"
    inner.write_bytes("// caf\u00e9\r\n\r\n--flag_kind=b\r\n".encode(encoding))
    text = f"# caf\u00e9\r\n--flag_count=5\r\n--flagfile={inner}\r\n  --noflag_on \r\n"
    path.write_bytes(text.encode(encoding))
    lines = ["--flag_count=5", "--flag_kind=b", "--noflag_on"]
    assert flags.flagfile_lines(str(path)) == lines
    parse()
    made = flags.read(Example, flagfile=str(path))
    assert made == Example(flag_count=5, flag_kind="b", flag_on=False)


def test_flagfiles_that_cannot_be_read_are_named(tmp_path):
    path = tmp_path / "a.cfg"
    with pytest.raises(UserError, match=r"^flagfile .*a\.cfg cannot be read"):
        flags.flagfile_lines(str(path))
    path.write_text(f"--flagfile={path}\n")
    with pytest.raises(UserError, match=r"a\.cfg names itself"):
        flags.flagfile_lines(str(path))
    assert flags.flagfile_lines("") == []


def test_wrong_values_name_the_flag_and_the_valid_ones(parse):
    with pytest.raises(UserError, match="--flag_sizes=1,two is not a comma list of int"):
        parse("--flag_sizes=1,two")
    with pytest.raises(UserError, match="--flag_kind=c is not valid; valid values: a, b"):
        parse("--flag_kind=c")
    with pytest.raises(UserError, match="--flag_count=0"):
        parse("--flag_count=0")
    for number in (10**30, -(10**30)):  # more than 64 bits hold
        with pytest.raises(absl_flags.Error, match=f"--flag_count={number}"):
            parse(f"--flag_count={number}")
    assert parse(f"--flag_count={2**60}").flag_count == 2**60


def test_what_is_not_the_default_can_be_given_again(parse):
    made = Example(flag_count=9, flag_on=False, flag_sizes=(3, 4))
    changed = {"flag_count": 9, "flag_on": False, "flag_sizes": "3,4"}
    assert flags.changed(made) == changed
    assert parse(*(f"--{name}={value}" for name, value in changed.items())) == made
    assert flags.changed(Example(), flag_rate=2.0) == {"flag_rate": 2.0}
    assert flags.changed(made, flag_count=3, flag_on=True, flag_sizes=(1, 2)) == {}


def test_text_can_be_read_back(parse):
    made = Example(flag_count=9, flag_on=False, flag_sizes=(3,))
    assert parse(*flags.as_text(made).splitlines()) == made
