"""Settings: a frozen dataclass whose fields become flags and lines of config.json, and back.

`lorbms_tf.cli.flags` defines the flags.
"""

import dataclasses
import math
import typing
from typing import Any

from lorbms_tf.errors import UserError

# Settings of runs that were made before, and what to know where such a run is continued.
RETIRED = {
    "shuffle_buffer": "records now come in another order: shuffled over the whole set, not over "
    "--shuffle_buffer of them",
}


def setting(
    default: Any, help: str, choices: tuple = (), may_change: bool = False, former: Any = None
) -> Any:
    """A dataclass field that becomes a flag.

    Args:
      default: the value when the flag is not given.
      help: what it means, with its unit and range.
      choices: the valid values, where they are few.
      may_change: whether a run may be continued with another value of it.
      former: what held before there was this setting, where that is not the default.
    """
    metadata = {"help": help, "choices": choices, "may_change": may_change, "former": former}
    return dataclasses.field(default=default, metadata=metadata)


def require(name: str, value: float, minimum: float, below: float = math.inf) -> None:
    """Raises UserError unless minimum <= value < below (a NaN never passes)."""
    if not minimum <= value < below:
        top = "" if math.isinf(below) else f" and below {below}"
        raise UserError(f"--{name}={value} is not valid: at least {minimum}{top}")


def to_dict(config: Any) -> dict:
    """The configuration as plain JSON values."""
    return dataclasses.asdict(config)


def from_dict(config_class: type, values: dict, source: str = "configuration"):
    """The inverse of `to_dict`; unknown names and wrong types are a UserError.

    Names that are missing, as settings newer than the file are, take what held before there were
    such settings: the former value, else the default. Those that are no settings any more
    (`RETIRED`) are passed over.

    Args:
      config_class: the dataclass to make.
      values: names and plain JSON values.
      source: the file they came from, for the message.
    """
    if not isinstance(values, dict):
        raise UserError(f"{source} holds no settings by name")
    fields = {field.name: field for field in dataclasses.fields(config_class)}
    unknown = sorted(set(values) - set(fields) - set(RETIRED))
    if unknown:
        raise UserError(f"{source} has unknown settings: {', '.join(unknown)}")
    kinds = _kinds(config_class)
    formers = {name: field.metadata.get("former") for name, field in fields.items()}
    made = {name: value for name, value in formers.items() if value is not None}
    for name, value in values.items():
        if name in RETIRED:
            continue
        made[name] = _typed(value, fields[name].default, f"{source}: {name}", kinds.get(name))
    return config_class(**made)


def _kinds(config_class: type) -> dict[str, type]:
    """What the entries of tuples are, by setting; an empty default does not tell."""
    hints = typing.get_type_hints(config_class)
    tuples = {name: hint for name, hint in hints.items() if typing.get_origin(hint) is tuple}
    return {name: typing.get_args(hint)[0] for name, hint in tuples.items()}


def _typed(value: Any, default: Any, where: str, kind: type | None) -> Any:
    """A value that has the type of a setting's default; a list becomes a tuple of `kind`."""
    if isinstance(default, tuple) and isinstance(value, list):
        value = tuple(value)
    number = isinstance(default, float) and type(value) is int
    entries = kind is None or (isinstance(value, tuple) and all(type(v) is kind for v in value))
    if (type(value) is not type(default) and not number) or not entries:
        raise UserError(f"{where} has the wrong type: {value!r}")
    return value


def of_values(kind: type, values: dict) -> Any:
    """Checked settings from values by name, as a notebook gives them; others have their defaults.

    Raises UserError for a name that is no setting, listing those that are, for a wrong type, and
    for whatever the settings themselves refuse.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for name in values:
        if name not in fields:
            raise UserError(f"no setting {name!r}; valid: {', '.join(fields)}")
    entries = _kinds(kind)
    typed = {
        name: _typed(value, fields[name].default, name, entries.get(name))
        for name, value in values.items()
    }
    config = kind(**typed)
    config.validate()
    return config
