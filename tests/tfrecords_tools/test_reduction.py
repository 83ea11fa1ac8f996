import numpy as np
import pytest

from lorbms_tf.errors import UserError
from tfrecords_tools import reduction
from tfrecords_tools.feature_store import FeatureFile


def decaying(num_vectors=400, width=60, seed=0):
    """Vectors whose variance falls from direction to direction, around a mean that is not 0."""
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.normal(size=(width, width)))[0]
    scales = 0.8 ** np.arange(width)
    return (rng.normal(size=(num_vectors, width)) * scales @ rotation + 5).astype(np.float32)


def test_the_directions_are_those_of_the_full_decomposition():
    vectors = decaying()
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, strengths, directions = np.linalg.svd(centred, full_matrices=False)
    found = reduction.fit(vectors, 8, seed=3)
    np.testing.assert_allclose(np.abs(directions[:8] @ found.components), np.eye(8), atol=2e-3)
    np.testing.assert_allclose(found.components.T @ found.components, np.eye(8), atol=1e-5)
    kept = (strengths[:8] ** 2).sum() / (strengths**2).sum()
    assert found.explained == pytest.approx(kept, rel=1e-4)


def test_all_directions_keep_all_distances():
    vectors = decaying(num_vectors=200, width=20)
    found = reduction.fit(vectors, 20, seed=0)
    made = reduction.transform(vectors, found, normalize=False)
    assert found.explained == pytest.approx(1, abs=1e-5)
    between = ((vectors[:50, None] - vectors[None, :50]) ** 2).sum(axis=2)
    np.testing.assert_allclose(
        ((made[:50, None] - made[None, :50]) ** 2).sum(axis=2), between, atol=1e-3
    )


def test_the_same_seed_gives_the_same_projection():
    first, again = reduction.fit(decaying(), 5, seed=1), reduction.fit(decaying(), 5, seed=1)
    np.testing.assert_array_equal(first.components, again.components)


@pytest.mark.parametrize("dimension", [61, 500])
def test_more_components_than_there_are(dimension):
    with pytest.raises(UserError, match=f"--pca={dimension} is more than.* 60 components.*400"):
        reduction.fit(decaying(), dimension, seed=0)
    with pytest.raises(UserError, match="the 30 quadrants"):
        reduction.fit(decaying(30), 31, seed=0)


def test_equal_vectors_have_no_directions():
    found = reduction.fit(np.ones([20, 6], np.float32), 2, seed=0)
    assert found.explained == 1
    assert not reduction.transform(np.ones([3, 6], np.float32), found, normalize=True).any()


def test_length_one_and_zero_stays_zero():
    vectors = np.array([[3, 4], [0, 0], [-2, 0]], np.float32)
    made = reduction.transform(vectors, None, normalize=True)
    np.testing.assert_allclose(made, [[0.6, 0.8], [0, 0], [-1, 0]], rtol=1e-6)
    assert reduction.transform(vectors, None, normalize=False) is vectors


@pytest.mark.parametrize("normalize", [False, True])
def test_a_file_is_reduced_block_by_block(tmp_path, monkeypatch, normalize):
    vectors = decaying(400).reshape(100, 4, 60)
    file = FeatureFile.create(tmp_path / "a.npy", 100, 60, "float32")
    file.write(0, vectors)
    expected = reduction.fit(reduction.sample(file, 10**6, 7), 6, 7)
    monkeypatch.setattr(reduction.feature_store, "BLOCK_BYTES", 4 * 60 * 4 * 33)
    explained = reduction.reduce(
        file,
        lambda d: FeatureFile.create(tmp_path / "b.npy", 100, d, "float32"),
        6,
        normalize,
        seed=7,
    )
    assert explained == expected.explained
    made = FeatureFile.open(tmp_path / "b.npy")
    assert made.shape == (100, 4, 6)
    for q in range(4):
        np.testing.assert_allclose(
            made.quadrant(q)[:],
            reduction.transform(vectors[:, q], expected, normalize),
            atol=1e-5,
        )


def test_the_sample_takes_from_every_quadrant(tmp_path):
    file = FeatureFile.create(tmp_path / "a.npy", 50, 1, "float32")
    file.write(0, np.arange(200, dtype=np.float32).reshape(50, 4, 1))
    drawn = reduction.sample(file, 40, seed=0)[:, 0].astype(int)
    assert len(set(drawn)) == 40 and np.bincount(drawn % 4).tolist() == [10] * 4
    assert len(reduction.sample(file, 10**6, seed=0)) == 200
