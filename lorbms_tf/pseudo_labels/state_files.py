"""Files that hold everything that the next epoch of a training depends on."""

import zipfile
from pathlib import Path

import numpy as np

from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_path


def write(path: Path, state: dict[str, np.ndarray]) -> None:
    """Writes arrays by name, whole or not at all. Raises UserError where it cannot."""
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **state)


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of `write`; none where there is no file. UserError where it is damaged."""
    if not path.is_file():
        return {}
    try:
        with np.load(path) as stored:
            return dict(stored)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise unusable(path, error) from error


def unusable(path: Path, reason) -> UserError:
    """What to raise where a state is damaged or of something else."""
    return UserError(f"{path} cannot be continued from ({reason}): remove it to start again")
