"""The work folder of a build: what its finished stages made, so that a killed build continues.

It lies beside --out as ".NAME.KEY.work", KEY being the hash of all that decides the features: the
same command finds it again, and also one that differs only in --num_clusters or in the shards.

    photos.json   chunks/ (images)   *.npy (features)   *.npz (clusters, neighbours)   lock
    beam-*/ (what workers of --engine=beam hand over)
    records/ (the new --out)   complete (records/ is)   old (the --out that it replaces)
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lorbms_tf.data.picture_kinds import is_picture
from lorbms_tf.errors import UserError
from lorbms_tf.files import (
    atomic_file,
    is_dir,
    not_writable,
    read_arrays,
    read_json,
    walk,
    write_json,
)

STALE_SECONDS = 7 * 24 * 3600  # work of other settings is removed when it lies longer than this
_SETTINGS, _LOCK, _COMPLETE = "settings.json", "lock", "complete"


def key_of(settings: dict[str, Any]) -> str:
    """A short hash of settings, for the folder's name."""
    text = json.dumps(settings, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def fingerprint(*places: str | Path) -> str:
    """A hash of names, sizes and times of change of files, and of photos and .xml below folders.

    What else lies in a folder, perhaps the work folder itself, changes nothing. An empty name
    stands for no place.
    """
    # Annotations may name photos of any kind, also of one that only the ending tells.
    kinds = {".xml", *Image.registered_extensions()}
    lines = []
    for place in map(Path, filter(None, places)):
        inside = (p for p in walk(place) if p.suffix.lower() in kinds or is_picture(p))
        for path in inside if is_dir(place) else [place]:
            with contextlib.suppress(OSError):  # what is not there is found out elsewhere
                status = path.stat()
                lines.append(f"{path}\0{status.st_size}\0{status.st_mtime_ns}")
    return hashlib.sha256(os.fsencode("\n".join(sorted(lines)))).hexdigest()


def place_of(out: str | Path) -> Path:
    """The folder that --out stands for, which is elsewhere where --out is a link."""
    return Path(os.path.realpath(out))


class WorkFolder:
    """A locked work folder; made by `hold`."""

    def __init__(self, path: Path):
        self.path = path
        self.records = path / "records"
        self.chunks = path / "chunks"
        self.old = path / "old"
        self.complete = path / _COMPLETE

    def keep(self, name: str, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """The arrays of a finished step, or those that `make` makes now, which are then kept.

        Raises UserError where the file of a finished step is damaged.
        """
        path = self.path / f"{name}.npz"
        if not path.exists():
            made = make()
            with atomic_file(path) as file:
                np.savez(file, **made)
            return made
        return read_arrays(path)

    def keep_json(self, name: str, make: Callable[[], Any]) -> Any:
        """As `keep`, for values that JSON can hold."""
        path = self.path / f"{name}.json"
        if not path.exists():
            write_json(path, make())
        return read_json(path)

    def forget_images(self) -> None:
        """Removes what says that images have their features: for where those are gone."""
        (self.path / "reduction.npz").unlink(missing_ok=True)
        for folder in (self.chunks, *self.path.glob("beam-*")):
            if folder.exists():
                shutil.rmtree(folder)

    def remove(self) -> None:
        """Removes the folder; a kill meanwhile leaves nothing that looks like a work folder."""
        _discard(self.path)


@contextlib.contextmanager
def hold(out: str | Path, key: str, settings: dict[str, Any]) -> Iterator[WorkFolder]:
    """Locks the work folder of these settings, made or found again, while the block runs.

    A block that fails leaves it, with a line that says so, where there is work in it worth
    keeping (`worth_keeping`). Raises UserError where another process holds it or it cannot be made.
    """
    out = place_of(out)
    path = out.with_name(f".{out.name}.{key}.work")
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = _lock(path)
    except OSError as error:
        raise not_writable(path, error) from error
    if lock is None:
        raise UserError(f"another build of --out={out.name} with the same settings is at work")
    work = WorkFolder(path)
    with lock:
        if not (path / _SETTINGS).exists():
            write_json(path / _SETTINGS, settings)
        try:
            yield work
        except BaseException:
            if worth_keeping(work):
                print(
                    f"what is finished lies in {path}: the same command continues there",
                    file=sys.stderr,
                )
            else:
                work.remove()
            raise


def worth_keeping(work: WorkFolder) -> bool:
    """Whether any stage is finished, or an older --out is in there."""
    return (work.path / "photos.json").exists() or work.old.exists()


def recover(out: str | Path) -> None:
    """Mends what builds that were killed at their very end have left beside --out.

    An --out that had been moved away for new records comes back, until the same command puts
    those in its place. Work folders whose records have become --out are removed, and empty ones.
    """
    out = place_of(out)
    for path in _beside(out, r"\.\d+\.done"):
        shutil.rmtree(path, ignore_errors=True)
    for work, lock in _others(out):
        with lock:
            if work.old.exists() and not out.exists():
                os.replace(work.old, out)
                print(f"{out}, which a killed build was about to replace, is back")
            published = work.complete.exists() and not work.records.exists() and out.exists()
            if published or not worth_keeping(work):
                work.remove()


def name_leftovers(out: str | Path, own: WorkFolder) -> None:
    """Names what other killed builds have left beside --out, and removes what is a week old."""
    for work, lock in _others(place_of(out), own.path):
        with lock:
            _name_or_remove(work.path)


def _beside(out: Path, ending: str = "") -> list[Path]:
    """The work folders of --out. ending: a pattern of what follows their names.

    Those of another --out may begin alike: with "tr." beside "tr", with "tr.v2." beside "tr.v2".
    """
    pattern = re.compile(re.escape(f".{out.name}.") + r"[0-9a-f]{12}\.work" + ending)
    try:
        return sorted(path for path in out.parent.iterdir() if pattern.fullmatch(path.name))
    except OSError:  # no such folder, or not ours to read
        return []


def _others(out: Path, own: Path | None = None) -> Iterator[tuple[WorkFolder, Any]]:
    """The work folders beside --out that no process holds, with their locks."""
    for path in _beside(out):
        if path != own:
            with contextlib.suppress(OSError):  # somebody else's, perhaps not ours to read
                if (lock := _lock(path)) is not None:
                    yield WorkFolder(path), lock


def _name_or_remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        newest = max(p.stat().st_mtime for p in (path, *path.glob("*"), *path.glob("chunks")))
        if time.time() - newest > STALE_SECONDS and not (path / "old").exists():
            print(f"removing {path}: a killed build of other settings left it over a week ago")
            _discard(path)
        else:
            print(
                f"{path} is the unfinished work of a build with other settings: remove it unless "
                "you mean to continue that build"
            )


def _discard(path: Path) -> None:
    gone = path.with_name(f"{path.name}.{os.getpid()}.done")
    os.replace(path, gone)
    shutil.rmtree(gone, ignore_errors=True)
    if gone.exists():
        print(f"{gone} cannot be removed", file=sys.stderr)


def _lock(path: Path):
    """The open lock file of a work folder, or None where another process holds it."""
    file = open(path / _LOCK, "a", encoding="utf-8")  # noqa: SIM115 - the caller closes it
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    except OSError as error:
        print(f"warning: {path} cannot be locked ({error.strerror})", file=sys.stderr)
    return file


def publish(work: WorkFolder, out: str | Path) -> None:
    """The work folder's complete records become --out; then the work folder is removed.

    An older --out waits in the work folder meanwhile, so that a kill loses neither. Raises
    UserError where a folder cannot be renamed; --out then is as it was and the new records stay.
    """
    out = place_of(out)
    try:
        if out.is_dir() and any(out.iterdir()):
            os.replace(out, work.old)
        try:
            os.replace(work.records, out)  # replaces an empty folder in one step
        except OSError:
            if work.old.exists():
                os.replace(work.old, out)
            raise
    except OSError as error:
        raise UserError(
            f"--out={out} cannot be replaced ({error.strerror}); the new records lie in "
            f"{work.records}"
        ) from error
    try:
        work.remove()
    except OSError as error:
        print(f"{work.path} cannot be removed ({error.strerror})", file=sys.stderr)
