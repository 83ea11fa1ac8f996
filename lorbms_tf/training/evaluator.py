"""Scores on held-out records every so many steps, and the best checkpoint by one of them."""

import sys
from collections.abc import Callable, Iterable

import tensorflow as tf

from lorbms_tf.lorbms.scores import registry
from lorbms_tf.training.checkpoints import Best
from lorbms_tf.training.event_files import EventWriter


class Evaluator:
    """Renders held-out records, scores them, and keeps the networks if they are the best so far.

    Args:
      render: (reference, candidates, distances) -> (mask, reconstruction, mix); it must neither
        change a variable nor draw from the run's random numbers.
      batches: gives the same held-out batches at each call.
      best: where the best checkpoint is kept.
    """

    def __init__(self, render: Callable, batches: Callable[[], Iterable[dict]], best: Best):
        self._render, self._batches, self._best = render, batches, best

    def evaluate(self, step: int, events: EventWriter) -> dict[str, float]:
        """The scores by name; also a line on stderr, and TensorBoard's eval/NAME at `step`.

        Raises UserError where records cannot be read, or the best or the scores not written.
        """
        rendered = registry.render_all(self._render, self._batches())
        scores = {name: self._score(name, rendered) for name in registry.METRICS}
        with events.at(step):
            for name, value in scores.items():
                tf.summary.scalar(f"eval/{name}", value)
        best = self._best.offer(step, scores[self._best.metric])
        shown = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
        note = f"; the best {self._best.metric} so far" if best else ""
        print(f"evaluation after step {step}: {shown}{note}", file=sys.stderr, flush=True)
        return scores

    @staticmethod
    def _score(name: str, rendered: registry.Rendered) -> float:
        """One score; NaN, which is never best, where it cannot be computed: training decides."""
        try:
            return registry.METRICS[name](rendered)
        except ValueError as error:
            print(f"{name} cannot be computed: {error}", file=sys.stderr, flush=True)
            return float("nan")
