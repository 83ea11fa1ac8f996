"""What a search may change: settings of a training, each with a range or some values.

A file with one setting a line:

    generator_learning_rate = 1e-5 .. 1e-2 log
    generator_updates = 1 .. 3
    encoder_layers = 1,1,1,0 | 2,2,1,0
    schedule = constant | cosine

"#" begins a comment. A range has both ends; "log" draws its logarithm evenly.
"""

import dataclasses
from typing import Any, NamedTuple, Protocol

from lorbms_tf.errors import UserError
from lorbms_tf.files import read_lines

# What the search itself decides, or what would make other trials than the others.
_NOT_SEARCHED = ("method", "run_dir", "seed", "best_metric", "evaluate_every_steps", "stages")
_TRUTHS = {"true": True, "false": False}


class Drawn(Protocol):
    """What draws values by their kind, as an Optuna trial does."""

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int: ...

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_categorical(self, name: str, choices: Any) -> Any: ...


class Range(NamedTuple):
    """Numbers from `low` to `high`, both included; whole ones where both ends are."""

    name: str
    low: Any
    high: Any
    log: bool

    def value(self, trial: Drawn) -> Any:
        """The trial's value."""
        suggest = trial.suggest_int if isinstance(self.low, int) else trial.suggest_float
        return suggest(self.name, self.low, self.high, log=self.log)


class Choice(NamedTuple):
    """Some values, as they are written in the file and as the setting has them."""

    name: str
    words: tuple[str, ...]
    values: tuple[Any, ...]

    def value(self, trial: Drawn) -> Any:
        """The trial's value. Its words are drawn, since a tuple is no value for Optuna."""
        return self.values[self.words.index(trial.suggest_categorical(self.name, self.words))]


def read(path: str, config: Any) -> list[Range | Choice]:
    """The space in a file. UserError, naming file and line, where one is no setting or range.

    config: of the training, whose fields are the settings.
    """
    fields = {field.name: field for field in dataclasses.fields(config)}
    space: list[Range | Choice] = []
    for number, line in enumerate(read_lines(path, f"--space={path}"), start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        where = f"--space={path}, line {number}"
        name, equals, values = (part.strip() for part in text.partition("="))
        if not equals or name not in fields or name in _NOT_SEARCHED:
            raise UserError(f"{where}: {name!r} is no setting that can be searched (NAME = VALUES)")
        if name in (one.name for one in space):
            raise UserError(f"{where}: {name} is there twice")
        space.append(_parsed(name, values, fields[name], where))
    if not space:
        raise UserError(f"--space={path} names no setting")
    return space


def _parsed(name: str, text: str, field: dataclasses.Field, where: str) -> Range | Choice:
    if ".." in text:
        return _range(name, text, field.default, where)
    words = tuple(word.strip() for word in text.split("|"))
    values = tuple(_value(word, field.default, where) for word in words)
    choices = field.metadata.get("choices")
    for value in values if choices else ():
        if value not in choices:
            valid = ", ".join(map(str, choices))
            raise UserError(f"{where}: {name} has no value {value!r}; valid values: {valid}")
    if len(set(words)) < max(2, len(words)):
        raise UserError(
            f"{where}: {name} needs two or more different values, A | B, or LOW .. HIGH"
        )
    return Choice(name, words, values)


def _range(name: str, text: str, default: Any, where: str) -> Range:
    ends, log = text.removesuffix("log").strip(), text.endswith("log")
    low, high = (_value(end.strip(), default, where) for end in ends.split("..", 1))
    if type(default) not in (int, float):
        raise UserError(f"{where}: {name} is no number, so it takes values, A | B, and no range")
    if not low < high or (log and low <= 0):
        raise UserError(f"{where}: {text} is no range from low to high (log: above 0)")
    return Range(name, low, high, log)


def _value(word: str, default: Any, where: str) -> Any:
    """A word as a setting of the default's type has it."""
    try:
        if isinstance(default, bool):
            return _TRUTHS[word.lower()]
        if isinstance(default, tuple):
            kind = type(default[0]) if default else int
            return tuple(kind(part) for part in word.split(",") if part.strip())
        return type(default)(word)
    except (ValueError, KeyError) as error:
        kind = type(default).__name__
        raise UserError(f"{where}: {word!r} is not a value of the kind {kind}") from error
