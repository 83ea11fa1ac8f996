"""What a glob of record files stands for: the very path first, and only what is a shard."""

import glob
import os
import re
from pathlib import Path

from lorbms_tf.data import comma_lists, storage
from lorbms_tf.errors import UserError

NUMBERED = re.compile(r"(.*)-(\d{5})-of-(\d{5})", re.DOTALL)
_ENDINGS = (".tfrecord", ".tfrecords", ".record")
_NAMES = "shards are named NAME.tfrecord-00000-of-00008"


def paths(pattern: str) -> set[str]:
    """The record files that a glob, or a comma list of globs, stands for.

    `[`, `]`, `*`, `?` and commas in a name mean themselves where there is such a folder or file.
    What lies beside numbered shards (dataset.json, an index) is none of them. Globs of other file
    systems ("gs://...") go through `tf.io.gfile`.

    Raises UserError where one of the globs matches no record file, or a remote file system does
    not answer.
    """
    found = set()
    for part, matches in comma_lists.meanings(pattern, _matches):
        if not matches:
            raise _nothing(part, pattern)
        found |= matches
    return found


def _matches(pattern: str) -> set[str]:
    if storage.is_remote(pattern):
        return _shards(storage.remote_files(pattern))
    if os.path.isfile(pattern):
        return set() if pattern.endswith(".json") else {pattern}
    folder = _folder(pattern)
    rest = pattern[len(folder) :]
    # As much of the path as is there means itself; the rest is a glob.
    return _shards({path for path in glob.glob(glob.escape(folder) + rest) if os.path.isfile(path)})


def _folder(pattern: str) -> str:
    """The longest beginning of a path, with its slash, that is a folder; "" where none is."""
    ends = [place + 1 for place, letter in enumerate(pattern) if letter == "/"]
    return next((pattern[:end] for end in reversed(ends) if os.path.isdir(pattern[:end])), "")


def _shards(files: set[str]) -> set[str]:
    """Those of some files that are shards: the numbered ones, where there are such in a folder."""
    numbered = {os.path.dirname(path) for path in files if NUMBERED.fullmatch(path)}
    return {
        path
        for path in files
        if NUMBERED.fullmatch(path)
        or path.endswith(_ENDINGS)
        or (os.path.dirname(path) not in numbered and not path.endswith(".json"))
    }


def _nothing(part: str, pattern: str) -> UserError:
    """What to raise where `part` of a pattern matches nothing: it says what to type."""
    folder = Path(part) if os.path.isdir(part) else Path(part).parent
    stems = {match[1] for path in _listed(folder) if (match := NUMBERED.fullmatch(path))}
    instead = " or ".join(f"'{stem}-*'" for stem in sorted(stems)[:3])
    what = f"no record files match {part!r}"
    if os.path.isdir(part):
        what = f"{part!r} is a folder, not a glob of record files"
    elif part != pattern.strip():
        what += f", part of {pattern!r}"
    if instead:
        return UserError(f"{what}: name its shards, quoted: {instead}")
    if not folder.is_dir() and not glob.has_magic(str(folder)) and not storage.is_remote(part):
        return UserError(f"{what}: there is no folder {folder} ({_NAMES}; quote the glob)")
    return UserError(f"{what} ({_NAMES}; quote the glob)")


def _listed(folder: Path) -> list[str]:
    try:
        return [str(path) for path in folder.iterdir()]
    except OSError:
        return []
