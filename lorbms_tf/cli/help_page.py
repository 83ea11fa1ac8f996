"""What --help of a door prints: what it is for, an example, and its own flags before all others."""

import dataclasses
import re
import shutil
import textwrap
from typing import Any

from absl import flags

_WIDEST = 30  # of the column of flags; a longer one gets a line of its own
_ALL_DOORS = """\
Every command takes --flagfile=FILE (flags, one a line; the command line wins), --verbosity=1 (shows
TensorFlow's own lines, too) and --helpfull (all flags there are, absl's among them)."""

_defined: list[type] = []
_told: list[str] = []


def add(config_class: type) -> None:
    """Tells of a configuration whose fields have become flags of the door."""
    if config_class not in _defined:
        _defined.append(config_class)


def names() -> set[str]:
    """The flags of all configurations that have been added."""
    return {field.name for one in _defined for field in dataclasses.fields(one)}


def tell(paragraph: str) -> None:
    """Adds a paragraph behind what the door is for."""
    _told.append(paragraph)


def text(purpose: str, python: str) -> str:
    """The page.

    Args:
      purpose: the door's docstring, with an example of its use.
      python: how the user calls Python, for the examples.
    """
    columns = min(120, shutil.get_terminal_size((100, 24)).columns)
    parts = [re.sub(r"\bpython -m\b", lambda _: f"{python} -m", purpose).strip(), *_told]
    shown: set[str] = set()
    for config_class in _defined:
        for part in config_class.__mro__:  # its own flags first, then those that it shares
            names = [name for name in vars(part).get("__annotations__", ()) if name not in shown]
            if dataclasses.is_dataclass(part) and names:
                shown.update(names)
                title = (part.__doc__ or part.__name__).strip().splitlines()[0]
                parts.append("\n".join([title, *(_flag(name, columns) for name in names)]))
    return "\n\n".join([*parts, _ALL_DOORS])


def _flag(name: str, columns: int) -> str:
    """The lines of one flag: its name with the default, and what it means."""
    flag = flags.FLAGS[name]
    told = f"--[no]{name}" if flag.boolean else f"--{name}={_shown(flag.default)}"
    help_text = (
        f"{flag.help} Default: {'yes' if flag.default else 'no'}." if flag.boolean else flag.help
    )
    start = f"  {told:<{_WIDEST}}  "
    indent = " " * (_WIDEST + 4)
    lines = textwrap.wrap(help_text, max(40, columns - len(indent))) or [""]
    first = [start.rstrip(), indent + lines[0]] if len(told) > _WIDEST else [start + lines[0]]
    return "\n".join([*first, *(indent + line for line in lines[1:])])


def _shown(default: Any) -> str:
    return ",".join(map(str, default)) if isinstance(default, list) else f"{default}"
