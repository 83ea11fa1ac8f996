"""Photos that are nearly the same: re-encoded or resized copies of each other under other names.

Two photos are near-duplicates where their perceptual hashes (imagehash's phash, 256 bits) differ in
few bits and their thumbnails in little: simple pictures, of flat colours or a single edge, may
share a hash. Measured on 2098 COCO photos, 1000 of ADE20K and 4000 synthesized scenes: a copy at
JPEG quality 40 differs in at most 10 bits and one of three quarters of the size in at most 4 (every
tenth photo); no two different photos or scenes of one set differ in fewer than 57.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import faiss
import imagehash
import numpy as np
from PIL import Image

HASH_SIDE = 16
BITS = HASH_SIDE**2
HASH_BYTES = BITS // 8
THUMBNAIL = 8  # pixels a side
THUMBNAIL_DIFFERENCE = 8  # of 255, on average over the thumbnail: as much as copies may differ
NUM_EXAMPLES = 5  # pairs that are remembered
QUERIES = 1024  # hashes that are compared with all others at a time
PAIRS = 2**14  # thumbnails that are compared at a time
SHORTEST_PART, LONGEST_PART = 8, 32  # bits of a hash that are looked up at once


def perceptual_hash(photo: np.ndarray) -> bytes:
    """uint8 RGB [H, W, 3] -> 32 bytes of hash, then the 192 of an 8 x 8 thumbnail."""
    picture = Image.fromarray(photo)
    bits = imagehash.phash(picture, hash_size=HASH_SIDE).hash
    thumbnail = picture.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return np.packbits(bits).tobytes() + thumbnail.tobytes()


def groups(hashes: Sequence[bytes], max_bits: int) -> np.ndarray:
    """Which photos are nearly the same, directly or by way of others.

    Args:
      hashes: N of `perceptual_hash`.
      max_bits: hashes that differ in at most so many bits belong together, 0 to 255.

    Returns int64 [N], for each photo the least number of a photo in its group. No pair is missed.
    At 16 bits 100,000 photos take 7 s of one core, 340,000 34 s and 0.6 GB; beyond 31 bits every
    hash is compared with every other, by the square of their number.
    """
    if not hashes:
        return np.zeros(0, np.int64)
    codes = np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), -1)
    different, first, inverse = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    bits = np.ascontiguousarray(different[:, :HASH_BYTES])
    thumbnails = different[:, HASH_BYTES:].astype(np.int16)
    most = THUMBNAIL_DIFFERENCE * thumbnails.shape[1]
    root = np.arange(len(different))
    for a, b in _near(bits, max_bits, thumbnails.sum(axis=1), most):
        apart = root[a] != root[b]  # else they are joined already
        a, b = a[apart], b[apart]
        near = np.abs(thumbnails[a] - thumbnails[b]).sum(axis=1) <= most
        for pair in zip(a[near].tolist(), b[near].tolist(), strict=True):
            _join(root, *pair)
    label = np.array([_root(root, a) for a in range(len(root))], np.int64)
    least = np.full(len(root), len(hashes), np.int64)
    np.minimum.at(least, label, first)  # the lowest photo of each group
    return least[label[inverse.reshape(-1)]]


def _near(
    bits: np.ndarray, max_bits: int, sums: np.ndarray, most: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields all pairs that may be near-duplicates, each once, as two int64 [at most PAIRS].

    Args:
      bits: hashes, uint8 [N, HASH_BYTES].
      max_bits: how many bits of a pair differ at most.
      sums: of the thumbnails, int64 [N]; thumbnails differ by no less than their sums do.
      most: by how much the sums of a pair differ at most.
    """
    hashes, which = np.unique(bits, axis=0, return_inverse=True)
    index = _index(max_bits)
    index.add(hashes)
    # By hash, then by sum: so those that may be near lie side by side, also of very many that share
    # a hash, as flat pictures do. 2**16 is more than the largest sum and `most` together.
    place = which.reshape(-1) * 2**16 + sums
    order = np.argsort(place)
    place, sums = place[order], sums[order]
    for start in range(0, len(order), QUERIES):
        block = bits[order[start : start + QUERIES]]
        limits, _, found = index.range_search(block, max_bits + 1)  # what is nearer than that
        row = start + np.repeat(np.arange(len(block)), np.diff(limits.astype(np.int64)))
        middle = found * 2**16 + sums[row]
        low = np.maximum(np.searchsorted(place, middle - most), row + 1)
        high = np.searchsorted(place, middle + most, side="right")
        total = np.cumsum(np.maximum(high - low, 0))
        for begin in range(0, total[-1], PAIRS):
            pair = np.arange(begin, min(begin + PAIRS, total[-1]))
            of = np.searchsorted(total, pair, side="right")
            yield order[row[of]], order[high[of] - total[of] + pair]


def _index(max_bits: int) -> faiss.IndexBinary:
    """An exact index of hashes for ranges of so many bits."""
    parts = max_bits + 1
    if BITS // parts < SHORTEST_PART:
        return faiss.IndexBinaryFlat(BITS)
    # Of one part more than bits differ, one part is equal: only such hashes need be compared.
    return faiss.IndexBinaryMultiHash(BITS, parts, min(BITS // parts, LONGEST_PART))


def find(collected, max_bits: int) -> tuple[list[list], dict[str, Any]]:
    """What images must not share to be each other's candidates, and how often they do.

    Args:
      collected: `items.Collected`, N images.
      max_bits: as for `groups`; -1: near-duplicates are not looked for.

    Returns lists of N labels, the photo ids first (`neighbours.identify`), and counts for JSON.
    """
    ids = [item.photo_id for item in collected.items]
    firsts = [i for i, name in enumerate(ids) if i == 0 or name != ids[i - 1]]
    photo_ids = [ids[i] for i in firsts]
    labels = [ids, collected.content_hashes, collected.image_hashes]
    counted = {
        "same_photo": report(photo_ids, [collected.content_hashes[i] for i in firsts]),
        "same_image": report(ids, collected.image_hashes),
    }
    if max_bits >= 0:
        near = groups([collected.perceptual_hashes[i] for i in firsts], max_bits)
        counted["near_duplicates"] = {"max_bits": max_bits, **report(photo_ids, near)}
        sizes = np.diff([*firsts, len(ids)])
        labels.append(np.repeat(near, sizes).astype(str).tolist())
    return labels, counted


def _root(root: np.ndarray, a: int) -> int:
    while root[a] != a:
        root[a] = root[root[a]]
        a = root[a]
    return int(a)


def _join(root: np.ndarray, a: int, b: int) -> None:
    a, b = _root(root, a), _root(root, b)
    root[max(a, b)] = min(a, b)


def report(photo_ids: Sequence[str], labels: Sequence) -> dict[str, Any]:
    """Counts and examples of groups of photos that bear the same label, ready for JSON.

    Args:
      photo_ids: N photos, each once.
      labels: N values, equal where two photos belong together.
    """
    _, group, sizes = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    several = np.flatnonzero(sizes[group] > 1)  # photos that are not alone
    order = several[np.argsort(group[several], kind="stable")]
    pairs = [(a, b) for a, b in zip(order[:-1], order[1:], strict=True) if group[a] == group[b]]
    return {
        "groups": int((sizes > 1).sum()),
        "photos": len(several),
        "largest_group": int(sizes.max(initial=0)),
        "examples": [[photo_ids[a], photo_ids[b]] for a, b in sorted(pairs)[:NUM_EXAMPLES]],
    }
