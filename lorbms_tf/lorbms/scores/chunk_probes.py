"""What each chunk tells of each quadrant: linear probes from single chunks to known factors."""

from typing import NamedTuple

import numpy as np

from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.evaluation.finite import check_finite
from lorbms_tf.evaluation.units import units
from lorbms_tf.progress import track

SHARES = (0.6, 0.2)  # to learn from, to stop by; the rest is tested on
LEAST = 50  # scenes
_STEPS, _RATE = 200, 0.05  # of Adam, over all scenes at once


class Told(NamedTuple):
    """What chunks tell of one factor; row: chunk, column: the quadrant whose factor it is.

    information: [4, 4], the share of the factor's entropy that a probe finds, 0 to 1. As a lower
      bound of the mutual information it is 0 where the probe does no better than the frequencies.
    accuracy: [4, 4], of the probe's guesses.
    chance: [4], accuracy of guessing the most frequent value.
    varied: bool [4], whether the factor has two values there; where not, there is nothing to tell.
    """

    information: np.ndarray
    accuracy: np.ndarray
    chance: np.ndarray
    varied: np.ndarray


def told(
    codes: np.ndarray,
    factors: dict[str, np.ndarray],
    seed: int = 0,
    silent: bool = False,
) -> dict[str, Told]:
    """Trains a softmax regression for each chunk, quadrant and factor, and tests it held out.

    All regressions of a chunk are trained side by side, which changes nothing but the time.

    Args:
      codes: [N, 2, 2, C].
      factors: by name, int [N, 4].
      seed: of the split.
      silent: whether no progress is shown.

    Raises:
      ValueError: fewer than `LEAST` scenes, or codes that are not finite.
    """
    count = len(codes)
    if count < LEAST:
        raise ValueError(f"probes need at least {LEAST} scenes, not {count}")
    check_finite(codes, "codes")
    order = np.random.default_rng(seed).permutation(count)
    parts = np.split(order, (count * np.cumsum(SHARES)).astype(int))
    labels = np.concatenate(list(factors.values()), axis=1)  # [N, 4 * factors]
    heads = _Heads(labels.max(axis=0) + 1)
    chunks = codes.reshape(count, NUM_QUADRANTS, -1).astype(np.float32)
    found = []
    numbers = range(NUM_QUADRANTS)
    if not silent:
        numbers = track(numbers, label="probes of chunks", unit="chunk")
    for i in numbers:
        inputs = _standardised(chunks[:, i], parts[0])
        found.append(_probe([inputs[part] for part in parts], [labels[p] for p in parts], heads))
    # [3 numbers, 4 chunks, factors, 4 quadrants]
    numbers = np.stack(found, axis=1).reshape(3, NUM_QUADRANTS, len(factors), NUM_QUADRANTS)
    information, accuracy, chance = numbers
    varied = (labels.min(axis=0) < labels.max(axis=0)).reshape(len(factors), NUM_QUADRANTS)
    return {
        name: Told(information[:, k] * varied[k], accuracy[:, k], chance[0, k], varied[k])
        for k, name in enumerate(factors)
    }


def tested(count: int) -> int:
    """How many of so many scenes the probes are tested on."""
    return count - int(count * sum(SHARES))


class _Heads:
    """Many softmax regressions side by side: head h has the next classes[h] columns."""

    def __init__(self, classes: np.ndarray):
        self.classes = classes
        self.starts = np.concatenate([[0], np.cumsum(classes)[:-1]])

    def columns(self, values: np.ndarray) -> np.ndarray:
        """[..., heads] -> [..., columns], each head's value in all its columns."""
        return np.repeat(values, self.classes, axis=-1)

    def targets(self, labels: np.ndarray) -> np.ndarray:
        """int [N, heads] -> [N, columns], one in each head's column of the label."""
        made = np.zeros((len(labels), self.classes.sum()), np.float32)
        np.put_along_axis(made, self.starts + labels, 1.0, axis=1)
        return made

    def log_softmax(self, logits: np.ndarray) -> np.ndarray:
        """Within each head, [N, columns]."""
        shifted = logits - self.columns(np.maximum.reduceat(logits, self.starts, axis=1))
        return shifted - self.columns(np.log(np.add.reduceat(np.exp(shifted), self.starts, axis=1)))

    def at(self, values: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Each head's value in the column of the label: [N, columns] -> [N, heads]."""
        return np.take_along_axis(values, self.starts + labels, axis=1)

    def guesses(self, values: np.ndarray) -> np.ndarray:
        """[N, columns] -> the class of the largest value in each head, int [N, heads]."""
        split = np.split(values, self.starts[1:], axis=1)
        return np.stack([part.argmax(axis=1) for part in split], axis=1)


def _probe(inputs, labels, heads: _Heads) -> np.ndarray:
    """(share of the entropy, accuracy, chance) [3, heads] on the last of three parts."""
    weights = _fit(inputs, labels, heads)
    truth = labels[2]
    log_probabilities = heads.log_softmax(inputs[2] @ weights)
    prior = _log_frequencies(labels[0], heads)[None].repeat(len(truth), axis=0)
    cross_entropy = -heads.at(log_probabilities, truth).mean(axis=0)
    entropy = -heads.at(prior, truth).mean(axis=0)
    left = np.divide(cross_entropy, entropy, out=np.ones_like(entropy), where=heads.classes > 1)
    accuracy = np.mean(heads.guesses(log_probabilities) == truth, axis=0)
    chance = np.mean(heads.guesses(prior) == truth, axis=0)
    return np.stack([np.clip(1 - left, 0, 1), accuracy, chance])


def _fit(inputs, labels, heads: _Heads) -> np.ndarray:
    """Weights [C + 1, columns] by Adam; each head's as they were when the second part, which is
    not learned from, liked them best."""
    learned, held = inputs[:2]
    targets = heads.targets(labels[0])
    weights = np.zeros((learned.shape[1], targets.shape[1]), np.float32)
    weights[-1] = _log_frequencies(labels[0], heads)
    best, least = weights, np.full(len(heads.classes), np.inf)
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, _STEPS + 1):
        loss = -heads.at(heads.log_softmax(held @ weights), labels[1]).mean(axis=0)  # [heads]
        best = np.where(heads.columns(loss < least), weights, best)
        least = np.minimum(least, loss)
        error = np.exp(heads.log_softmax(learned @ weights)) - targets
        gradient = learned.T @ error / len(learned)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        rate = _RATE * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        weights = weights - np.float32(rate) * first / (np.sqrt(second) + 1e-8)
    return best


def _log_frequencies(labels: np.ndarray, heads: _Heads) -> np.ndarray:
    """[columns]; a value that was never seen counts as seen half a time."""
    counts = heads.targets(labels).sum(axis=0) + 0.5
    return np.log(counts / heads.columns(np.add.reduceat(counts, heads.starts)))


def _standardised(values: np.ndarray, learned: np.ndarray) -> np.ndarray:
    """[N, C] -> [N, C + 1], by mean and deviation of the rows `learned`, and a column of ones."""
    mean, deviation = units(values[learned])
    return np.concatenate(
        [(values - mean) / deviation, np.ones((len(values), 1), np.float32)], axis=1
    )
