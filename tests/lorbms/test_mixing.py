import itertools

import numpy as np
import pytest
from keras import ops

from lorbms_tf.data import quadrants
from lorbms_tf.lorbms import mixing


def mask_of(distances, tau):
    return np.asarray(mixing.replacement_mask(np.array([distances], np.float32), tau))[0].tolist()


def rule(distances, tau):
    """Algorithm 1's rule in plain Python: kept iff (farthest or beyond tau) and not nearest."""
    nearest = min(range(4), key=lambda i: (distances[i], i))
    farthest = max(range(4), key=lambda i: (distances[i], i))
    return [not ((i == farthest or distances[i] > tau) and i != nearest) for i in range(4)]


@pytest.mark.parametrize(
    "distances, tau, expected",
    [
        ([1, 2, 3, 4], 10, [True, True, True, False]),  # only the farthest is kept
        ([1, 2, 3, 4], 0, [True, False, False, False]),  # the nearest is replaced even beyond tau
        ([1, 2, 3, 4], 2, [True, True, False, False]),  # exactly tau is replaced
        ([5, 5, 5, 5], 10, [True, True, True, False]),  # all equal: lowest nearest, highest far
        ([5, 5, 5, 5], 0, [True, False, False, False]),
        ([4, 1, 4, 1], 9, [True, True, False, True]),  # ties: nearest is q2, farthest q3
        ([0, 0, 0, 0], 0, [True, True, True, False]),
        ([9, 8, 7, 1], float("inf"), [False, True, True, True]),
    ],
)
def test_masks_known_by_hand(distances, tau, expected):
    assert mask_of(distances, tau) == expected


@pytest.mark.parametrize("tau", [0.0, 1.0, 2.0, 16000.0, float("inf")])
def test_every_order_with_ties_follows_the_rule_and_replaces_one_to_three(tau):
    distances = np.array(list(itertools.product([0.0, 1.0, 2.0, 3.0], repeat=4)), np.float32)
    mask = np.asarray(mixing.replacement_mask(distances, tau))
    assert mask.tolist() == [rule(row.tolist(), tau) for row in distances]
    assert set(mask.sum(axis=1)) <= {1, 2, 3}


def test_random_distances_replace_one_to_three():
    distances = np.random.default_rng(0).exponential(16000, (2000, 4)).astype(np.float32)
    count = np.asarray(mixing.replacement_mask(distances, 16000.0)).sum(axis=1)
    assert count.min() == 1 and count.max() == 3 and 2 in count


def test_only_chunk_i_of_candidate_i_is_used():
    codes = np.arange(2 * 4 * 2 * 2 * 3, dtype=np.float32).reshape(2, 4, 2, 2, 3)
    picked = np.asarray(mixing.candidate_chunks(codes))
    for i in range(4):
        np.testing.assert_array_equal(picked[:, i], codes[:, i, i // 2, i % 2])


def test_mixed_code_has_each_chunk_from_its_source():
    reference = np.zeros((1, 2, 2, 2), np.float32)
    replacements = np.array([[[1, 1], [2, 2], [3, 3], [4, 4]]], np.float32)
    mixed = mixing.mix_codes(reference, replacements, np.array([quadrants.parse_mask("0110")]))
    np.testing.assert_array_equal(np.asarray(mixed)[0], [[[0, 0], [2, 2]], [[3, 3], [0, 0]]])


def test_cycle_takes_the_kept_chunks_from_the_second_encoding():
    reference = np.full((1, 2, 2, 1), 7, np.float32)
    again = np.full((1, 2, 2, 1), -1, np.float32)
    cycle = mixing.cycle_codes(reference, again, np.array([quadrants.parse_mask("1000")]))
    np.testing.assert_array_equal(np.asarray(cycle)[0, :, :, 0], [[7, -1], [-1, -1]])


def test_labels_have_the_replaced_bits_on_the_diagonal_and_nothing_else():
    mask = np.array([[True, False, True, False], [False, False, False, True]])
    labels = np.asarray(mixing.classifier_labels(mask))
    np.testing.assert_array_equal(labels[0], np.diag([1, 0, 1, 0]))
    np.testing.assert_array_equal(labels[1], np.diag([0, 0, 0, 1]))


def test_pasting_takes_the_same_quadrant_of_each_candidate():
    reference = np.zeros((1, 4, 4, 3), np.float32)
    candidates = np.stack([np.full((4, 4, 3), i + 1, np.float32) for i in range(4)])[None]
    pasted = np.asarray(
        mixing.paste_quadrants(reference, candidates, np.array([quadrants.parse_mask("0101")]))
    )
    np.testing.assert_array_equal(
        pasted[0, :, :, 0], [[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 4, 4], [0, 0, 4, 4]]
    )


def test_mixing_is_differentiable_only_through_the_chosen_chunks():
    import tensorflow as tf

    reference, replacements = tf.ones((1, 2, 2, 1)), tf.ones((1, 4, 1))
    mask = tf.constant([quadrants.parse_mask("0010")])
    with tf.GradientTape() as tape:
        tape.watch([reference, replacements])
        total = ops.sum(mixing.mix_codes(reference, replacements, mask))
    kept, taken = tape.gradient(total, [reference, replacements])
    np.testing.assert_array_equal(np.asarray(kept)[0, :, :, 0], [[1, 1], [0, 1]])
    np.testing.assert_array_equal(np.asarray(taken)[0, :, 0], [0, 0, 1, 0])
