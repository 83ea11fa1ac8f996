"""How long paths are, how even, and points on them at equal distances."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lorbms_tf.evaluation.batches import in_batches
from lorbms_tf.latent.slerp import line, slerp
from lorbms_tf.latent_paths.energy import PathMetric

_DECODED_AT_ONCE = 64
_EVEN = 0.01  # by how much a step may be longer than the mean


def steps(metric: PathMetric, pictures: np.ndarray) -> np.ndarray:
    """Lengths m of the segments: pictures [P, K, H, W, C] -> [P, K - 1].

    One path after the other: deep features of all pictures at once need much memory.
    """
    squared = [np.asarray(metric.steps(path[None])) for path in pictures]
    return np.sqrt(np.maximum(np.concatenate(squared), 0.0))


def largest_over_mean(lengths: np.ndarray) -> np.ndarray:
    """The largest step over the mean one of each path: [P, K - 1] -> [P]; 1 where all are 0."""
    mean = lengths.mean(axis=1)
    return np.where(mean > 0, lengths.max(axis=1) / np.where(mean > 0, mean, 1.0), 1.0)


def variation(lengths: np.ndarray) -> np.ndarray:
    """Deviation over mean of the steps of each path: [P, K - 1] -> [P]; 0 where all are 0."""
    mean = lengths.mean(axis=1)
    return np.where(mean > 0, lengths.std(axis=1) / np.where(mean > 0, mean, 1.0), 0.0)


def resampled(codes: np.ndarray, lengths: np.ndarray, points: int, sphere: bool) -> np.ndarray:
    """Points at equal distances along paths, the ends among them.

    Args:
      codes: [P, K, D].
      lengths: of the segments, [P, K - 1].
      points: how many on each path, at least 2.
      sphere: whether segments are parts of great circles.

    Returns:
      codes [P, points, D]. A path without any length is divided evenly in its segments.
    """
    between: Callable[..., Any] = slerp if sphere else line
    made = np.empty((len(codes), points, codes.shape[2]), codes.dtype)
    for path, own, out in zip(codes, lengths, made, strict=True):
        along = np.concatenate([[0.0], np.cumsum(own if own.sum() > 0 else np.ones_like(own))])
        places = np.linspace(0, along[-1], points)
        left = np.clip(np.searchsorted(along, places, "right") - 1, 0, len(own) - 1)
        widths = along[left + 1] - along[left]
        shares = np.where(widths > 0, (places - along[left]) / np.where(widths > 0, widths, 1), 0)
        out[:] = np.asarray(between(path[left], path[left + 1], shares.astype(codes.dtype)))
        out[0], out[-1] = path[0], path[-1]
    return made


def even(
    decode: Callable[[Any], Any],
    metric: PathMetric,
    codes: np.ndarray,
    points: int,
    sphere: bool,
    rounds: int = 6,
) -> np.ndarray:
    """`resampled` and measured anew, until steps are equal: codes [P, points, D].

    Between two points the length of a piece need not grow evenly, so one round is not enough. Each
    path is that of its most equal round; a path of other than `points` is resampled at least once.

    decode: codes [M, D] -> pictures [M, H, W, C].
    rounds: at most; it ends where no step is longer than the mean by more than a hundredth.
    """
    own = steps(metric, decoded(decode, codes))
    if codes.shape[1] != points:
        codes = resampled(codes, own, points, sphere)
        own = steps(metric, decoded(decode, codes))
    best, least = codes.copy(), largest_over_mean(own)
    for _ in range(rounds):
        if least.max() < 1 + _EVEN:
            break
        codes = resampled(codes, own, points, sphere)
        own = steps(metric, decoded(decode, codes))
        uneven = largest_over_mean(own)
        better = uneven < least
        best[better], least[better] = codes[better], uneven[better]
    return best


def decoded(decode: Callable[[Any], Any], codes: np.ndarray) -> np.ndarray:
    """Pictures of the points of paths, some at a time: codes [P, K, D] -> [P, K, H, W, C]."""
    pictures = in_batches(decode, _DECODED_AT_ONCE, codes.reshape(-1, codes.shape[2]))
    return pictures.reshape(*codes.shape[:2], *pictures.shape[1:])


def walk(codes: np.ndarray, closed: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of ends of a walk through several codes [K, D]: starts and ends [K - 1, D].

    closed: the last code leads to the first one again.
    """
    following = np.roll(codes, -1, axis=0) if closed else codes[1:]
    return codes[: len(following)], following
