"""Which file of a folder a name means: the very one, or one whose name looks the same."""

import collections
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lorbms_tf.data.file_names import skeleton
from lorbms_tf.files import is_file, walk


class Spelling(NamedTuple):
    """The file that a name means.

    path: None where there is none. respelt: its name is spelt otherwise, see
    `file_names.skeleton`. several: there is none by the very name, and more than one other, or
    other names that mean it too.
    """

    path: Path | None
    respelt: bool = False
    several: bool = False


def spellings(folder: Path, searched: Path, names: Sequence[str]) -> list[Spelling]:
    """The file of each name.

    Args:
      folder: that names count from.
      searched: `folder` or one inside: where files of other spellings are looked for.
      names: relative to `folder`.
    """
    paths = [folder / name for name in names]
    there = [is_file(path) for path in paths]
    if all(there):
        return [Spelling(path) for path in paths]
    taken = {os.path.normpath(path) for path, found in zip(paths, there, strict=True) if found}
    others = collections.defaultdict(list)
    for path in walk(searched):
        if os.path.normpath(path) not in taken and is_file(path):
            others[skeleton(path.relative_to(folder).as_posix())].append(path)
    keys = [skeleton(name) for name in names]
    wanted = collections.Counter(key for key, found in zip(keys, there, strict=True) if not found)

    def spelling(path: Path, found: bool, key: str) -> Spelling:
        if found:
            return Spelling(path)
        files = others.get(key, [])
        if len(files) == 1 == wanted[key]:
            return Spelling(files[0], respelt=True)
        return Spelling(None, several=bool(files))

    return [spelling(*one) for one in zip(paths, there, keys, strict=True)]
