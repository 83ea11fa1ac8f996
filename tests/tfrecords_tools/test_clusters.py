import faiss
import numpy as np
import pytest

from tfrecords_tools import clusters, feature_store
from tfrecords_tools.feature_store import FeatureFile


def points_of(num_points, dimension=6):
    return np.random.default_rng(2).normal(size=(num_points, dimension)).astype(np.float32)


def rows(tmp_path, points, dtype="float32"):
    file = FeatureFile.create(tmp_path / "f.npy", len(points), points.shape[1], dtype)
    file.write(0, np.stack([points] * 4, axis=1))
    return file.quadrant(1)


def test_the_sample_is_the_one_that_faiss_draws():
    points = points_of(3000)
    whole = faiss.Kmeans(6, 5, niter=7, seed=11, max_points_per_centroid=256)
    part = faiss.Kmeans(6, 5, niter=7, seed=11, max_points_per_centroid=256)
    whole.train(points)
    drawn = clusters.sample(points, 5, seed=11)
    assert drawn.shape == (1280, 6)
    part.train(drawn)
    np.testing.assert_array_equal(whole.centroids, part.centroids)


def test_a_file_in_blocks_gives_what_an_array_gives(tmp_path, monkeypatch):
    points = points_of(9000)
    centroids, assignment = clusters.cluster(points, 9, seed=4)
    monkeypatch.setattr(feature_store, "BLOCK_BYTES", 1000)  # samples by few, others by 4096
    again = clusters.cluster(rows(tmp_path, points), 9, seed=4)
    np.testing.assert_array_equal(again[0], centroids)
    np.testing.assert_array_equal(again[1], assignment)


def test_a_sample_that_would_not_fit_is_smaller(monkeypatch):
    monkeypatch.setattr(clusters, "SAMPLE_BYTES", 4 * 6 * 100)
    assert clusters.sample(points_of(3000), 5, seed=0).shape == (100, 6)
    assert clusters.sample(points_of(3000), 200, seed=0).shape == (200, 6)  # never below one each
    assert clusters.cluster(points_of(3000), 5, seed=0)[0].shape == (5, 6)


@pytest.mark.parametrize("block", [24, 1000, 10**9])
def test_the_mean_of_blocks(monkeypatch, block):
    monkeypatch.setattr(feature_store, "BLOCK_BYTES", block)
    points = points_of(333) + 1000
    np.testing.assert_allclose(
        clusters.mean(points), points.mean(axis=0, dtype=np.float64), rtol=1e-7
    )
