"""Can a probe tell from a picture alone which quadrants were replaced?

Half-way between realism and disentanglement: seams, blur or colours that do not fit give a
replaced quadrant away. The mask also follows from what a scene shows (a plain sky has near
candidates, and is replaced more often), so a number says something only beside that of the
reconstructions, in which nothing was replaced, and that of the pasted quadrants, where all shows.
"""

import numpy as np

from lorbms_tf.data.quadrants import NAMES
from lorbms_tf.evaluation import image_probe
from lorbms_tf.evaluation.finite import check_finite

TEST_SHARE = 0.25
LEAST = (image_probe.BATCH_SIZE - 1) * 4 // 3 + 1  # images: what is not tested on makes one batch


def check_count(count: int) -> None:
    """Raises ValueError where so many images are too few for a probe to learn from."""
    if count < LEAST:
        raise ValueError(f"it takes at least {LEAST} images, here are {count}")


def seam_auc(images: np.ndarray, mask: np.ndarray, seed: int = 0) -> float:
    """How well a held-out probe finds the replaced quadrants, as the area under the ROC curve.

    0.5: not at all; 1: always. The mean over the quadrants; a quadrant that is replaced in all or
    none of the test images is left out. Noisy below some thousand images: the probe has to learn.

    Args:
      images: [N, H, W, 3] in [-1, 1].
      mask: bool [N, 4], True where replaced.
      seed: of the split, and of the probe.

    Raises:
      ValueError: there are too few images to learn from or to test on, or some are not finite.
    """
    check_finite(images, "images")
    check_count(len(images))
    order = np.random.default_rng(seed).permutation(len(images))
    tested, learned = np.split(order, [int(len(images) * TEST_SHARE)])
    mixed = [0 < mask[tested, i].mean() < 1 for i in range(len(NAMES))]
    if not any(mixed):
        raise ValueError("every quadrant is replaced in all or in none of the images")
    bits = {name: mask[:, i].astype(np.int64) for i, name in enumerate(NAMES)}
    predict = image_probe.train(
        images[learned],
        {name: values[learned] for name, values in bits.items()},
        dict.fromkeys(NAMES, 2),
        seed,
    )
    found = predict(images[tested])
    areas = [auc(found[name][:, 1], bits[name][tested] > 0) for name in NAMES]
    return float(np.mean(areas, where=mixed))


def auc(scores: np.ndarray, truth: np.ndarray) -> float:
    """Area under the ROC curve: how often a true one scores above a false one; ties are halves.

    Args:
      scores: [N]. truth: bool [N].

    Returns:
      0 to 1; NaN where all are true or none is, and where a score is NaN.
    """
    if np.isnan(scores).any():
        return float("nan")
    positive, negative = scores[truth], scores[~truth]
    if not len(positive) or not len(negative):
        return float("nan")
    negative = np.sort(negative)
    below = np.searchsorted(negative, positive, side="left")
    up_to = np.searchsorted(negative, positive, side="right")
    return float(np.mean(below + up_to) / (2 * len(negative)))
