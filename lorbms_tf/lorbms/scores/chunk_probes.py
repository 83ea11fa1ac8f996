"""What each chunk tells of each quadrant: linear probes from single chunks to known factors."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from lorbms_tf.data import quadrants
from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.evaluation.finite import check_finite
from lorbms_tf.evaluation.units import units
from lorbms_tf.progress import track

SHARES = (0.6, 0.2)  # to learn from, to choose the penalty by; the rest is tested on
LEAST = 50  # scenes
# The weights' squares weigh 1 / (2 * freedom) beside the mean loss of a scene: from all but the
# frequencies of the labels to all but no penalty.
_FREEDOMS = 10.0 ** np.arange(-1.0, 3.5, 0.5)
_TOLERANCE, _MOST_ITERATIONS = 1e-3, 1000  # of the gradient, for each penalty


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


def chunk_scores(
    codes: np.ndarray,
    factors: dict[str, np.ndarray],
    seed: int = 0,
    silent: bool = False,
) -> dict[str, Told]:
    """Trains a softmax regression for each chunk, quadrant and factor, and tests it held out.

    Args:
      codes: [N, 2, 2, C].
      factors: by name, int [N, 4].
      seed: of the split.
      silent: whether no progress is shown.

    Raises:
      ValueError: fewer than `LEAST` scenes, or codes that are not finite.
    """
    parts = _split(codes, seed)
    labels = np.concatenate(list(factors.values()), axis=1)  # [N, 4 * factors]
    classes = labels.max(axis=0) + 1
    chunks = np.asarray(quadrants.chunks(codes))
    numbers = range(NUM_QUADRANTS)
    if not silent:
        numbers = track(numbers, label="probes of chunks", unit="chunk")
    found = []
    for i in numbers:
        inputs = _standardised(chunks[:, i], parts[0])
        pairs = zip(labels.T, classes, strict=True)
        with threadpool_limits(1):  # several threads wait for each other longer than they work
            found.append([_probe(inputs, truth, count, parts) for truth, count in pairs])
    # [3 numbers, 4 chunks, factors, 4 quadrants]
    shape = (NUM_QUADRANTS, len(factors), NUM_QUADRANTS)
    information, accuracy, chance = np.moveaxis(found, -1, 0).reshape(3, *shape)
    varied = (labels.min(axis=0) < labels.max(axis=0)).reshape(len(factors), NUM_QUADRANTS)
    return {
        name: Told(information[:, k] * varied[k], accuracy[:, k], chance[0, k], varied[k])
        for k, name in enumerate(factors)
    }


def part_scores(
    codes: np.ndarray, factors: dict[str, np.ndarray], widths: Sequence[int], seed: int = 0
) -> dict[str, Told]:
    """As `chunk_scores`, for the parts of chunks: what each tells of its own quadrant.

    Args:
      codes: [N, 2, 2, C].
      factors: by name, int [N, 4].
      widths: numbers of each part, in their order; C together.
      seed: of the split, which is that of `chunk_scores`.

    Returns:
      Arrays [parts, 4]; row: the part, column: the quadrant whose chunk it is in.

    Raises:
      ValueError: as `chunk_scores`.
    """
    rows = _split(codes, seed)
    chunks = np.asarray(quadrants.chunks(codes))
    pieces = np.split(chunks, np.cumsum(widths)[:-1], axis=-1)
    found = np.zeros((3, len(factors), len(widths), NUM_QUADRANTS))
    for p in track(range(len(widths)), label="probes of parts", unit="part"):
        for i in range(NUM_QUADRANTS):
            inputs = _standardised(pieces[p][:, i], rows[0])
            with threadpool_limits(1):
                for k, values in enumerate(factors.values()):
                    classes = values[:, i].max() + 1
                    found[:, k, p, i] = _probe(inputs, values[:, i], classes, rows)
    information, accuracy, chance = found
    varied = [values.min(axis=0) < values.max(axis=0) for values in factors.values()]
    return {
        name: Told(information[k] * varied[k], accuracy[k], chance[k, 0], varied[k])
        for k, name in enumerate(factors)
    }


def tested(count: int) -> int:
    """How many of so many scenes the probes are tested on."""
    return count - int(count * sum(SHARES))


def _split(codes: np.ndarray, seed: int) -> list[np.ndarray]:
    """Rows to learn from, to choose the penalty by, and to test."""
    count = len(codes)
    if count < LEAST:
        raise ValueError(f"probes need at least {LEAST} scenes, not {count}")
    check_finite(codes, "codes")
    order = np.random.default_rng(seed).permutation(count)
    return np.split(order, (count * np.cumsum(SHARES)).astype(int))


def _probe(
    inputs: np.ndarray, truth: np.ndarray, classes: int, parts: list[np.ndarray]
) -> tuple[float, float, float]:
    """(share of the entropy, accuracy, chance) of one factor of one quadrant, on the last part.

    Args:
      inputs: [N, C], standardised.
      truth: int [N], below `classes`.
      parts: rows to learn from, to choose the penalty by, and to test.
    """
    learned, held, tested = parts
    prior = _log_frequencies(truth[learned], classes)
    best = np.broadcast_to(prior, (len(tested), classes))
    least = -prior[truth[held]].mean()
    entropy = -prior[truth[tested]].mean()
    for model in _regressions(inputs[learned], truth[learned]):
        loss = -_at(_log_probabilities(model, inputs[held], prior), truth[held]).mean()
        if not loss < least:
            break  # less penalty would learn these scenes by heart
        least, best = loss, _log_probabilities(model, inputs[tested], prior)
    left = -_at(best, truth[tested]).mean() / entropy if classes > 1 else 1.0
    accuracy = np.mean(best.argmax(axis=1) == truth[tested])
    chance = np.mean(truth[tested] == prior.argmax())
    return np.clip(1 - left, 0, 1), accuracy, chance


def _regressions(inputs: np.ndarray, truth: np.ndarray) -> Iterator[LogisticRegression]:
    """The regression by ever less penalty, each begun where the former ended; none of one value."""
    if truth.min() == truth.max():
        return
    model = LogisticRegression(warm_start=True, tol=_TOLERANCE, max_iter=_MOST_ITERATIONS)
    for freedom in _FREEDOMS:
        yield model.set_params(C=freedom / len(inputs)).fit(inputs, truth)


def _log_probabilities(
    model: LogisticRegression, inputs: np.ndarray, prior: np.ndarray
) -> np.ndarray:
    """[N, classes]; a value that the model has never seen is as likely as the prior says."""
    logs = np.broadcast_to(prior, (len(inputs), len(prior))).copy()
    seen = np.exp(prior[model.classes_]).sum()
    logs[:, model.classes_] = model.predict_log_proba(inputs) + np.log(seen)
    return logs


def _at(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """[N, classes], int [N] -> each row's value of its truth, [N]."""
    return np.take_along_axis(values, truth[:, None], axis=1)[:, 0]


def _log_frequencies(truth: np.ndarray, classes: int) -> np.ndarray:
    """[classes]; a value that was never seen counts as seen half a time."""
    counts = np.bincount(truth, minlength=classes) + 0.5
    return np.log(counts / counts.sum())


def _standardised(values: np.ndarray, learned: np.ndarray) -> np.ndarray:
    """[N, C], by mean and deviation of the rows `learned`."""
    mean, deviation = units(values[learned])
    return (values - mean) / deviation
