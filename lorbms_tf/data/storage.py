"""Record files wherever they lie: in a folder, or behind anything that `tf.io.gfile` opens."""

import os
from pathlib import Path
from typing import BinaryIO

import tensorflow as tf

from lorbms_tf.errors import UserError

_BLOCK = 8 << 20  # bytes


def is_remote(path: str) -> bool:
    """Whether a path names its file system, as gs://bucket/folder does."""
    return "://" in path


def remote_files(pattern: str) -> set[str]:
    """Remote files that match a glob. UserError where their file system does not answer."""
    try:
        return {path for path in tf.io.gfile.glob(pattern) if not tf.io.gfile.isdir(path)}
    except tf.errors.NotFoundError:
        return set()
    except tf.errors.OpError as error:
        raise UserError(f"{pattern} cannot be looked through: {error.message}") from error


def folder(path: str) -> str:
    """The folder that a file lies in."""
    return path.rpartition("/")[0] if is_remote(path) else str(Path(path).parent)


def name(path: str) -> str:
    """The file's name without its folder."""
    return path.rpartition("/")[2] if is_remote(path) else Path(path).name


def joined(folder: str, *names: str) -> str:
    """A path below a folder."""
    return (
        "/".join([folder.rstrip("/"), *names]) if is_remote(folder) else str(Path(folder, *names))
    )


def exists(path: str) -> bool:
    """Whether there is such a file."""
    if is_remote(path):
        return tf.io.gfile.exists(path) and not tf.io.gfile.isdir(path)
    return os.path.isfile(path)


def size_and_time(path: str) -> tuple[int, int]:
    """A file's size in bytes, and when it was written last, in ns. UserError where it is gone."""
    try:
        if is_remote(path):
            found = tf.io.gfile.stat(path)
            return found.length, found.mtime_nsec
        found = os.stat(path)
        return found.st_size, found.st_mtime_ns
    except FileNotFoundError as error:
        raise UserError(f"record file {path} does not exist") from error
    except OSError as error:
        raise UserError(f"record file {path} cannot be read: {error.strerror}") from error
    except tf.errors.NotFoundError as error:
        raise UserError(f"record file {path} does not exist") from error
    except tf.errors.OpError as error:
        raise UserError(f"record file {path} cannot be read: {error.message}") from error


def open_binary(path: str) -> BinaryIO:
    """The file, open to seek in and to read bytes from."""
    return tf.io.gfile.GFile(path, "rb") if is_remote(path) else open(path, "rb")  # noqa: SIM115


def read_bytes(path: str) -> bytes:
    """All bytes of a file."""
    with open_binary(path) as file:
        return file.read()
