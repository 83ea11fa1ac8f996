import numpy as np
import pytest

from lorbms_tf.pseudo_labels import clusters


def rng():
    return np.random.default_rng(0)


def blobs(count=30, spread=0.01):
    """Three far groups of `count` points each, float32 [3 * count, 4]."""
    centres = np.repeat(np.eye(3, 4, dtype=np.float32), count, axis=0)
    return centres + rng().normal(0, spread, centres.shape).astype(np.float32)


def test_whitened_points_have_variance_one_and_no_correlation_before_their_length_is_taken():
    mixing = rng().normal(size=(5, 5))
    features = (rng().normal(size=(400, 5)) @ mixing + 3).astype(np.float32)
    whitening = clusters.fit_whitening(features, 5)
    raw = (features - whitening.mean) @ whitening.directions
    np.testing.assert_allclose(raw.T @ raw / 400, np.eye(5), atol=1e-3)
    points = whitening(features)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(points * np.linalg.norm(raw, axis=1)[:, None], raw, atol=1e-4)


def test_whitening_keeps_the_directions_with_most_variance():
    features = rng().normal(size=(500, 3)).astype(np.float32) * (1, 100, 10)
    directions = clusters.fit_whitening(features, 2).directions
    unit = directions / np.linalg.norm(directions, axis=0)
    np.testing.assert_allclose(np.abs(unit), [[0, 0], [1, 0], [0, 1]], atol=0.05)


def test_directions_without_variance_are_left_out():
    features = np.zeros((50, 6), np.float32)
    features[:, 1] = rng().normal(size=50)
    features[:, 4] = 7
    whitening = clusters.fit_whitening(features, 4)
    assert whitening.directions.shape == (6, 1)
    assert np.isfinite(whitening(features)).all()
    np.testing.assert_array_equal(whitening(whitening.mean[None]), [[0]])  # no direction at all


@pytest.mark.parametrize(
    ("features", "reason"),
    [(np.ones((9, 4)), "all the same"), (np.full((9, 4), np.nan), "not finite")],
)
def test_features_that_cannot_be_whitened(features, reason):
    with pytest.raises(ValueError, match=reason):
        clusters.fit_whitening(features)


def test_groups_are_found_the_same_at_each_call():
    found = clusters.kmeans(blobs(), 3, seed=5)
    truth = np.repeat([0, 1, 2], 30)
    assert clusters.normalised_mutual_information(found.assignment, truth) == pytest.approx(1)
    assert found.loss == pytest.approx(4 * 1e-4, rel=0.3)
    again = clusters.kmeans(blobs(), 3, seed=5)
    np.testing.assert_array_equal(found.assignment, again.assignment)


def test_more_clusters_than_points_is_an_error():
    with pytest.raises(ValueError, match="9 points make no 10 clusters"):
        clusters.kmeans(np.zeros((9, 2), np.float32), 10, seed=0)


def test_empty_clusters_get_points_of_others():
    points = blobs()
    centroids = np.zeros((6, 4), np.float32)
    assignment = np.repeat([0, 2, 2], 30)  # 1, 3, 4 and 5 are empty
    filled, count = clusters.fill_empty(points, centroids, assignment, rng())
    assert count == 4 and (np.bincount(filled, minlength=6) > 0).all()
    np.testing.assert_array_equal(assignment, np.repeat([0, 2, 2], 30))  # not changed itself
    # Points only ever leave for a cluster that was empty.
    moved = filled != assignment
    assert set(filled[moved]) == {1, 3, 4, 5}


def test_points_that_are_all_the_same_cannot_be_divided():
    points = np.zeros((5, 2), np.float32)
    filled, count = clusters.fill_empty(points, points[:3], np.zeros(5, int), rng())
    assert count == 0 and not filled.any()
    points[4] = 1  # one cluster more can be made, and no second one
    filled, count = clusters.fill_empty(points, points[:3], np.zeros(5, int), rng())
    assert count == 1 and np.bincount(filled[:4]).max() == 4 and filled[4] != filled[0]


def test_sampling_is_even_whatever_the_sizes():
    assignment = np.array([0] * 96 + [1] * 3 + [3])  # cluster 2 is empty
    drawn = clusters.sample_evenly(assignment, 90, rng())
    counts = np.bincount(assignment[drawn], minlength=4)
    assert len(drawn) == 90 and counts[2] == 0
    assert (counts[[0, 1, 3]] >= 29).all()
    large = drawn[assignment[drawn] == 0]
    assert len(set(large)) == len(large)  # no repetition where it is not needed
    assert set(drawn[assignment[drawn] == 1]) == {96, 97, 98}
    assert not (np.diff(assignment[drawn]) >= 0).all()  # in random order


def test_mutual_information_by_hand():
    nmi = clusters.normalised_mutual_information
    first = np.array([0, 0, 1, 1])
    assert nmi(first, np.array([5, 5, 2, 2])) == pytest.approx(1)  # other names
    assert nmi(first, np.array([0, 1, 0, 1])) == pytest.approx(0)
    # Three against one in one of the halves: I = 1.5 - 0.75 log2(3) + ... from the definition.
    second = np.array([0, 0, 0, 1])
    joint = {(0, 0): 0.5, (1, 0): 0.25, (1, 1): 0.25}
    a, b = {0: 0.5, 1: 0.5}, {0: 0.75, 1: 0.25}
    information = sum(p * np.log(p / a[i] / b[j]) for (i, j), p in joint.items())
    mean = -sum(p * np.log(p) for p in [*a.values(), *b.values()]) / 2
    assert nmi(first, second) == pytest.approx(information / mean)
    assert nmi(first, second) == nmi(second, first)
    assert nmi(np.zeros(4), np.zeros(4)) == 1
    with pytest.raises(ValueError, match="4 and 3 labels"):
        nmi(first, np.zeros(3))


def test_the_automatic_number_is_that_of_the_publication_and_at_least_two():
    assert clusters.automatic_num_clusters(1_281_167) == pytest.approx(10_000, rel=0.01)
    assert clusters.automatic_num_clusters(5) == 2
