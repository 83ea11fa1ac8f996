"""Paths for those of TensorFlow's readers that take every path for a glob."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

_SIGNS = set("*?[]\\")


@contextlib.contextmanager
def without_signs(path: str | os.PathLike) -> Iterator[str]:
    """Yields a path to the same file, or prefix of files, in which nothing can be read as a glob.

    It is `path` itself, or leads through a link to its folder that lasts as long as the block.
    Checkpoints and SavedModels in a folder such as "run [2]" are not found otherwise.
    """
    path = os.fspath(path)
    if not _SIGNS & set(path) or "://" in path:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, "link")
        link.symlink_to(Path(path).parent.resolve())
        inside = link / Path(path).name
        if _SIGNS & set(inside.name):
            inside = Path(folder, "named")
            inside.symlink_to(link / Path(path).name)
        yield str(inside)
