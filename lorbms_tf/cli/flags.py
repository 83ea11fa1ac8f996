"""Configuration dataclass <-> absl flags, in one place.

A configuration is a frozen dataclass whose fields are made with `settings.setting`; each
becomes one flag of the same name. Nothing else in the package reads `absl.flags.FLAGS`.
"""

import copy
import dataclasses
import os
import re
import sys
import typing
from typing import Any, TypeVar

from absl import flags

from lorbms_tf.cli import help_page
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_lines

FLAGS = flags.FLAGS
Config = TypeVar("Config")
_MOST = 2**60  # of a whole number: what is made of it, such as several seeds, still has 64 bits
_FLAGFILE = re.compile(r"--?flagfile[= ](.*)")


def define(config_class: type, **defaults: Any) -> None:
    """Defines one flag for each field of `config_class`; `defaults` replace some defaults.

    A flag of a class before it, with a field of the same name, stays as it is.
    """
    there = help_page.names()
    help_page.add(config_class)
    hints = typing.get_type_hints(config_class)
    for field in dataclasses.fields(config_class):
        if field.name in there and field.name in FLAGS:
            continue
        _define(field, hints[field.name], defaults.get(field.name, field.default))


def _define(field: dataclasses.Field, hint: Any, default: Any) -> None:
    text = field.metadata.get("help", "")
    choices = field.metadata.get("choices")
    if choices:
        text += f" One of: {', '.join(map(str, choices))}."
    if hint is bool:
        flags.DEFINE_bool(field.name, default, text)
    elif hint is int:
        flags.DEFINE_integer(field.name, default, text, lower_bound=-_MOST, upper_bound=_MOST)
    elif hint is float:
        flags.DEFINE_float(field.name, default, text)
    elif hint is str:
        flags.DEFINE_string(field.name, default, text)
    elif typing.get_origin(hint) is tuple:
        flags.DEFINE_list(field.name, [str(v) for v in default], f"{text} A comma list.")
    else:
        raise TypeError(f"{field.name}: no flag for the type {hint}")


def read(config_class: type[Config], flagfile: str = "") -> Config:
    """The configuration that the parsed flags give, validated.

    Args:
      config_class: whose flags are defined.
      flagfile: its flags win over those parsed.

    Raises UserError, naming the flag and the valid values, where one is wrong.
    """
    parsed = _with_flagfile(flagfile) if flagfile else FLAGS
    hints = typing.get_type_hints(config_class)
    values = {}
    for field in dataclasses.fields(config_class):
        value = parsed[field.name].value
        hint = hints[field.name]
        if typing.get_origin(hint) is tuple:
            value = _tuple(field.name, value, typing.get_args(hint)[0])
        values[field.name] = value
    config = config_class(**values)
    check_choices(config)
    config.validate()
    return config


def _with_flagfile(path: str) -> flags.FlagValues:
    parsed = copy.deepcopy(FLAGS)
    try:
        rest = parsed([sys.argv[0], *flagfile_lines(path)])
    except flags.Error as error:
        raise UserError(f"flagfile {path}: {error}") from error
    if rest[1:]:
        raise UserError(f"flagfile {path} holds more than flags: {rest[1]!r}")
    return parsed


def flagfile_lines(path: str, outer: tuple[str, ...] = ()) -> list[str]:
    """The flags that a flagfile holds, without comments, those of flagfiles that it names inside.

    absl reads them in the machine's own encoding alone. Here comments may be in Latin-1, and the
    whole in any encoding of `files.read_text`.

    Args:
      path: of the file; "" for none, as with absl.
      outer: the flagfiles that name it.

    Raises UserError where one cannot be read, or names itself.
    """
    path = os.path.expanduser(path.strip())
    if path in outer:
        raise UserError(f"flagfile {path} names itself")
    lines = []
    for line in read_lines(path, f"flagfile {path}", fallback="latin-1") if path else []:
        line = line.strip()
        if inner := _FLAGFILE.fullmatch(line):
            lines += flagfile_lines(inner[1], (*outer, path))
        elif line and not line.startswith(("#", "//")):
            lines.append(line)
    return lines


def _tuple(name: str, words: list[str], kind: type) -> tuple:
    try:
        return tuple(kind(word) for word in words)
    except ValueError as error:
        raise UserError(
            f"--{name}={','.join(words)} is not a comma list of {kind.__name__}"
        ) from error


def check_choices(config: Any) -> None:
    """Raises UserError where a field that has `choices` holds something else."""
    for field in dataclasses.fields(config):
        choices = field.metadata.get("choices")
        value = getattr(config, field.name)
        if choices and value not in choices:
            valid = ", ".join(map(str, choices))
            raise UserError(f"--{field.name}={value} is not valid; valid values: {valid}")


def changed(config: Any, **replaced: Any) -> dict[str, Any]:
    """The settings that are not their defaults, as values of flags, for `command.line`.

    replaced: settings to take in place of those of `config`.
    """
    fields = dataclasses.fields(config)
    values = {field.name: getattr(config, field.name) for field in fields} | replaced
    return {
        field.name: ",".join(map(str, value)) if isinstance(value, tuple) else value
        for field in fields
        if (value := values[field.name]) != field.default
    }


def as_text(config: Any) -> str:
    """The configuration as flagfile lines, in the order of its fields."""
    lines = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, tuple):
            value = ",".join(map(str, value))
        elif isinstance(value, bool):
            value = str(value).lower()
        lines.append(f"--{field.name}={value}")
    return "\n".join(lines)
