"""The methods that can be trained, by name: the only place that knows the papers.

Each is a module that holds a `Method` (`lorbms_tf.training.method`) named METHOD; it is imported
when it is asked for, so that a command loads one paper and no other.
"""

import importlib

from lorbms_tf.cli import command
from lorbms_tf.errors import UserError
from lorbms_tf.training.method import Method, Sheet

DEFAULT = "lorbms"
_MODULES = {
    "lorbms": "lorbms_tf.lorbms.method",
    "augint": "lorbms_tf.augint.method",
    "superres": "lorbms_tf.perceptual.method",
    "deepsim": "lorbms_tf.deepsim.method",
}


# Pictures of any model that decodes codes: subcommands of `lorbms_tf.render` and their modules.
_SHEETS = {"paths": "lorbms_tf.latent_paths.sheet"}


def shared_sheets() -> dict[str, Sheet]:
    """The pictures that belong to no single method, by subcommand."""
    return {name: importlib.import_module(module).SHEET for name, module in _SHEETS.items()}


def names() -> list[str]:
    """The valid values of --method."""
    return list(_MODULES)


def get(name: str) -> Method:
    """The method of a name. UserError, listing the valid ones, where there is none."""
    if name not in _MODULES:
        raise UserError(f"--method={name} is not valid; valid values: {', '.join(_MODULES)}")
    return importlib.import_module(_MODULES[name]).METHOD


def asked_name() -> str:
    """The name that --method has on the command line, valid or not; the default where it is not."""
    return command.early_value("method", DEFAULT)


def of_flags() -> Method:
    """The method whose flags a door defines, before any is parsed: that of --method.

    The default where the name is not valid, which `get(asked_name())` tells plainly later on.
    """
    name = asked_name()
    return get(name if name in names() else DEFAULT)
