"""What a person sees of a run: a progress line with the ETA, TensorBoard scalars and pictures."""

import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from lorbms_tf import pictures, rendering
from lorbms_tf.progress import clock

_SHORT = {
    "loss/autoencoder": "AE",
    "loss/generator": "L_G",
    "loss/reconstruction": "rec",
    "loss/adversarial": "adv",
    "loss/classifier": "cls",
    "loss/discriminator": "L_D",
    "psnr/train": "PSNR",
}
_TERMINAL_INTERVAL = 0.5  # seconds between updates of the line on a terminal
_PLAIN_INTERVAL = 15.0  # seconds between lines elsewhere


class Reporter:
    """Collects the values of every step; writes lines and TensorBoard scalars of their means.

    Args:
      logs: the TensorBoard folder of the run.
      batch_size: references in a step.
      steps_per_epoch: for the epoch shown.
      total_steps: for the ETA.
      log_every: steps between scalars.
    """

    def __init__(
        self, logs: Path, batch_size: int, steps_per_epoch: int, total_steps: int, log_every: int
    ):
        self.writer = tf.summary.create_file_writer(str(logs))
        self._batch_size, self._steps_per_epoch = batch_size, steps_per_epoch
        self._total_steps, self._log_every = total_steps, log_every
        self._pending: list[dict] = []
        self._latest: dict[str, float] = {}
        # Of the last steps; the first after a pause is left out.
        self._durations: deque[float] = deque(maxlen=200)
        self._last_line = time.monotonic()
        self._step_begun: float | None = None

    def text(self, name: str, text: str) -> None:
        """Writes a text to TensorBoard, as preformatted lines."""
        with self.writer.as_default(step=0):
            tf.summary.text(name, "\n".join(f"    {line}" for line in text.splitlines()))

    def step_done(self, step: int, values: dict, rates: Callable[[], dict]) -> None:
        """Takes the values of step number `step` (from 1); `rates()` gives the learning rates."""
        now = time.monotonic()
        if self._step_begun is not None:
            self._durations.append(now - self._step_begun)
        self._step_begun = now
        self._pending.append(values)
        if step % self._log_every == 0 or step == self._total_steps:
            self._write_scalars(step, rates())
        self._show(step, now)

    def pause(self) -> None:
        """Keeps work between two steps (pictures, checkpoints) out of the images a second."""
        self._step_begun = None

    @property
    def images_per_second(self) -> float:
        """Reference images a second over the last steps; 0 before the second step."""
        total = sum(self._durations)
        return self._batch_size * len(self._durations) / total if total else 0.0

    def _means(self) -> dict[str, float]:
        names = {
            name for values in self._pending for name in values
        }  # autoencoder steps have fewer
        return {
            name: float(np.mean([values[name] for values in self._pending if name in values]))
            for name in sorted(names)
        }

    def _write_scalars(self, step: int, rates: dict[str, float]) -> None:
        self._latest = self._means()
        self._pending = []
        with self.writer.as_default(step=step):
            for name, value in {**self._latest, **rates}.items():
                tf.summary.scalar(name, value)
            tf.summary.scalar("speed/images_per_second", self.images_per_second)
            tf.summary.scalar("progress/epoch", step / self._steps_per_epoch)
        self.writer.flush()

    def _show(self, step: int, now: float) -> None:
        terminal = sys.stderr.isatty()
        interval = _TERMINAL_INTERVAL if terminal else _PLAIN_INTERVAL
        last = step == self._total_steps
        if now - self._last_line < interval and not last:
            return
        self._last_line = now
        values = self._means() if self._pending else self._latest
        losses = " ".join(
            f"{short} {values[name]:.3f}" for name, short in _SHORT.items() if name in values
        )
        speed = self.images_per_second
        rest = (self._total_steps - step) * self._batch_size / speed if speed else 0.0
        line = (
            f"epoch {(step - 1) // self._steps_per_epoch + 1} step {step}/{self._total_steps} "
            f"{losses} {speed:.1f} images/s ETA {clock(rest) if speed else '--:--'}"
        )
        end = "\n" if last or not terminal else ""
        start = "\r\x1b[2K" if terminal else ""
        print(f"{start}{line}", end=end, file=sys.stderr, flush=True)


class Samples:
    """Pictures of fixed held-out references: reconstructions and mixes, PNG and TensorBoard.

    Args:
      batch: one batch of `data.pipeline.evaluation_batches`.
      render: (reference, candidates, distances) -> (mask, reconstruction, mix).
      folder: of the PNG files.
    """

    def __init__(self, batch: dict, render, folder: Path):
        self._batch, self._render, self._folder = batch, render, folder

    def write(self, step: int, writer) -> Path:
        """Renders the references now; returns the PNG's path."""
        batch = self._batch
        mask, reconstruction, mix = self._render(
            batch["reference"], batch["candidates"], batch["distances"]
        )
        sheet = rendering.scene_sheet(
            batch["reference"], batch["candidates"], mask, mix, reconstruction
        )
        with writer.as_default(step=step):
            tf.summary.image("scenes", np.asarray(sheet)[None])
        writer.flush()
        return pictures.save(sheet, self._folder / f"step_{step:08d}.png")
