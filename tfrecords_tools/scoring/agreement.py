"""How far quadrants of candidates hold what the reference's quadrant holds, by labels.

Each function takes references int [R] and others int [R, 4, k] (images) and returns float
[R, 4, k]: the score of a pair in one quadrant; NaN where a photo is not annotated, or where
the reference's quadrant holds nothing that could be found again.
"""

from collections.abc import Callable

import numpy as np

from lorbms_tf.data.quadrants import NUM_QUADRANTS
from tfrecords_tools.scoring.truth import Labels, Truth

Score = Callable[[Labels, np.ndarray, np.ndarray], np.ndarray]


def _pairs(values: np.ndarray, labels: Labels, references: np.ndarray, others: np.ndarray):
    """values [W, 4, C] -> of references [R, 4, 1, C] and of others, each in its quadrant."""
    quadrants = np.arange(values.shape[1])[None, :, None]
    return values[labels.row[references]][:, :, None], values[labels.row[others], quadrants]


def _blank(score: np.ndarray, labels: Labels, references, others, there=True) -> np.ndarray:
    """NaN where one of the two is not annotated, or the reference has nothing `there`."""
    known = labels.known[labels.row[references]][:, None, None] & labels.known[labels.row[others]]
    return np.where(known & there, score, np.nan)


def same_category(labels: Labels, references: np.ndarray, others: np.ndarray) -> np.ndarray:
    """1 where some category of the reference's quadrant is in the other's too, else 0."""
    return _shared(labels.categories, labels, references, others)


def same_colour(labels: Labels, references: np.ndarray, others: np.ndarray) -> np.ndarray:
    """1 where an object of the same colour is in the same quadrant (drawn scenes)."""
    return _shared(labels.colours, labels, references, others)


def _shared(values, labels, references, others):
    own, theirs = _pairs(values, labels, references, others)
    return _blank((own & theirs).any(axis=-1), labels, references, others, own.any(axis=-1))


def same_background(labels: Labels, references: np.ndarray, others: np.ndarray) -> np.ndarray:
    """1 where the two scenes are in the same kind of place (drawn scenes)."""
    own = labels.backgrounds[labels.row[references]][:, None, None]
    theirs = labels.backgrounds[labels.row[others]]
    return _blank(own == theirs, labels, references, others, own >= 0)


def category_overlap(labels: Labels, references: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Categories in both quadrants divided by categories in either (Jaccard)."""
    own, theirs = _pairs(labels.categories, labels, references, others)
    both = (own & theirs).sum(axis=-1)
    either = (own | theirs).sum(axis=-1)
    return _blank(both / np.maximum(either, 1), labels, references, others, own.any(axis=-1))


def area_overlap(labels: Labels, references: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The same with areas: what boxes of a category cover in both quadrants over in either.

    Both are sums over categories, and of places: a quadrant is laid over the other.
    """
    quadrants = np.arange(NUM_QUADRANTS)[:, None]
    own = NUM_QUADRANTS * labels.row[references][:, None, None] + quadrants  # [R, 4, 1]
    theirs = NUM_QUADRANTS * labels.row[others] + quadrants
    own = np.broadcast_to(own, theirs.shape)
    both = labels.regions.common(own.ravel(), theirs.ravel()).reshape(theirs.shape)
    areas = labels.regions.areas()
    either = areas[own] + areas[theirs] - both
    score = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    # What rounding adds to the overlap of equal places.
    return _blank(np.minimum(score, 1), labels, references, others, areas[own] > 0)


def scores(truth: Truth) -> dict[str, Score]:
    """The scores that a truth allows, by name."""
    if truth.drawn:
        return {"category": same_category, "colour": same_colour, "background": same_background}
    found: dict[str, Score] = {"category": same_category}
    if len(truth.categories) > 1:  # of one category alone it is the same score
        found["category_overlap"] = category_overlap
    return {**found, "area_overlap": area_overlap}
