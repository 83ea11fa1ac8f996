"""Parses and runs commands of the documents, one after the other, all in this one process.

    python -m tests.command_runner WISHES RESULTS

WISHES is a JSON list of {"words": [module, flag, ...], "run": whether it is run or only parsed};
RESULTS gets a list of {"problem": "" where all went well, "output": what it printed}. Importing
TensorFlow anew for each command would take minutes, and absl's flags are global, so the tests' own
process is no place for it.
"""

import contextlib
import importlib
import io
import json
import sys
import traceback
from pathlib import Path
from unittest import mock

import tensorflow as tf
from absl import flags as absl_flags

from lorbms_tf.cli import command, flags
from lorbms_tf.errors import UserError

FLAGS = absl_flags.FLAGS


def door(name: str):
    """The module that `python -m name` runs."""
    module = importlib.import_module(name)
    return importlib.import_module(f"{name}.__main__") if hasattr(module, "__path__") else module


@contextlib.contextmanager
def flags_of(module):
    """The flags of a door for the block: gives its `main` and the classes of its settings."""
    before, mains, kinds = set(FLAGS), [], []
    define = flags.define

    def recorded(kind, **defaults):
        kinds.append(kind)
        define(kind, **defaults)

    with (
        mock.patch.object(command, "run", mains.append),
        mock.patch.object(flags, "define", recorded),
    ):
        module.console_main()
    try:
        yield mains[0], kinds
    finally:
        for name in set(FLAGS) - before:
            delattr(FLAGS, name)
        FLAGS.unparse_flags()


def problem(words: list[str], run: bool, validate: bool) -> str:
    """What is wrong with a command; "" where nothing is."""
    module = door(words[0])
    sys.argv = [str(module.__file__), *words[1:]]
    with flags_of(module) as (main, kinds):
        try:
            rest = FLAGS(command.flagfiles_first(sys.argv))
            for kind in kinds if validate else ():
                flags.read(kind)
            status = main(rest) if run else None
        except (UserError, absl_flags.Error) as error:
            return str(error)
        except Exception:
            return traceback.format_exc()
    return f"exit status {status}" if status else ""


def main() -> None:
    tf.config.run_functions_eagerly(True)  # tracing costs more than the few steps
    results = []
    for wish in json.loads(Path(sys.argv[1]).read_text()):
        output = io.StringIO()
        target = sys.argv[2]
        with contextlib.redirect_stdout(output):
            told = problem(wish["words"], wish["run"], wish["validate"])
        sys.argv = ["command_runner", "", target]
        results.append({"problem": told, "output": output.getvalue()})
        Path(target).write_text(json.dumps(results))


if __name__ == "__main__":
    main()
