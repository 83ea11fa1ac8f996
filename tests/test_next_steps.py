"""The commands that doors print as next steps: they name doors and flags that there are."""

import ast
import dataclasses
import importlib
from pathlib import Path

import pytest

from tests.test_architecture import LAYERS, TOOL_DOORS, all_modules

DOORS = (*LAYERS["doors"], *TOOL_DOORS)
TOLD_BY = {"tfrecords_tools.build_report": "tfrecords_tools.build"}
MAKERS = ("next_step", "line")


def flags_of(door: str) -> set[str]:
    """The flags that a door defines in its `console_main`, with those of the default method."""
    module = importlib.import_module(door)
    names = {"flagfile"}
    for node in ast.walk(ast.parse(Path(module.__file__).read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "flags.define":
            config = eval(ast.unparse(node.args[0]), vars(module))  # a class, or a call for one
            names |= {field.name for field in dataclasses.fields(config)}
    return names


def calls(source: str) -> list[tuple[str, list[str]]]:
    """Door and named flags of every call of `command.next_step` and `command.line`."""
    return [
        (node.args[0].value, [word.arg for word in node.keywords if word.arg])
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in [f"command.{name}" for name in MAKERS]
        and isinstance(node.args[0], ast.Constant)
    ]


STEPS = [(name, *call) for name, source in all_modules().items() for call in calls(source)]


def test_the_doors_tell_how_to_go_on():
    telling = {TOLD_BY.get(name, name) for name, *_ in STEPS}
    assert set(DOORS) - telling == {"lorbms_tf.benchmark"}  # which prints its JSON line alone


@pytest.mark.parametrize("name, door, words", STEPS)
def test_its_flags_are_those_of_the_door(name, door, words):
    assert door in DOORS
    assert set(words) <= flags_of(door)
