"""Scores as arrays in, numbers out: means with standard errors, and what a graph looks like.

R references, four quadrants, k candidates each. A standard error takes the photos as the
independent draws: versions of one photo are one draw (cluster-robust variance of a mean).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A mean and its standard error; both NaN where nothing was measured."""

    value: float
    error: float


@dataclass(frozen=True)
class Comparison:
    """A score of the candidates beside that of randomly chosen images, over the same references.

    contrast: candidates minus random, or candidates divided by random (`ratio`).
    by_rank: [k] means of the nearest, the second nearest, ... candidate.
    references: how many had something to score.
    """

    candidates: Estimate
    random: Estimate
    contrast: Estimate
    by_rank: list[float]
    references: int


def mean(values: np.ndarray, groups: np.ndarray) -> Estimate:
    """Mean of values [n] whose groups [n] (photos) are independent of one another.

    With every group of size one the error is the usual s / sqrt(n).
    """
    if not len(values):
        return Estimate(float("nan"), float("nan"))
    centre = float(values.mean())
    return Estimate(centre, _error_of_mean(values - centre, groups))


def ratio(above: np.ndarray, below: np.ndarray, groups: np.ndarray) -> Estimate:
    """mean(above) / mean(below), pairs [n]; the error by the delta method."""
    if not len(above) or not below.mean():
        return Estimate(float("nan"), float("nan"))
    value = float(above.mean() / below.mean())
    return Estimate(value, _error_of_mean((above - value * below) / below.mean(), groups))


def _error_of_mean(residuals: np.ndarray, groups: np.ndarray) -> float:
    _, group = np.unique(groups, return_inverse=True)
    sums = np.bincount(group.reshape(-1), residuals)  # [G]
    if len(sums) < 2:
        return float("nan")
    correction = len(sums) / (len(sums) - 1)
    return float(np.sqrt(correction * np.sum(sums**2)) / len(residuals))


def compare(
    candidates: np.ndarray, random: np.ndarray, photos: np.ndarray, as_ratio: bool = False
) -> Comparison:
    """Scores of pairs to a comparison.

    Args:
      candidates: float [R, 4, k], the score of each candidate; NaN where it has none. A
        reference's score is the mean over what it has.
      random: the same for images drawn at random, [R, 4, any number].
      photos: [R], equal for references of one photo.
      as_ratio: contrast as a ratio of the means instead of their difference.
    """
    chosen, drawn = _per_reference(candidates), _per_reference(random)  # [R]
    usable = np.isfinite(chosen) & np.isfinite(drawn)
    chosen, drawn, photos = chosen[usable], drawn[usable], photos[usable]
    contrast = ratio(chosen, drawn, photos) if as_ratio else mean(chosen - drawn, photos)
    ranks = [_per_reference(candidates[usable][:, :, c]) for c in range(candidates.shape[2])]
    known = [rank[np.isfinite(rank)] for rank in ranks]
    return Comparison(
        candidates=mean(chosen, photos),
        random=mean(drawn, photos),
        contrast=contrast,
        by_rank=[float(rank.mean()) if len(rank) else float("nan") for rank in known],
        references=int(usable.sum()),
    )


def _per_reference(scores: np.ndarray) -> np.ndarray:
    """Mean over what is no NaN, [R, ...] -> [R]; NaN where all is."""
    flat = scores.reshape(len(scores), int(np.prod(scores.shape[1:])))
    there = np.isfinite(flat)
    sums, counts = np.where(there, flat, 0).sum(axis=1), there.sum(axis=1)
    return np.divide(sums, counts, out=np.full(len(flat), np.nan), where=counts > 0)


def draw_others(
    references: np.ndarray, pool: np.ndarray, photos: np.ndarray, k: int, rng
) -> np.ndarray:
    """Random choice: images of other photos, uniformly from `pool`, with replacement.

    Args:
      references: int [R], images.
      pool: int [P], the images to draw from; of at least two photos.
      photos: [M], the photo of every image.
      k: how many for each quadrant.

    Returns int [R, 4, k].
    """
    if len(np.unique(photos[pool])) < 2:
        raise ValueError("there are no images of other photos to draw")
    own = photos[references][:, None, None]  # [R, 1, 1]
    drawn = pool[rng.integers(len(pool), size=(len(references), 4, k))]
    while (wrong := photos[drawn] == own).any():
        drawn[wrong] = pool[rng.integers(len(pool), size=int(wrong.sum()))]
    return drawn


@dataclass(frozen=True)
class Shape:
    """What a neighbour graph looks like; means over the quadrants.

    never_chosen: share of the images that are a candidate of no other image.
    most_often: how often the most popular image is a candidate in one quadrant (k on average).
    skewness: of how often each is one; 0 for an even spread, large where hubs take all.
    reciprocity: share of the candidates that have the reference among their own.
    """

    never_chosen: float
    most_often: int
    skewness: float
    reciprocity: float


def shape(indices: np.ndarray) -> Shape:
    """Hubness and reciprocity of candidates int [N, 4, k], image i's own in row i.

    An image that stands twice in a row counts once.
    """
    num_images, num_quadrants = indices.shape[:2]
    never, most, skews, mutual = [], 0, [], []
    for q in range(num_quadrants):
        rows = np.repeat(np.arange(num_images, dtype=np.int64), indices.shape[2])
        columns = indices[:, q].reshape(-1).astype(np.int64)
        edges = np.unique(rows * num_images + columns)  # each once
        columns = edges % num_images
        back = columns * num_images + edges // num_images
        mutual.append(np.isin(back, edges).mean())
        degrees = np.bincount(columns, minlength=num_images)
        never.append(np.mean(degrees == 0))
        most = max(most, int(degrees.max()))
        spread = degrees.std()
        skews.append(np.mean((degrees - degrees.mean()) ** 3) / spread**3 if spread else 0.0)
    return Shape(float(np.mean(never)), most, float(np.mean(skews)), float(np.mean(mutual)))
