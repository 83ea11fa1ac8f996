"""TensorBoard's event files when a run goes back to a checkpoint: what came after it is dropped.

TensorBoard itself forgets superseded points only once newer ones arrive, and other readers of the
files not at all.
"""

from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_path


def forget_from(logs: Path, step: int) -> int:
    """Removes the summaries of `step` and later from all event files; returns how many.

    Files in which there is none are not touched. Raises UserError where a file cannot be written.
    """
    removed = 0
    for path in sorted(logs.glob("events.out.tfevents.*")):
        superseded = sum(_is_superseded(event, step) for event in _events(path))
        if superseded:
            with atomic_path(path) as temporary:
                _copy_without(path, step, temporary)
        removed += superseded
    return removed


def _events(path: Path) -> Iterator[bytes]:
    """The serialized events of a file, but for one that a kill has left half-written."""
    try:
        yield from tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    except tf.errors.DataLossError:
        return


def _is_superseded(raw: bytes, step: int) -> bool:
    event = tf.compat.v1.Event.FromString(raw)
    return event.HasField("summary") and event.step >= step


def _copy_without(path: Path, step: int, copy: Path) -> None:
    try:
        with tf.io.TFRecordWriter(str(copy)) as writer:
            for raw in _events(path):
                if not _is_superseded(raw, step):
                    writer.write(raw)
    except tf.errors.OpError as error:
        raise UserError(f"cannot write {path}: {error.message}") from error
