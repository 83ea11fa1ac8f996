"""The exact k nearest of each image within its cluster, by matrix products, in bounded memory.

Products of float32 give squared distances with a known error; what may be among the k best is then
measured again exactly. One cluster of one quadrant is in memory at a time, and of a cluster that
is too large for that, a part.
"""

import numpy as np

from tfrecords_tools import feature_store

BLOCK_ELEMENTS = 16_000_000  # largest matrix of distances that is held at once
CLUSTER_BYTES = 2**30  # of float32: a larger cluster is read in parts, several times

# A float32 matrix product errs by about sqrt(D) * 6e-8 of the norms (D = 9216: 6e-6). All images
# within this margin of the k-th are measured again exactly, so that the k best truly are.
PRODUCT_ERROR = 2e-5


class _Members:
    """The images of one cluster, ascending, and their vectors, held where they are few enough."""

    def __init__(self, points, inside):
        self.inside = inside  # [M]
        self._points = points
        fits = 4 * len(inside) * points.shape[1] <= CLUSTER_BYTES
        self._held = points[inside] if fits else None

    def vectors(self, positions):
        """Those at some places of `inside`: slice or indices -> float32 [n, D]."""
        if self._held is not None:
            return self._held[positions]
        return self._points[self.inside[positions]]

    def tiles(self):
        """Slices of all places, each of which may be held in memory."""
        if self._held is not None:
            return [slice(0, len(self.inside))]
        return list(feature_store.blocks(len(self.inside), self._points.shape[1]))


def search(points, centroids, assignment, identity, k, queries=None):
    """Yields (image, k indices, k squared distances, whether it left its cluster), by cluster.

    Args:
      points: [N, D], as `clusters.cluster` takes it.
      centroids: float32 [C, D].
      assignment: int [N], the cluster of each image.
      identity: int [L, N]; images that share any of the L labels are never each other's.
      k: how many neighbours.
      queries: bool [N], the images whose neighbours are looked for; None for all.

    Ties go to the lower index. An image with fewer than k admissible others in its cluster is
    searched for in the next nearest clusters too, until there are k.
    """
    order = np.argsort(assignment, kind="stable")
    starts = np.searchsorted(assignment[order], np.arange(len(centroids) + 1))
    clusters = [order[starts[c] : starts[c + 1]] for c in range(len(centroids))]  # each ascending
    for c, inside in enumerate(clusters):
        asked = np.arange(len(inside)) if queries is None else np.flatnonzero(queries[inside])
        if not len(asked):
            continue
        for i, near in search_one(points, inside, asked, centroids[c], identity, k):
            left = near is None
            if left:
                near = search_wider(points, i, c, centroids, clusters, identity, k)
            yield i, *near, left


def search_one(points, inside, asked, centroid, identity, k):
    """Yields (image, (k indices, k squared distances)) for images of one cluster.

    None instead of the pair where the cluster holds fewer than k admissible others. inside: int
    [M], the images of the cluster, ascending; asked: places in it. The others as for `search`.
    """
    members = _Members(points, inside)
    for position, candidates in _candidates(members, asked, centroid, identity, k):
        i, near = inside[position], None
        if candidates is not None:
            point = members.vectors(np.array([position]))[0]
            best, squared = _k_best(
                point, candidates, lambda part, p=candidates: members.vectors(p[part]), k
            )
            near = inside[best], squared
        yield i, near


def search_wider(points, i, own, centroids, clusters, identity, k):
    """The k nearest of image i in its own and the next nearest clusters: indices, distances [k].

    clusters: gives the images of a cluster, int [M] ascending, by its number. Others as `search`.
    """
    point = points[np.array([i])][0]
    wider = _widen(point, i, own, centroids, clusters, identity, k)
    return _k_best(point, wider, lambda part: points[wider[part]], k)


def _candidates(members, asked, centroid, identity, k):
    """Yields (place, the places of all that may be among its k best), for some places of a cluster.

    None instead of places where the cluster holds fewer than k admissible others.
    """
    inside, tiles = members.inside, members.tiles()
    norms = np.concatenate([_norms(members.vectors(tile) - centroid) for tile in tiles])  # [M]
    largest = max(tile.stop - tile.start for tile in tiles)
    step = max(1, BLOCK_ELEMENTS // largest)
    if len(tiles) > 1:  # each block of rows reads the whole cluster: as many rows as may be held
        step = max(step, CLUSTER_BYTES // (4 * len(centroid)))
    for start in range(0, len(asked), step):
        rows = asked[start : start + step]
        centred = members.vectors(rows) - centroid  # [R, D]; small norms keep the products exact
        margins = PRODUCT_ERROR * (norms[rows] + norms.max())  # [R]
        best = np.full([len(rows), k], np.inf, np.float32)
        found = []
        for tile in tiles:
            others = members.vectors(tile) - centroid  # [T, D]
            part = max(1, BLOCK_ELEMENTS // len(others))
            for low in range(0, len(rows), part):
                some = slice(low, low + part)
                near = norms[rows[some], None] - 2 * (centred[some] @ others.T) + norms[tile]
                near[alike(identity, inside[rows[some]], inside[tile])] = np.inf
                both = np.concatenate([best[some], near], axis=1)
                best[some] = np.partition(both, k - 1, axis=1)[:, :k]
                limits = best[some].max(axis=1) + margins[some]  # [r]
                r, t = np.nonzero((near <= limits[:, None]) & np.isfinite(near))
                found.append((low + r, tile.start + t, near[r, t]))
        yield from _by_row(rows, found, best.max(axis=1), margins)


def _by_row(rows, found, bounds, margins):
    """What the tiles have found, sorted by row, without what a later tile has beaten."""
    row, place, near = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    good = near <= (bounds + margins)[row]
    row, place = row[good], place[good]
    order = np.lexsort([place, row])
    places = np.split(place[order], np.searchsorted(row[order], np.arange(1, len(rows))))
    for position, bound, candidates in zip(rows, bounds, places, strict=True):
        yield position, candidates if np.isfinite(bound) else None


def _norms(vectors):
    """Squared lengths. [n, D] -> [n]."""
    return np.einsum("nd,nd->n", vectors, vectors)


def alike(identity, rows, columns):
    """True where two images share any of their labels. -> bool [rows, columns]."""
    shared = np.zeros([len(rows), len(columns)], bool)
    for codes in identity:
        shared |= codes[rows, None] == codes[None, columns]
    return shared


def _widen(point, i, own, centroids, clusters, identity, k):
    """At least k admissible images, from its own cluster and the next nearest. -> int64 [n]."""
    to_centroids = ((centroids - point) ** 2).sum(axis=1)  # [C]
    to_centroids[own] = -1  # its own cluster comes first
    found, count = [], 0
    for c in np.argsort(to_centroids, kind="stable"):
        inside = clusters[c]
        inside = inside[~alike(identity, np.array([i]), inside)[0]]
        found.append(inside)
        count += len(inside)
        if count >= k:
            break
    return np.sort(np.concatenate(found))


def _k_best(point, candidates, vectors, k):
    """Exact squared distances to a point, in ascending order: candidates, distances [k].

    vectors: gives the float32 [n, D] of a slice of the candidates.
    """
    squared = np.empty(len(candidates), np.float64)
    for part in feature_store.blocks(len(candidates), len(point)):
        difference = vectors(part).astype(np.float64) - point  # [n, D]
        squared[part] = np.einsum("nd,nd->n", difference, difference)
    best = np.argsort(squared, kind="stable")[:k]  # stable: ties by the lower index
    return candidates[best], squared[best]
