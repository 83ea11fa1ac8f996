"""The commands that doors print as next steps: they name doors and flags that there are."""

import ast
import dataclasses
import functools
import importlib
from unittest import mock

import pytest

from lorbms_tf import methods
from lorbms_tf.cli import command, flags, help_page
from tests.house_rules import LAYERS, TOOL_DOORS, all_modules

DOORS = (*LAYERS["doors"], *TOOL_DOORS)
TOLD_BY = {"tfrecords_tools.build_report": "tfrecords_tools.build"}
MAKERS = ("next_step", "line")


@functools.cache
def flags_of(door: str) -> set[str]:
    """The flags that a door defines in its `console_main`, with those of the default method."""
    module, kinds = importlib.import_module(door), []

    def record(kind, **defaults):
        kinds.append(kind)

    with (
        mock.patch.object(flags, "define", record),
        mock.patch.object(command, "run"),
        mock.patch.object(help_page, "tell"),
        mock.patch("sys.argv", [door]),
    ):
        module.console_main()
    return {"flagfile", *(field.name for kind in kinds for field in dataclasses.fields(kind))}


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
    # The first prints its JSON line alone, the second serves until it is stopped, the third writes
    # the page that one looks at.
    silent = {"lorbms_tf.benchmark", "lorbms_tf.serve", "lorbms_tf.image_mean"}
    assert set(DOORS) - telling == silent


def of_other_methods(door: str) -> set[str]:
    """The flags of training by any method, which a flagfile may choose."""
    if door != "lorbms_tf.train":
        return set()
    configs = [methods.get(name).config for name in methods.names()]
    return {field.name for config in configs for field in dataclasses.fields(config)}


@pytest.mark.parametrize("name, door, words", STEPS)
def test_its_flags_are_those_of_the_door(name, door, words):
    assert door in DOORS
    assert set(words) <= flags_of(door) | of_other_methods(door)
