"""Fréchet distance between two sets of features, as if each were Gaussian (Heusel et al., 2017).

With the 2015 Inception graph's features it is the FID of the thesis (section 4.2); with any other
features it is no FID and must not be named so.
"""

import numpy as np

from lorbms_tf.evaluation.finite import check_finite


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """|mu1 - mu2|^2 + tr(S1 + S2 - 2 sqrt(S1 S2)), with the unbiased covariances S.

    The trace of the root is the nuclear norm of A1 A2^T for any A with S = A^T A. So the result is
    real and at least 0 also where covariances are singular (fewer samples than features, constant
    features), where a root of the product itself can turn out complex.

    Args:
      real: [N, D], N >= 2.
      generated: [M, D], M >= 2.

    Returns:
      the squared distance, float >= 0.

    Raises:
      ValueError: other shapes, fewer than two samples, or values that are not finite.
    """
    real, generated = check_features(real, generated)
    shift = real.mean(axis=0) - generated.mean(axis=0)
    roots = [_root(real), _root(generated)]
    spread = sum(float(np.sum(np.square(root))) for root in roots)  # tr S1 + tr S2
    overlap = float(np.linalg.norm(roots[0] @ roots[1].T, ord="nuc"))
    # At least 0 but for rounding, and then rounding is all there is of it.
    return max(0.0, float(shift @ shift) + spread - 2.0 * overlap)


def caution(count: int, width: int) -> str:
    """What is to be known of a distance of `count` images, the smaller set; "" of enough.

    width: numbers of a feature vector.
    """
    if count > width:
        return ""
    return (
        f"a Fréchet distance of {count} images with features of {width} numbers comes out too "
        f"high, and the fewer images, the higher: compare it with those of {count} images only, "
        f"or take well over {width} (papers: 50,000)"
    )


def _root(features: np.ndarray) -> np.ndarray:
    """A with A^T A the unbiased covariance: [N, D], or [D, D] where that is smaller."""
    count, width = features.shape
    centred = (features - features.mean(axis=0)) / np.sqrt(count - 1)
    if count <= width:
        return centred
    values, vectors = np.linalg.eigh(centred.T @ centred)
    return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T


def check_features(
    real: np.ndarray, generated: np.ndarray, fewest: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Both sets as float64. ValueError unless [N, D] and [M, D], finite, at least `fewest` each."""
    checked = []
    for name, features in (("real", real), ("generated", generated)):
        features = np.asarray(features, np.float64)
        if features.ndim != 2 or not features.shape[1]:
            raise ValueError(f"{name} features must be [N, D], not {list(features.shape)}")
        if len(features) < fewest:
            raise ValueError(f"there are {len(features)} {name} samples, at least {fewest} needed")
        check_finite(features, f"{name} features")
        checked.append(features)
    if checked[0].shape[1] != checked[1].shape[1]:
        raise ValueError(f"features of {checked[0].shape[1]} and {checked[1].shape[1]} numbers")
    return checked[0], checked[1]
