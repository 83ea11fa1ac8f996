"""What a person sees of a run: a progress line with the ETA, TensorBoard scalars and pictures.

Values stay where the devices made them until scalars, a line or a checkpoint are due: fetching them
at each step would make the devices wait.
"""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

import numpy as np
import tensorflow as tf

from lorbms_tf.cli import flags
from lorbms_tf.pages import pictures
from lorbms_tf.progress import clock
from lorbms_tf.training import hyperparameters
from lorbms_tf.training.event_files import EventWriter
from lorbms_tf.training.method import Method
from lorbms_tf.training.run_config import RunConfig
from lorbms_tf.training.watch import Watch

_TERMINAL_INTERVAL = 0.5  # seconds between updates of the line on a terminal
_PLAIN_INTERVAL = 10.0  # seconds between lines elsewhere


class Reporter:
    """Collects the values of every step; writes lines and TensorBoard scalars of their means.

    Args:
      logs: the TensorBoard folder of the run.
      config: of the run.
      method: its short names and derived scalars.
      steps_per_epoch: for the epoch shown.
      total_steps: for the ETA.
      watch: sees the values of all steps, in groups.
    """

    def __init__(
        self,
        logs: Path,
        config: RunConfig,
        method: Method,
        steps_per_epoch: int,
        total_steps: int,
        watch: Watch,
    ):
        self.events = EventWriter(logs)
        self._config, self._method, self._watch = config, method, watch
        self._steps_per_epoch, self._total_steps = steps_per_epoch, total_steps
        self._pending: list[dict] = []  # not fetched yet
        self._columns: dict[str, list[np.ndarray]] = {}  # fetched since the last scalars
        self._latest: dict[str, float] = {}
        # Seconds of the last steps, and of them waiting for input; the first after a pause is
        # left out.
        self._durations: deque[tuple[float, float]] = deque(maxlen=200)
        self._waited = 0.0
        self._last_line = time.monotonic()
        self._step_begun: float | None = None

    def settings(self) -> None:
        """Writes the configuration to TensorBoard, as a text and for its tab HParams."""
        lines = flags.as_text(self._config).splitlines()
        with self.events.at(0):
            tf.summary.text("configuration", "\n".join(f"    {line}" for line in lines))
            hyperparameters.write_settings(self._config)

    def timed(self, batches: Iterable) -> Iterator:
        """Yields the batches, and counts the time that is waited for them."""
        batches = iter(batches)
        while True:
            begun = time.monotonic()
            try:
                batch = next(batches)
            except StopIteration:
                return
            self._waited += time.monotonic() - begun
            yield batch

    def step_done(self, step: int, values: dict, extras: Callable[[], dict]) -> None:
        """Takes the values of step number `step` (from 1).

        Args:
          step: counted from 1.
          values: float scalars by name. Kinds of steps may take turns: a mean of the steps since
            the last scalars is that of all steps that have its name.
          extras: gives more scalars, for when scalars are written.

        Raises:
          UserError: a value is not finite; found when the values are looked at.
        """
        now = time.monotonic()
        if self._step_begun is not None:
            self._durations.append((now - self._step_begun, self._waited))
        self._step_begun, self._waited = now, 0.0
        self._pending.append(values)
        if step % self._config.log_every_steps == 0 or step == self._total_steps:
            self.check(step)
            self._write_scalars(step, extras())
        self._show(step, now)

    def check(self, step: int) -> None:
        """Fetches and looks at the values up to `step`, the last that is done.

        Raises UserError where one is not finite, so that nothing is saved after it.
        """
        if not self._pending:
            return
        flat = tf.stack([v for values in self._pending for v in values.values()]).numpy()
        first, begin = step - len(self._pending) + 1, 0  # one transfer; now kind by kind
        for names, steps in groupby(self._pending, key=tuple):
            count = len(list(steps))
            table = flat[begin : begin + count * len(names)].reshape(count, len(names))
            columns = dict(zip(names, table.T, strict=True))
            for warning in self._watch.look(first, columns):
                self.say(warning)
            for name, column in columns.items():
                self._columns.setdefault(name, []).append(column)
            first, begin = first + count, begin + table.size
        self._pending = []

    def pause(self) -> None:
        """Keeps work between two steps (pictures, checkpoints) out of the images a second."""
        self._step_begun = None

    @property
    def images_per_second(self) -> float:
        """Reference images a second over the last steps; 0 before the second step."""
        total = sum(seconds for seconds, _ in self._durations)
        return self._config.batch_size * len(self._durations) / total if total else 0.0

    @property
    def waiting_share(self) -> float:
        """The share of the last steps' time that passed waiting for input; 0 to 1."""
        total = sum(seconds for seconds, _ in self._durations)
        return sum(waited for _, waited in self._durations) / total if total else 0.0

    def _means(self) -> dict[str, float]:
        return {
            name: float(np.concatenate(columns).mean(dtype=np.float64))
            for name, columns in self._columns.items()
        }

    def _write_scalars(self, step: int, extras: dict[str, float]) -> None:
        self._latest = self._means()
        self._columns = {}
        scalars = {
            **self._latest,
            **self._method.derived(self._latest, self._config),
            **extras,
            "speed/images_per_second": self.images_per_second,
            "speed/waiting_for_input": self.waiting_share,
            "progress/epoch": step / self._steps_per_epoch,
        }
        with self.events.at(step):
            for name, value in scalars.items():
                tf.summary.scalar(name, value)

    def _show(self, step: int, now: float) -> None:
        terminal = sys.stderr.isatty()
        interval = _TERMINAL_INTERVAL if terminal else _PLAIN_INTERVAL
        last = step == self._total_steps
        if now - self._last_line < interval and not last:
            return
        self._last_line = now
        self.check(step)
        values = self._means() if self._columns else self._latest
        losses = " ".join(
            f"{short} {values[name]:.3f}"
            for name, short in self._method.short_names.items()
            if name in values
        )
        speed = self.images_per_second
        rest = (self._total_steps - step) * self._config.batch_size / speed if speed else 0.0
        line = (
            f"epoch {(step - 1) // self._steps_per_epoch + 1} step {step}/{self._total_steps} "
            f"{losses} {speed:.1f} images/s ETA {clock(rest) if speed else '--:--'}"
        )
        self._say(line, end="\n" if last or not terminal else "")

    def say(self, line: str) -> None:
        """A line of its own, in place of the one that shows the progress on a terminal."""
        self._say(line, end="\n")

    def _say(self, line: str, end: str) -> None:
        start = "\r\x1b[2K" if sys.stderr.isatty() else ""
        print(f"{start}{line}", end=end, file=sys.stderr, flush=True)


class Samples:
    """A picture of fixed held-out references as training goes on, PNG and TensorBoard.

    Args:
      batch: one held-out batch.
      infer: what the model makes of a batch (`method.Trainable.infer`).
      drawings: the method's pictures; the first is drawn.
      folder: of the PNG files.
    """

    def __init__(
        self, batch: dict, infer: Callable, drawings: Mapping[str, Callable], folder: Path
    ):
        self._batch, self._infer, self._folder = batch, infer, folder
        self._name, self._draw = next(iter(drawings.items()))

    def write(self, step: int, events: EventWriter) -> Path:
        """Draws the references as they are now; returns the PNG's path.

        Raises UserError where the PNG or the event file cannot be written.
        """
        picture = self._draw(self._batch, self._infer(self._batch))
        with events.at(step):
            tf.summary.image(self._name, np.asarray(picture)[None])
        return pictures.save(picture, self._folder / f"step_{step:08d}.png")
