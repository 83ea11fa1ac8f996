import numpy as np
import pytest

from lorbms_tf.evaluation.frechet import frechet_distance


def gaussian(rng, count, mean, deviations):
    return rng.standard_normal((count, len(deviations))) * deviations + mean


def literal(real, generated):
    """The formula with the root of the product by its eigenvalues, which must be well behaved."""
    one, two = np.atleast_2d(np.cov(real.T)), np.atleast_2d(np.cov(generated.T))
    roots = np.sqrt(np.linalg.eigvals(one @ two).astype(complex)).real
    shift = real.mean(0) - generated.mean(0)
    return shift @ shift + np.trace(one) + np.trace(two) - 2 * roots.sum()


def test_equal_sets_and_shifted_sets():
    features = gaussian(np.random.default_rng(0), 300, 1.0, np.array([1.0, 2.0, 0.5]))
    assert frechet_distance(features, features) == pytest.approx(0.0, abs=1e-9)
    shifted = features + np.array([3.0, 0.0, -4.0])
    assert frechet_distance(features, shifted) == pytest.approx(25.0, rel=1e-12)


def test_one_dimension_by_hand():
    real, generated = np.array([[0.0], [2.0]]), np.array([[1.0], [5.0], [9.0]])
    # means 1 and 5, variances 2 and 16: 16 + (sqrt 2 - 4)^2
    assert frechet_distance(real, generated) == pytest.approx(16 + (np.sqrt(2) - 4) ** 2)


def test_scaled_axes_by_hand():
    rng = np.random.default_rng(1)
    features = rng.standard_normal((500, 4))
    features -= features.mean(axis=0)
    scales = np.array([1.0, 2.0, 3.0, 0.5])
    variances = np.diag(np.linalg.qr(features)[0].T @ np.linalg.qr(features)[0])
    orthogonal = np.linalg.qr(features)[0] * np.sqrt(499)  # covariance is the identity
    orthogonal -= orthogonal.mean(axis=0)
    assert variances == pytest.approx(1.0)
    expected = np.sum((scales - 1.0) ** 2)
    assert frechet_distance(orthogonal, orthogonal * scales) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("width", [1, 5, 40])
def test_against_the_literal_formula(width):
    rng = np.random.default_rng(width)
    real = gaussian(rng, 400, 0.0, rng.uniform(0.5, 2, width)) @ rng.standard_normal((width, width))
    generated = gaussian(rng, 300, 0.3, rng.uniform(0.5, 2, width))
    assert frechet_distance(real, generated) == pytest.approx(literal(real, generated), rel=1e-8)


def test_fewer_samples_than_features_equal_the_same_samples_in_more_dimensions():
    rng = np.random.default_rng(3)
    real, generated = rng.standard_normal((9, 4)), rng.standard_normal((8, 4)) + 1
    turn = np.linalg.qr(rng.standard_normal((50, 50)))[0][:4]  # into 50 dimensions, isometric
    low = frechet_distance(real, generated)
    assert frechet_distance(real @ turn, generated @ turn) == pytest.approx(low, rel=1e-9)


def test_singular_covariances_stay_real_and_at_least_zero():
    constant = np.ones((10, 6))
    assert frechet_distance(constant, constant) == 0.0
    assert frechet_distance(constant, constant + 1) == pytest.approx(6.0)
    rng = np.random.default_rng(4)
    flat = rng.standard_normal((100, 6)) * [1, 1, 0, 0, 1e-9, 1e6]
    for one, two in ((flat, flat), (flat, constant), (flat, flat[::-1])):
        distance = frechet_distance(one, two)
        assert isinstance(distance, float) and np.isfinite(distance) and distance >= 0


@pytest.mark.parametrize(
    "real, generated, message",
    [
        (np.ones((1, 3)), np.ones((5, 3)), "1 real samples"),
        (np.ones((5, 3)), np.ones((5, 2)), "3 and 2"),
        (np.ones((5, 3)), np.full((5, 3), np.nan), "5 of 5 generated features are not finite"),
        (np.ones(5), np.ones((5, 3)), r"must be \[N, D\]"),
    ],
)
def test_bad_input(real, generated, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(real, generated)
