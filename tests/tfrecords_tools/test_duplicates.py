import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from lorbms_tf.data.images import encode_jpeg
from tests.tfrecords_tools import making
from tfrecords_tools import build, duplicates
from tfrecords_tools.duplicates import groups, perceptual_hash


def scene(seed, height=120, width=160):
    """Something like a photo: coloured clouds of many sizes."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3))
    for size in (3, 6, 12, 24):
        cloud = rng.integers(0, 256, (size, size, 3), np.uint8)
        total += np.asarray(Image.fromarray(cloud).resize((width, height)), float) / size
    return ((total - total.min()) / np.ptp(total) * 255).astype(np.uint8)


def re_encoded(photo, quality):
    return np.asarray(Image.open(io.BytesIO(encode_jpeg(photo, quality=quality))))


def resized(photo, width, height):
    return np.asarray(Image.fromarray(photo).resize((width, height)))


def test_copies_are_near_and_others_are_not():
    photos = [scene(seed) for seed in range(30)]
    copies = [re_encoded(photos[3], 40), resized(photos[5], 100, 80), resized(photos[5], 320, 240)]
    found = groups([perceptual_hash(photo) for photo in photos + copies], max_bits=16)
    assert found.tolist() == [*range(30), 3, 5, 5]


def test_simple_pictures_that_share_a_hash_are_told_apart_by_their_colours():
    colours = [(0, 0, 0), (255, 255, 255), (200, 30, 30), (30, 30, 200)]
    flat = [np.full((50, 50, 3), colour, np.uint8) for colour in colours]
    hashes = [perceptual_hash(picture) for picture in flat]
    assert len({value[: duplicates.HASH_BYTES] for value in hashes}) < 4
    assert groups(hashes, 16).tolist() == [0, 1, 2, 3]
    assert groups([hashes[2], hashes[1], hashes[2]], 0).tolist() == [0, 1, 0]


def code(bits):
    """A hash with some bits set, and a black thumbnail."""
    values = np.zeros(duplicates.BITS, bool)
    values[list(bits)] = True
    return np.packbits(values).tobytes() + bytes(3 * duplicates.THUMBNAIL**2)


def test_the_number_of_bits_is_exact_and_groups_join_by_way_of_others():
    hashes = [code([]), code(range(10)), code(range(20)), code(range(31))]
    assert groups(hashes, 9).tolist() == [0, 1, 2, 3]
    assert groups(hashes, 10).tolist() == [0, 0, 0, 3]  # 0 and 2 by way of 1
    assert groups(hashes, 11).tolist() == [0, 0, 0, 0]
    assert groups([hashes[3], hashes[1], hashes[3]], 0).tolist() == [0, 1, 0]
    assert groups([], 5).tolist() == [] and groups(hashes[:1], 5).tolist() == [0]


def by_all_pairs(hashes, max_bits):
    """What `groups` returns, from every pair."""
    codes = np.stack([np.frombuffer(value, np.uint8) for value in hashes])
    bits = np.unpackbits(codes[:, : duplicates.HASH_BYTES], axis=1)
    thumbnails = codes[:, duplicates.HASH_BYTES :].astype(float)
    found = np.arange(len(codes))
    for a in range(len(codes)):
        near = (bits[a] != bits).sum(axis=1) <= max_bits
        near &= np.abs(thumbnails[a] - thumbnails).mean(axis=1) <= duplicates.THUMBNAIL_DIFFERENCE
        joined = np.unique(found[near])
        found[np.isin(found, joined)] = joined[0]
    return found


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(duplicates, "QUERIES", 64)
    monkeypatch.setattr(duplicates, "PAIRS", 50)


@pytest.mark.parametrize("max_bits", [0, 12, 31, 32, 60])
def test_against_all_pairs(small_blocks, max_bits):
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (300, 256)) > 0
    bits[100:200] = bits[:100]
    for row in bits[100:200]:
        row[rng.choice(256, rng.integers(0, 2 * max_bits + 1), replace=False)] ^= True
    hashes = [code(np.flatnonzero(row)) for row in bits]
    expected = by_all_pairs(hashes, max_bits)
    assert (np.bincount(expected) > 1).sum() > 30
    np.testing.assert_array_equal(groups(hashes, max_bits), expected)


def test_pictures_of_flat_colours_against_all_pairs(small_blocks):
    rng = np.random.default_rng(0)
    colours = [*rng.integers(0, 256, (100, 3)), *rng.integers(200, 256, (50, 3))]
    flat = [np.full((32, 32, 3), colour, np.uint8) for colour in colours]
    halves = [
        np.where(np.arange(32)[:, None, None] < 16, a, b)
        for a, b in zip(flat[:-1], flat[1:], strict=True)
    ]
    photos = [scene(seed, 60, 80) for seed in range(20)]
    some = [flat[3], flat[7], re_encoded(halves[5], 40), re_encoded(photos[2], 40)]
    hashes = [perceptual_hash(picture) for picture in flat + halves + photos + some]
    hashes = [hashes[place] for place in rng.permutation(len(hashes))]
    expected = by_all_pairs(hashes, 16)
    assert 1 < np.bincount(expected).max() < 100
    np.testing.assert_array_equal(groups(hashes, 16), expected)


def test_many_that_share_a_hash_take_little_memory():
    colours = np.random.default_rng(0).integers(0, 256, (1500, 1, 3), np.uint8)
    thumbnails = np.repeat(colours, duplicates.THUMBNAIL**2, axis=1)
    hashes = [bytes(duplicates.HASH_BYTES) + thumbnail.tobytes() for thumbnail in thumbnails]
    tracemalloc.start()
    groups(hashes, 16)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6  # all pairs at once are 100 MB


def test_counts_and_examples():
    found = duplicates.report(["a", "b", "c", "d", "e", "f"], [1, 2, 1, 3, 1, 2])
    assert found == {
        "groups": 2,
        "photos": 5,
        "largest_group": 3,
        "examples": [["a", "c"], ["b", "f"], ["c", "e"]],
    }
    assert duplicates.report(["a", "b"], ["x", "y"])["examples"] == []
    assert duplicates.report([], [])["largest_group"] == 0


@pytest.mark.parametrize("max_bits", [16, -1])
def test_a_build_keeps_re_encoded_copies_apart_and_counts_them(tmp_path, quick_features, max_bits):
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed in range(14):
        Image.fromarray(scene(seed)).save(folder / f"p{seed:02d}.png")
    Image.fromarray(scene(3)).save(folder / "q.jpg", quality=50)
    dataset = build.build(making.build_config(folder, near_duplicates=max_bits))
    candidates = {
        record.photo_id: {name for row in record.candidate_ids for name in row}
        for record in making.read_all(tmp_path / "out")
    }
    if max_bits < 0:
        assert "near_duplicates" not in dataset["duplicates"]
        assert "q.jpg" in candidates["p03.png"]
        return
    assert "q.jpg" not in candidates["p03.png"] and "p03.png" not in candidates["q.jpg"]
    assert dataset["duplicates"]["near_duplicates"] == {
        "max_bits": 16,
        "groups": 1,
        "photos": 2,
        "largest_group": 2,
        "examples": [["p03.png", "q.jpg"]],
    }
