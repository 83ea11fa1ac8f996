"""The search in parts, from a file, against brute force over whole arrays."""

import numpy as np
import pytest

from tfrecords_tools import feature_store, in_cluster, neighbours
from tfrecords_tools.feature_store import FeatureFile


def features_with_ties(num_images=400, dimension=12):
    """Many of the vectors are equal, and most lie on a coarse grid, so that ties abound."""
    rng = np.random.default_rng(5)
    features = rng.integers(-2, 3, (num_images, 4, dimension)).astype(np.float32)
    features[: num_images // 3] = features[0]
    features[-50:] += rng.normal(size=(50, 4, dimension)).astype(np.float32)
    return features


def brute_force(points, allowed, k):
    squared = ((points[:, None].astype(np.float64) - points[None]) ** 2).sum(axis=2)
    squared[~allowed] = np.inf
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(squared, order, axis=1)


def stored(tmp_path, features, dtype="float32"):
    file = FeatureFile.create(tmp_path / "f.npy", len(features), features.shape[2], dtype)
    file.write(0, features)
    return file


@pytest.fixture
def little_memory(monkeypatch):
    """So little that clusters are read in several parts, and rows are searched by few."""
    monkeypatch.setattr(in_cluster, "CLUSTER_BYTES", 4 * 12 * 150)
    monkeypatch.setattr(in_cluster, "BLOCK_ELEMENTS", 2000)
    monkeypatch.setattr(feature_store, "BLOCK_BYTES", 4 * 12 * 70)


@pytest.mark.parametrize("dtype", feature_store.DTYPES)
def test_ties_and_parts_against_brute_force(tmp_path, little_memory, dtype):
    features = features_with_ties()
    file = stored(tmp_path, features, dtype)
    features = features.astype(dtype).astype(np.float32)
    photo = np.arange(400) // 2
    ids = photo.astype(str)
    found = neighbours.search(file, ids, ids, num_clusters=1)
    allowed = photo[:, None] != photo[None]
    for q in range(4):
        order, squared = brute_force(features[:, q], allowed, 10)
        np.testing.assert_array_equal(found.indices[:, q], order)
        np.testing.assert_allclose(found.distances[:, q], squared, rtol=1e-6)


def test_a_file_gives_what_an_array_gives_also_where_clusters_are_left(tmp_path, little_memory):
    features = features_with_ties(300)
    ids = [str(i) for i in range(300)]
    whole = neighbours.search(features, ids, ids, num_clusters=20, seed=2)
    found = neighbours.search(stored(tmp_path, features), ids, ids, num_clusters=20, seed=2)
    assert whole.left_cluster.min() > 0
    np.testing.assert_array_equal(found.indices, whole.indices)
    np.testing.assert_array_equal(found.distances, whole.distances)
    np.testing.assert_array_equal(found.left_cluster, whole.left_cluster)


def test_some_images_are_asked_for():
    features = features_with_ties(300)
    identity = np.arange(300)[None]
    clustered = neighbours.cluster_all(features, 3, 0)
    queries = np.arange(300) % 7 == 0
    whole = neighbours.search_all(features, clustered, identity, 10)
    found = neighbours.search_all(features, clustered, identity, 10, queries=queries)
    np.testing.assert_array_equal(found.indices[queries], whole.indices[queries])
    assert not found.indices[~queries].any()
