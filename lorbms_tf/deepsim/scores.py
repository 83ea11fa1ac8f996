"""Scores of inversions: errors in the image and in features, normalised; drift; sharpness.

Arrays are of N held-out photos: images [N, S, S, 3] in [-1, 1], features [N, D].
"""

import numpy as np

from lorbms_tf.evaluation.finite import check_finite
from lorbms_tf.evaluation.image_pairs import image_pairs
from lorbms_tf.evaluation.psnr import psnr
from lorbms_tf.evaluation.scores import Score
from lorbms_tf.evaluation.sliced_wasserstein import paired_distance


def normalised_error(values: np.ndarray, others: np.ndarray) -> float:
    """Mean distance of each value to its other, by the mean distance between two of the values.

    The error of Mahendran and Vedaldi (2015), which the paper uses: 1 is no better than another
    photo.

    Args:
      values: [N, ...], of the photos.
      others: the same, of what was made of them.

    Raises ValueError where there are fewer than two values, all are alike, or some are not finite.
    """
    check_finite(values, "values of photos")
    check_finite(others, "values of what was made")
    first = np.asarray(values, np.float64).reshape(len(values), -1)
    second = np.asarray(others, np.float64).reshape(len(others), -1)
    usual = mean_distance(first)
    if not usual > 0:
        raise ValueError("all photos are alike here")
    return float(np.mean(np.linalg.norm(first - second, axis=1)) / usual)


def mean_distance(values: np.ndarray) -> float:
    """The mean Euclidean distance between two different values of [N, D].

    Raises ValueError where there are fewer than two.
    """
    count = len(values)
    if count < 2:
        raise ValueError("it takes at least 2 photos")
    centred = values - values.mean(axis=0)
    squares = np.sum(centred**2, axis=1)
    between = squares[:, None] + squares[None, :] - 2.0 * centred @ centred.T
    return float(np.sqrt(np.maximum(between, 0.0))[~np.eye(count, dtype=bool)].mean())


def sharpness(images: np.ndarray, others: np.ndarray) -> float:
    """Mean difference of neighbouring pixels in `others`, in shares of that in `images`.

    Raises ValueError as `image_pairs` does, and where the images are flat.
    """
    first, second = image_pairs(images, others)
    steps = [
        np.abs(np.diff(one, axis=1)).mean() + np.abs(np.diff(one, axis=2)).mean()
        for one in (first, second)
    ]
    if not steps[0] > 0:
        raise ValueError("all photos are flat")
    return float(steps[1] / steps[0])


SCORES = {
    "image_error": Score(
        lambda image, reconstruction: normalised_error(image, reconstruction),
        ("image", "reconstruction"),
        higher_is_better=False,
        least=2,
        unit="%",
        says="distance of photo and inversion, by that of two photos",
    ),
    "feature_error": Score(
        lambda features, reconstruction_features: normalised_error(
            features, reconstruction_features
        ),
        ("features", "reconstruction_features"),
        higher_is_better=False,
        least=2,
        unit="%",
        says="the same in the features that were inverted",
    ),
    "drift_image": Score(
        lambda image, reencoded: normalised_error(image, reencoded),
        ("image", "reencoded"),
        higher_is_better=False,
        least=2,
        unit="%",
        says="image_error after 4 passes through encoder and generator",
    ),
    "drift_feature": Score(
        lambda features, reencoded_features: normalised_error(features, reencoded_features),
        ("features", "reencoded_features"),
        higher_is_better=False,
        least=2,
        unit="%",
        says="feature_error after 4 passes",
    ),
    "psnr": Score(
        lambda image, reconstruction: float(np.mean(psnr(image, reconstruction))),
        ("image", "reconstruction"),
        unit="dB",
        says="peak signal-to-noise ratio of inversions",
        may_be_infinite=True,
    ),
    "sharpness": Score(
        lambda image, reconstruction: sharpness(image, reconstruction),
        ("image", "reconstruction"),
        higher_is_better=None,
        says="differences of neighbouring pixels, in shares of the photos'",
    ),
    "swd_paired": Score(
        lambda image, reconstruction: paired_distance(image, reconstruction),
        ("image", "reconstruction"),
        higher_is_better=False,
        says="sliced Wasserstein distance of patches at the same places; sides 16, 32, 64, ...",
    ),
}
