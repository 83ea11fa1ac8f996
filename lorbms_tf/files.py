"""Writing so that a kill at any moment leaves either the old whole or the new whole."""

import collections
import contextlib
import errno
import hashlib
import json
import os
import shutil
import socket
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lorbms_tf.errors import UserError

_LEFTOVER = ".*.tmp"
# What numpy raises where bytes of an .npz file are missing or not those that were written.
DAMAGED = (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


def not_writable(path: Path, error: OSError) -> UserError:
    """What to raise where `path` could not be written."""
    reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
    return UserError(f"cannot write {path}: {reason}")


def temporary_path(path: Path) -> Path:
    """Where to write what shall become `path`; `remove_leftovers` knows such names."""
    return path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.tmp")


def leftovers(folder: Path) -> list[Path]:
    """What processes that were killed have left half-written in a folder."""
    return sorted(folder.glob(_LEFTOVER))


def remove_leftovers(folder: Path) -> None:
    """Removes `leftovers`. Only for a folder that no other process writes to."""
    for path in leftovers(folder):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def sync(path: str | os.PathLike) -> None:
    """Brings a file, or a folder's list of names, from memory to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path beside `path`; renames it to `path` once the block has ended well.

    Parent folders are made. On any exception the temporary file is removed and an old `path`
    stays as it was. Raises UserError where the folder cannot be written or the disk is full.
    """
    path = Path(path)
    temporary = temporary_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise not_writable(path, error) from error
    finally:
        with contextlib.suppress(OSError):  # where the folder is none there is nothing to remove
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """As `atomic_path`, but yields the temporary file, open to write bytes."""
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        yield file


def check_writable(path: str | os.PathLike) -> None:
    """Makes the folder of a file that is to be written later. UserError where that cannot be."""
    folder = Path(path).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise not_writable(Path(path), error) from error


@contextlib.contextmanager
def temporary_directory(path: Path) -> Iterator[Path]:
    """Yields an empty folder beside `path`, whose parents are made; it is removed afterwards.

    Raises OSError where it cannot be made.
    """
    temporary = temporary_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def atomic_directory(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary folder beside `path`; renames it to `path` once the block has ended well.

    `path` may be absent or an empty folder. On any exception the temporary folder is removed.
    Raises UserError where `path` already holds something or cannot be written.
    """
    path = Path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UserError(f"{path} exists already and is not empty: name another folder")
    try:
        with temporary_directory(path) as temporary:
            yield temporary
            os.replace(temporary, path)  # replaces an empty folder in one step
    except OSError as error:
        raise not_writable(path, error) from error


def walk(
    folder: str | os.PathLike, on_error: Callable[[OSError], None] | None = None
) -> Iterator[Path]:
    """All files below a folder, in a fixed order; none where it cannot be read.

    on_error: told of each folder that cannot be read, by the error that names it.

    See `walk_folders`; links that lead nowhere are files, too.
    """
    for here, _, names in walk_folders(folder, on_error):
        yield from (here / name for name in names)


def walk_folders(
    folder: str | os.PathLike, on_error: Callable[[OSError], None] | None = None
) -> Iterator[tuple[Path, list[str], list[str]]]:
    """As `os.walk`: each folder, its folders and its files, sorted.

    Hidden folders (such as a build's work folder) are left out. Links to folders are followed. A
    folder that can be reached in several ways comes once, by its own name rather than a link's: so
    links that lead in circles come to an end.
    """
    waiting, seen = collections.deque([Path(folder)]), set()
    while waiting:
        here = waiting.popleft()
        if (real := os.path.realpath(here)) in seen:
            continue
        seen.add(real)
        _, folders, names = next(os.walk(here, onerror=on_error), ("", [], []))
        inside = [name for name in sorted(folders) if not name.startswith(".")]
        yield here, inside, sorted(names)
        paths = [here / name for name in inside]
        waiting.extendleft(path for path in reversed(paths) if not path.is_symlink())
        waiting.extend(path for path in paths if path.is_symlink())  # after all that are no links


def is_file(path: str | os.PathLike) -> bool:
    """Whether a file is there and may be looked up, whatever its name.

    False where the system refuses the name, as one of more than 255 bytes or in a locked folder.
    """
    return os.path.isfile(path)  # which takes any OSError for an answer; Path.is_file does not


def is_dir(path: str | os.PathLike) -> bool:
    """As `is_file`, for folders."""
    return os.path.isdir(path)


def sha256_file(path: str | os.PathLike) -> str:
    """The file's SHA-256 as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Writes `value` as indented JSON, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n")


def write_json_lines(path: str | os.PathLike, values: Iterable[Any]) -> None:
    """Writes one line of JSON a value, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text("".join(json.dumps(value) + "\n" for value in values), "utf-8")


def append(path: str | os.PathLike, text: str) -> None:
    """Adds text to a file, whose parents are made; "" only shows that it can be written.

    Raises UserError where it cannot.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise not_writable(path, error) from error


def read_text(path: str | os.PathLike, name: str = "", fallback: str = "") -> str:
    r"""The text of a file, its lines ended by "\n" alone.

    It is UTF-8, or UTF-16 or UTF-32 as programs on Windows write them, with a mark of the byte
    order or without one.

    Args:
      name: what messages call the file; "" for its path.
      fallback: the encoding of what is none of these; "" for none.

    Raises UserError naming the file where it cannot be read or decoded.
    """
    name = name or str(path)
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name that cannot be
        reason = getattr(error, "strerror", error)
        raise UserError(f"{name} cannot be read: {reason}") from error
    encoding = json.detect_encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if not fallback:
            wanted, line = encoding.upper(), content.count(b"\n", 0, error.start) + 1
            raise UserError(
                f"{name} is not text in {wanted} (byte 0x{content[error.start]:02x} in line "
                f"{line}), perhaps in Latin-1: save it in UTF-8"
            ) from error
        text = content.decode(fallback)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: str | os.PathLike, name: str = "", fallback: str = "") -> list[str]:
    """The lines of `read_text`."""
    lines = read_text(path, name, fallback).split("\n")
    return lines if lines[-1] else lines[:-1]


def read_json(path: str | os.PathLike) -> Any:
    """Reads a JSON file. Raises UserError naming the file where it is missing or not JSON."""
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}") from error


def unusable(path: Path, reason) -> UserError:
    """What to raise where the state of unfinished work is damaged or of something else."""
    return UserError(f"{path} cannot be continued from ({reason}): remove it to start again")


def read_arrays(path: Path, *names: str) -> dict[str, np.ndarray]:
    """Arrays of an .npz file, those of some names or all. Raises UserError where it is damaged."""
    try:
        with np.load(path) as stored:
            return {name: stored[name] for name in names or stored}
    except DAMAGED as error:
        raise unusable(path, error) from error


def read_json_lines(path: str, flag: str, names: set[str], door: str) -> list[dict[str, Any]]:
    """What a door has written to its --out, an object a line.

    Args:
      path: the file, given by `flag`.
      names: what every line must hold.
      door: the module that writes such lines.

    Raises UserError, naming flag, file and line, where there is none, or one of something else.
    """
    lines = []
    for number, text in enumerate(read_lines(path, f"--{flag}={path}"), start=1):
        try:
            line = json.loads(text)
        except ValueError as error:
            raise UserError(f"--{flag}={path}, line {number} is no JSON: {error}") from error
        if not isinstance(line, dict) or not names <= set(line):
            raise UserError(f"--{flag}={path}, line {number} is no line of {door}")
        lines.append(line)
    if not lines:
        raise UserError(f"--{flag}={path} holds no line of {door}")
    return lines
