"""What a folder is, as its config.json tells: the command whose run it is, and the run's settings.

A command goes on in folders of its own kind only, and writes into no other.
"""

import dataclasses
import os
from pathlib import Path
from typing import Any, TypeVar

from lorbms_tf.cli.settings import from_dict, to_dict
from lorbms_tf.errors import UserError
from lorbms_tf.files import leftovers, read_json, write_json

CONFIG_FILE = "config.json"
LOCK_FILE = "lock"
TRAINING = "lorbms_tf.train"
SWEEP = "lorbms_tf.sweep"
SEARCH = "lorbms_tf.sweep --search"
EXPORTS = "exports of lorbms_tf.export"
RECORDS = "records of tfrecords_tools.build"
_KIND = "command"  # the key beside the settings
_FORMER_NAMES = {"lorbms_tf.ablate": SWEEP}  # that commands had when older runs were begun
# Runs that were begun before there was this key: a setting that they have and no other kind has.
_SIGNS = {
    "encoder_layers": TRAINING,
    "stem_stride": "tfrecords_tools.deepcluster",
    "alexnet_size": "lorbms_tf.knowledge_transfer",
}
# Folders that have no config.json, by what lies in each of them.
_MARKS = {
    "*/seed_*.cfg": f"a run of {SWEEP}",
    "dataset.json": RECORDS,
    "[0-9]*/saved_model.pb": EXPORTS,
    "saved_model.pb": "a SavedModel",
}
Config = TypeVar("Config")


def write(folder: Path, kind: str, config: Any = None) -> None:
    """Writes config.json: the command whose run is in the folder, and its settings if it has any.

    Raises UserError where it cannot be written.
    """
    values = to_dict(config) if config else {}
    write_json(folder / CONFIG_FILE, {_KIND: kind, **values})


def read(folder: Path, kind: str, config_class: type[Config], flag: str) -> Config:
    """The settings of a run. UserError, naming the flag, where the folder holds no run of `kind`.

    Args:
      folder: that holds a config.json.
      kind: the command, such as `TRAINING`.
      config_class: of its settings.
      flag: that named the folder, with its value.
    """
    return from_dict(config_class, settings(folder, kind, flag), str(folder / CONFIG_FILE))


def settings(folder: Path, kind: str, flag: str) -> dict[str, Any]:
    """The settings of a run as they are stored, by name. UserError as `read`."""
    values = read_json(folder / CONFIG_FILE)
    if (other := _kind(values)) not in ("", kind):
        raise UserError(f"{flag} is a run of {other}, not of {kind}")
    if not isinstance(values, dict):
        raise UserError(f"{folder / CONFIG_FILE} holds no settings by name")
    return {name: value for name, value in values.items() if name != _KIND}


def is_there(folder: Path) -> bool:
    """Whether there is a config.json; not where the folder's name is no good, or it is locked."""
    return os.path.isfile(folder / CONFIG_FILE)


def is_begun(folder: Path, kind: str, flag: str) -> bool:
    """Whether a run of `kind` is in the folder; else it is absent, or empty, so that one may begin.

    What a first start leaves that is killed does not count. Raises UserError, naming the flag and
    what is there, where the folder is anything else.
    """
    held = content(folder)
    if held == f"a run of {kind}":
        return True
    if held:
        raise UserError(f"{flag} holds {held}, no run of {kind}: name another folder")
    if os.path.lexists(folder) and (not os.path.isdir(folder) or _holds_something(folder)):
        raise UserError(f"{flag} is not empty and holds no run of {kind}: name another folder")
    return False


def _holds_something(folder: Path) -> bool:
    try:
        return bool(set(folder.iterdir()) - {folder / LOCK_FILE, *leftovers(folder)})
    except OSError as error:
        raise UserError(f"cannot read {folder}: {error.strerror}") from error


def refuse_other(folder: Path, flag: str, own: str) -> None:
    """Raises UserError where one of the project's commands made the folder, other than `own` says.

    own: as `content` gives it. A folder of nobody's, or none, is not refused.
    """
    held = content(folder)
    if held not in ("", own):
        raise UserError(f"{flag} holds {held}: name another folder")


def content(folder: Path) -> str:
    """What is in a folder that a command of this project made, in words: "a run of ...", or "".

    Raises UserError where its config.json cannot be read.
    """
    if is_there(folder) and (kind := _kind(read_json(folder / CONFIG_FILE))):
        return f"a run of {kind}"
    if not os.path.isdir(folder):
        return ""
    return next((words for mark, words in _MARKS.items() if any(folder.glob(mark))), "")


def _kind(values: Any) -> str:
    """The command that a config.json is of; "" where it is of none that is known."""
    if not isinstance(values, dict):
        return ""
    if isinstance(values.get(_KIND), str):
        return _FORMER_NAMES.get(values[_KIND], values[_KIND])
    return next((kind for sign, kind in _SIGNS.items() if sign in values), "")


def continued(old: Any, new: Any) -> Any:
    """`new` for a run whose settings are `old`, begun perhaps before there were all settings.

    Where `old` has the former value of a setting and `new` its default, which the same command has
    today, the run keeps what it had.
    """
    formers = {field.name: field.metadata.get("former") for field in dataclasses.fields(old)}
    defaults = {field.name: field.default for field in dataclasses.fields(old)}
    kept = {
        name: former
        for name, former in formers.items()
        if former is not None
        and getattr(old, name) == former
        and getattr(new, name) == defaults[name]
    }
    return dataclasses.replace(new, **kept)


def differing_names(old: Any, new: Any) -> list[str]:
    """The settings that differ, in the order of the fields."""
    names = [field.name for field in dataclasses.fields(old)]
    return [name for name in names if getattr(old, name) != getattr(new, name)]


def differences(old: Any, new: Any) -> list[str]:
    """Lines "name: old -> new" for settings that a run may not be continued with."""
    free = {field.name for field in dataclasses.fields(old) if field.metadata.get("may_change")}
    if getattr(old, "schedule", "constant") != "constant":
        free -= {"epochs", "max_steps"}  # the learning rates depend on the length of the run
    return [
        f"{name}: {getattr(old, name)} -> {getattr(new, name)}"
        for name in differing_names(old, new)
        if name not in free
    ]
