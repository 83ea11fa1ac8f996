"""Files that hold everything that the next epoch of a training depends on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lorbms_tf.files import atomic_file, read_arrays, unusable
from lorbms_tf.progress import say


def write(path: Path, state: dict[str, np.ndarray]) -> None:
    """Writes arrays by name, whole or not at all. Raises UserError where it cannot."""
    with atomic_file(path) as file:
        np.savez(file, **state)


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of `write`; none where there is no file. UserError where it is damaged."""
    return read_arrays(path) if path.is_file() else {}


def write_epochs(path: Path, epochs: int, state: dict[str, np.ndarray]) -> None:
    """Writes the state after so many epochs, for `resume`. Raises UserError where it cannot."""
    write(path, {"epochs": np.array(epochs), **state})


def resume(path: Path, restore: Callable[[dict[str, np.ndarray]], None]) -> int:
    """Gives the state in a file to `restore`, says so, and returns its epochs; 0 without a file.

    Raises UserError where the file is damaged, or `restore` has raised ValueError or KeyError
    because it is of something else.
    """
    state = read(path)
    if not state:
        return 0
    try:
        epochs = int(state.pop("epochs"))
        restore(state)
    except (ValueError, KeyError) as error:
        raise unusable(path, error) from error
    say(f"continuing after epoch {epochs}, from {path}")
    return epochs
