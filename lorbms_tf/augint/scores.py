"""The scores of AugIntAE and its baselines: one table for training and evaluation.

Arrays are of N held-out images of the novel domain, or of M images on paths between such.
"""

import numpy as np

from lorbms_tf.evaluation.frechet import frechet_distance
from lorbms_tf.evaluation.image_pairs import image_pairs
from lorbms_tf.evaluation.psnr import psnr
from lorbms_tf.evaluation.scores import Score
from lorbms_tf.evaluation.ssim import ssim


def squared_errors(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Mean squared difference of pixels in [0, 1], an image at a time (seed 003, figure 1).

    Args:
      images: float [N, H, W, C] in [-1, 1].
      others: the same.

    Returns:
      float64 [N]. ValueError as `image_pairs`.
    """
    first, second = image_pairs(images, others)
    return np.mean(np.square((first - second) / 2.0), axis=(1, 2, 3))


def _reconstruction_error(image, reconstruction) -> float:
    return float(np.mean(squared_errors(image, reconstruction)))


def _psnr(image, reconstruction) -> float:
    return float(np.mean(psnr(image, reconstruction)))


def _ssim(image, reconstruction) -> float:
    return float(np.mean(ssim(image, reconstruction)))


def ink_greyness(images: np.ndarray) -> np.ndarray:
    """How far from white the ink of characters is, on average over all ink: 0 white, 1 black.

    Each pixel counts by its ink, (1 + v) / 2 for values v from -1 to 1, so that it does not matter
    how much of the image is black. Half of two characters laid over each other is 0.5 wherever they
    do not meet.

    Args:
      images: float [N, H, W, 1] in [-1, 1], white on black.

    Returns:
      float64 [N]; 1 where there is no ink at all. ValueError for images with colours.
    """
    if images.shape[-1] != 1:
        raise ValueError("it is of white ink on black, and these pictures have colours")
    ink = (1 + np.asarray(images, np.float64)) / 2
    amount = np.sum(ink, axis=(1, 2, 3))
    grey = np.sum(ink * (1 - ink), axis=(1, 2, 3))
    return np.where(amount > 0, grey / np.where(amount > 0, amount, 1.0), 1.0)


def _fading(ends, middle) -> float:
    return float(np.mean(ink_greyness(middle)) - np.mean(ink_greyness(ends)))


def _share(hits) -> float:
    if not len(hits):
        raise ValueError("there are no such pictures")
    return float(np.mean(hits))


_RECONSTRUCTION = ("image", "reconstruction")
# Those that need no more than held-out images: also while training.
TRAINING = {
    "reconstruction_error": Score(
        _reconstruction_error,
        _RECONSTRUCTION,
        higher_is_better=False,
        says="mean squared difference of pixels in [0, 1]",
    ),
    "psnr": Score(
        _psnr,
        _RECONSTRUCTION,
        unit="dB",
        says="peak signal-to-noise ratio of reconstructions",
        may_be_infinite=True,
    ),
    "ssim": Score(_ssim, _RECONSTRUCTION, says="structural similarity of reconstructions"),
}
_CLASSIFIED = ("classifier", "interpolations")
SCORES = {
    **TRAINING,
    "domain_fidelity": Score(
        lambda novel: _share(novel),
        ("novel",),
        protocol=_CLASSIFIED,
        unit="%",
        least=4,
        says="interpolations of the novel domain that a classifier takes for that domain",
    ),
    "domain_accuracy": Score(
        lambda domain_hits: _share(domain_hits),
        ("domain_hits",),
        higher_is_better=None,
        protocol=_CLASSIFIED,
        unit="%",
        least=4,
        says="held-out images whose domain that classifier tells rightly",
    ),
    "fading": Score(
        _fading,
        ("ends", "middle"),
        higher_is_better=False,
        protocol=("interpolations",),
        least=4,
        says="how much greyer the ink is in the middle of paths than at their ends (0 to 0.5)",
    ),
    "class_consistency": Score(
        lambda consistent: _share(consistent),
        ("consistent",),
        protocol=_CLASSIFIED,
        unit="%",
        least=4,
        says="interpolations between two of a class that a classifier takes for that class",
    ),
    "few_shot_consistency": Score(
        lambda few_shot: _share(few_shot),
        ("few_shot",),
        protocol=(*_CLASSIFIED, "shots"),
        unit="%",
        least=4,
        says="pictures out of some seeds of a class that the classifier takes for that class",
    ),
    "frechet_interpolations": Score(
        lambda real_features, path_features: frechet_distance(real_features, path_features),
        ("real_features", "path_features"),
        higher_is_better=False,
        least=4,
        protocol=("interpolations", "extractor"),
        says="Frechet distance of interpolations to images of the novel domain",
    ),
}
