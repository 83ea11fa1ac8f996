"""The neighbour search against brute force, and its rules on copies and small clusters."""

import numpy as np
import pytest

from lorbms_tf.errors import UserError
from tfrecords_tools import in_cluster, neighbours


def features_of(num_images, dimension=8, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return (scale * rng.normal(size=(num_images, 4, dimension))).astype(np.float32)


def names(num_images):
    return [f"photo{i}" for i in range(num_images)]


def brute_force(points, admissible, k):
    """points [N, D], admissible bool [N, N] -> indices and squared distances [N, k], in float64."""
    points = points.astype(np.float64)
    squared = np.stack([((points - point) ** 2).sum(axis=1) for point in points])
    squared[~admissible] = np.inf
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(squared, order, axis=1)


def test_one_cluster_is_brute_force():
    features = features_of(2000, dimension=16) + 100.0  # an offset that naive float32 would feel
    ids = names(2000)
    found = neighbours.search(features, ids, ids, num_clusters=1)
    assert found.indices.dtype == np.int32 and found.distances.dtype == np.float32
    admissible = ~np.eye(2000, dtype=bool)
    for q in range(4):
        order, squared = brute_force(features[:, q], admissible, 10)
        np.testing.assert_array_equal(found.indices[:, q], order)
        np.testing.assert_allclose(found.distances[:, q], squared, rtol=1e-6)
    assert found.cluster_sizes == [[2000]] * 4
    assert found.left_cluster.tolist() == [0, 0, 0, 0]


def test_small_blocks_change_nothing(monkeypatch):
    features, ids = features_of(300), names(300)
    whole = neighbours.search(features, ids, ids, num_clusters=3)
    monkeypatch.setattr(in_cluster, "BLOCK_ELEMENTS", 700)
    parts = neighbours.search(features, ids, ids, num_clusters=3)
    np.testing.assert_array_equal(whole.indices, parts.indices)


def test_more_clusters_are_searched_one_by_one():
    features, ids = features_of(1500, dimension=4), names(1500)
    found = neighbours.search(features, ids, ids, num_clusters=12, seed=5)
    for q in range(4):
        centroids, assignment = neighbours.cluster(
            np.ascontiguousarray(features[:, q]), 12, seed=5 + q
        )
        assert np.bincount(assignment, minlength=12).tolist() == found.cluster_sizes[q]
        nearest = ((features[:, q, None] - centroids) ** 2).sum(axis=2).argmin(axis=1)
        np.testing.assert_array_equal(assignment, nearest)
        admissible = (assignment[:, None] == assignment[None]) & ~np.eye(1500, dtype=bool)
        order, _ = brute_force(features[:, q], admissible, 10)
        enough = admissible.sum(axis=1) >= 10
        assert enough.mean() > 0.9
        np.testing.assert_array_equal(found.indices[enough, q], order[enough])
        assert found.left_cluster[q] == pytest.approx(1 - enough.mean())


def test_quadrants_are_searched_apart():
    features, ids = features_of(60), names(60)
    alone = neighbours.search(np.repeat(features[:, 2:3], 4, axis=1), ids, ids, num_clusters=1)
    found = neighbours.search(features, ids, ids, num_clusters=1)
    np.testing.assert_array_equal(found.indices[:, 2], alone.indices[:, 0])
    assert (found.indices[:, 0] != found.indices[:, 1]).any()


def test_never_itself_nor_the_same_photo_nor_a_copy():
    # 40 photos in three versions each, every version with the same features: the nearest images
    # are exactly those that must not be taken. Photos 0 and 1 are copies under two ids.
    features = np.repeat(features_of(40), 3, axis=0)
    features[3:6] = features[0:3]
    photo = np.repeat(np.arange(40), 3)
    content = np.where(photo == 1, 0, photo)
    found = neighbours.search(features, photo.astype(str), content.astype(str), num_clusters=4)
    assert (photo[found.indices] != photo[:, None, None]).all()
    assert (content[found.indices] != content[:, None, None]).all()


def test_never_the_same_picture_of_another_photo():
    features = np.repeat(features_of(20), 2, axis=0)
    features[7] = features[2]
    pictures = np.arange(40)
    pictures[7] = 2  # photo 3 mirrored is photo 1 as it is
    ids = np.repeat(np.arange(20), 2).astype(str)
    found = neighbours.search(features, ids, ids, image_hashes=pictures.astype(str))
    assert 7 not in found.indices[2] and 2 not in found.indices[7]
    assert 7 in neighbours.search(features, ids, ids).indices[2, 0]
    with pytest.raises(UserError, match="'0' has 0 admissible"):
        neighbours.search(features, ids, ids, image_hashes=["same"] * 40)


def test_tiny_clusters_go_on_in_the_next_nearest(monkeypatch):
    # Groups of 6 on a line at 0, 100, 210, 330, ...: the 10 nearest of a point of the first group
    # are its 5 fellows and 5 of the second group; further groups are not needed.
    places = np.cumsum([0, 100, 110, 120, 130])
    offsets = np.arange(6) * 0.5
    line = (places[:, None] + offsets).reshape(-1)
    features = np.zeros([30, 4, 2], np.float32)
    features[:, :, 0] = line[:, None]
    ids = names(30)
    groups = np.arange(30) // 6
    centroids = np.stack([features[groups == c, 0].mean(axis=0) for c in range(5)])
    monkeypatch.setattr(neighbours, "cluster", lambda *_, **__: (centroids, groups))
    found = neighbours.search(features, ids, ids, num_clusters=5)
    assert found.cluster_sizes == [[6] * 5] * 4
    assert found.left_cluster.tolist() == [1, 1, 1, 1]
    assert found.indices[0, 0].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert found.indices[29, 3].tolist() == [28, 27, 26, 25, 24, 23, 22, 21, 20, 19]
    assert found.distances[0, 0, :6].tolist() == [0.25, 1, 2.25, 4, 6.25, 10000]


def test_as_many_clusters_as_images_still_finds_ten():
    features, ids = features_of(40, dimension=3), names(40)
    found = neighbours.search(features, ids, ids, num_clusters=1000)
    assert found.left_cluster.min() > 0.9
    for i in range(40):
        for q in range(4):
            assert i not in found.indices[i, q]
            assert len(set(found.indices[i, q].tolist())) == 10
    assert (np.diff(found.distances, axis=2) >= 0).all()


def test_ties_go_to_the_lower_index():
    ids = names(25)
    found = neighbours.search(np.ones([25, 4, 3], np.float32), ids, ids, num_clusters=1)
    assert found.indices[0, 0].tolist() == list(range(1, 11))
    assert found.indices[24, 3].tolist() == list(range(10))
    assert not found.distances.any()


def test_identical_features_survive_many_clusters():
    ids = names(25)
    found = neighbours.search(np.ones([25, 4, 3], np.float32), ids, ids, num_clusters=5)
    assert not found.distances.any()


def test_near_duplicates_far_from_the_origin_keep_their_order():
    features = np.full([30, 4, 64], 1000.0, np.float32)
    features[:, :, 0] += np.arange(30)[:, None] * np.float32(0.01)
    ids = names(30)
    found = neighbours.search(features, ids, ids, num_clusters=1)
    assert found.indices[0, 0].tolist() == list(range(1, 11))
    assert (found.distances > 0).all()


def test_same_seed_same_answer():
    features, ids = features_of(400), names(400)
    first = neighbours.search(features, ids, ids, num_clusters=9, seed=3)
    second = neighbours.search(features, ids, ids, num_clusters=9, seed=3)
    np.testing.assert_array_equal(first.indices, second.indices)
    np.testing.assert_array_equal(first.distances, second.distances)


def test_eleven_photos_are_enough_and_ten_are_not():
    ids = names(11)
    found = neighbours.search(features_of(11), ids, ids)
    assert sorted(found.indices[4, 2].tolist()) == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10]
    with pytest.raises(UserError, match="10 different ones.*at least 11 are needed.*photo0.*9"):
        neighbours.search(features_of(10), names(10), names(10))
    with pytest.raises(UserError, match="0 different"):
        neighbours.search(np.zeros([0, 4, 3], np.float32), [], [])


def test_copies_do_not_count_as_photos():
    contents = names(11)
    contents[7] = contents[3]
    with pytest.raises(UserError, match="there are 10 different ones.*'photo3' has 9"):
        neighbours.search(features_of(11), names(11), contents)


def test_features_that_are_not_finite_are_refused():
    features = features_of(20)
    features[6, 1, 2] = np.nan
    with pytest.raises(UserError, match="photo6.*not finite"):
        neighbours.search(features, names(20), names(20))


def test_arguments_that_do_not_fit():
    with pytest.raises(ValueError, match=r"\[N, 4, D\]"):
        neighbours.search(np.zeros([20, 3, 5]), names(20), names(20))
    with pytest.raises(ValueError, match="20 images, but 19"):
        neighbours.search(features_of(20), names(19), names(20))
    with pytest.raises(ValueError, match="num_clusters"):
        neighbours.search(features_of(20), names(20), names(20), num_clusters=-1)


def test_automatic_number_of_clusters():
    assert neighbours.resolve_num_clusters(0, 12) == 1
    assert neighbours.resolve_num_clusters(0, 338_865) == 678
    assert neighbours.resolve_num_clusters(2000, 100) == 100
    assert neighbours.resolve_num_clusters(7, 100) == 7
