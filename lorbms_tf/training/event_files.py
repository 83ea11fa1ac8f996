"""TensorBoard's event files: written, read, and cut where a run goes back to a checkpoint.

TensorBoard itself forgets superseded points only once newer ones arrive, and other readers of the
files not at all.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_path


class EventWriter:
    """Writes summaries of a run into one new event file.

    Args:
      logs: the TensorBoard folder of the run; made where it is missing.
    """

    def __init__(self, logs: Path):
        self._logs = logs
        with self._named_errors():
            self._writer = tf.summary.create_file_writer(str(logs))

    @contextlib.contextmanager
    def at(self, step: int) -> Iterator[None]:
        """What `tf.summary` writes in this block belongs to `step`, and is on disk after it.

        Raises UserError where the file cannot be written, as on a full disk.
        """
        with self._named_errors():
            with self._writer.as_default(step=step):
                yield
            self._writer.flush()

    def close(self) -> None:
        """Ends the file. Raises UserError as `at`."""
        with self._named_errors():
            self._writer.close()

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except tf.errors.ResourceExhaustedError as error:
            raise UserError(
                f"cannot write TensorBoard's files in {self._logs}: the disk is full "
                "or a file is too large"
            ) from error
        except tf.errors.OpError as error:
            reason = error.message.splitlines()[0]
            raise UserError(
                f"cannot write TensorBoard's files in {self._logs}: {reason}"
            ) from error


def read_scalars(logs: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Steps int [n], ascending, and values float [n] of each scalar by its tag.

    Where a step was written twice the later file counts. What a kill has left half-written, and
    what is not finite, is left out.
    """
    found: dict[str, dict[int, float]] = {}
    for path in sorted(logs.glob("events.out.tfevents.*")):
        for raw in _events(path):
            event = tf.compat.v1.Event.FromString(raw)
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "scalars":
                    number = float(tf.make_ndarray(value.tensor))
                    found.setdefault(value.tag, {})[event.step] = number
    curves = {}
    for tag, values in found.items():
        points = sorted((step, value) for step, value in values.items() if np.isfinite(value))
        if points:
            steps, numbers = zip(*points, strict=True)
            curves[tag] = np.array(steps), np.array(numbers)
    return curves


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
