"""Scores on held-out batches every so many steps, and the best checkpoint by one of them."""

import sys
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import tensorflow as tf

from lorbms_tf.evaluation.scores import Score, gathered
from lorbms_tf.training.checkpoints import Best
from lorbms_tf.training.event_files import EventWriter


class Evaluator:
    """Scores what a model makes of held-out batches; keeps the networks if they are the best.

    Args:
      infer: what the model makes of a batch (`method.Trainable.infer`).
      batches: gives the same held-out batches at each call.
      scores: the method's, by name.
      best: where the best checkpoint is kept.
    """

    def __init__(
        self,
        infer: Callable[[dict], Mapping],
        batches: Callable[[], Iterable[dict]],
        scores: Mapping[str, Score],
        best: Best,
    ):
        self._infer, self._batches, self._scores, self._best = infer, batches, scores, best

    def evaluate(self, step: int, events: EventWriter) -> dict[str, float]:
        """The scores by name; also a line on stderr, and TensorBoard's eval/NAME at `step`.

        Raises UserError where held-out data cannot be read, or the best or the scores not written.
        """
        reads = [name for score in self._scores.values() for name in score.reads]
        compact = [name for score in self._scores.values() for name in score.compact]
        arrays = gathered(self._infer, self._batches(), reads, compact)
        scores = {name: self._score(name, arrays) for name in self._scores}
        with events.at(step):
            for name, value in scores.items():
                tf.summary.scalar(f"eval/{name}", value)
        best = self._best.offer(step, scores[self._best.metric])
        shown = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
        note = f"; the best {self._best.metric} so far" if best else ""
        print(f"evaluation after step {step}: {shown}{note}", file=sys.stderr, flush=True)
        return scores

    def _score(self, name: str, arrays: Mapping[str, np.ndarray]) -> float:
        """One score; NaN, which is never best, where it cannot be computed: training decides."""
        try:
            return self._scores[name].of(arrays)
        except ValueError as error:
            print(f"{name} cannot be computed: {error}", file=sys.stderr, flush=True)
            return float("nan")
