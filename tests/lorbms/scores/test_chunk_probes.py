import numpy as np
import pytest

from lorbms_tf.lorbms.scores.chunk_probes import chunk_scores, part_scores


def labels(count=400, classes=3, seed=0):
    return np.random.default_rng(seed).integers(0, classes, (count, 4))


def one_hot(values, classes=3):
    """[N] -> [N, classes], noisy."""
    noise = np.random.default_rng(1).normal(0, 0.1, (len(values), classes))
    return np.eye(classes)[values] + noise


def codes_of(parts):
    """Four chunks [N, C] -> codes [N, 2, 2, C]."""
    return np.stack(parts, axis=1).reshape(len(parts[0]), 2, 2, -1)


def test_chunks_that_hold_their_own_quadrant():
    kinds = labels()
    found = chunk_scores(codes_of([one_hot(kinds[:, i]) for i in range(4)]), {"kind": kinds})[
        "kind"
    ]
    assert found.information.diagonal().min() > 0.95
    assert found.information[~np.eye(4, dtype=bool)].max() < 0.05
    assert found.accuracy.diagonal().min() == 1.0
    assert found.accuracy[~np.eye(4, dtype=bool)].max() < 0.5
    assert np.all((found.chance > 0.2) & (found.chance < 0.5))


def test_parts_that_hold_one_attribute_each():
    rng = np.random.default_rng(3)
    kinds, colours = labels(), labels(seed=1)
    chunks = [
        np.concatenate(
            [one_hot(colours[:, i]), rng.normal(size=(400, 2)), one_hot(kinds[:, i])], axis=1
        )
        for i in range(4)
    ]
    factors = {"kind": kinds, "colour": colours, "same": np.zeros_like(kinds)}
    found = part_scores(codes_of(chunks), factors, [3, 2, 3])
    for name, part in (("kind", 2), ("colour", 0)):
        assert found[name].information.shape == (3, 4)
        assert found[name].information[part].min() > 0.9
        assert np.delete(found[name].information, part, axis=0).max() < 0.1
        assert found[name].varied.all()
    assert not found["same"].varied.any() and not found["same"].information.any()
    whole = part_scores(codes_of(chunks), factors, [8])
    every = chunk_scores(codes_of(chunks), factors)
    np.testing.assert_allclose(whole["kind"].information[0], every["kind"].information.diagonal())
    with pytest.raises(ValueError, match="at least 50 scenes, not 40"):
        part_scores(codes_of(chunks)[:40], factors, [3, 2, 3])


def test_one_chunk_that_holds_everything():
    kinds = labels()
    everything = np.concatenate([one_hot(kinds[:, i]) for i in range(4)], axis=1)
    nothing = np.zeros_like(everything)
    found = chunk_scores(codes_of([nothing, nothing, everything, nothing]), {"kind": kinds})["kind"]
    assert found.information[2].min() > 0.9
    assert np.delete(found.information, 2, axis=0).max() < 0.05


def test_information_is_the_share_of_the_entropy_that_is_left_over():
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 4, (4000, 4))
    halves = kinds // 2  # one of the two bits of four equally frequent kinds
    codes = codes_of([np.eye(2)[halves[:, i]] for i in range(4)])
    found = chunk_scores(codes, {"kind": kinds})["kind"]
    np.testing.assert_allclose(found.information.diagonal(), 0.5, atol=0.02)
    np.testing.assert_allclose(found.accuracy.diagonal(), 0.5, atol=0.05)


def test_a_factor_that_never_changes_tells_nothing():
    kinds = np.zeros((100, 4), int)
    found = chunk_scores(codes_of([np.ones((100, 2))] * 4), {"kind": kinds})["kind"]
    np.testing.assert_array_equal(found.information, 0.0)
    np.testing.assert_array_equal(found.accuracy, 1.0)
    assert not found.varied.any()


def test_a_factor_with_one_value_that_is_not_the_first():
    kinds = labels()
    kinds[:, 1] = 2
    found = chunk_scores(codes_of([one_hot(kinds[:, i]) for i in range(4)]), {"kind": kinds})[
        "kind"
    ]
    assert found.varied.tolist() == [True, False, True, True]
    np.testing.assert_array_equal(found.information[:, 1], 0.0)


def test_codes_that_are_not_finite():
    codes = np.zeros((60, 2, 2, 3))
    codes[7, 0, 1] = np.nan
    with pytest.raises(ValueError, match="1 of 60 codes are not finite"):
        chunk_scores(codes, {"kind": labels(60)})


def test_too_few_scenes():
    with pytest.raises(ValueError, match="at least 50 scenes, not 49"):
        chunk_scores(np.zeros((49, 2, 2, 3)), {"kind": labels(49)})


def test_values_that_no_learned_scene_has_are_wrong_guesses_and_no_error():
    kinds = labels(100)
    learned = np.random.default_rng(0).permutation(100)[:60]
    rare = np.setdiff1d(np.arange(100), learned)[:5]
    kinds[rare] = 3
    codes = codes_of([one_hot(kinds[:, i], 4) for i in range(4)])
    found = chunk_scores(codes, {"kind": kinds})["kind"]
    assert np.all((found.information >= 0) & (found.information <= 1))
    kinds[:] = 0
    kinds[rare] = 1  # there is one value to learn from, and two in all
    found = chunk_scores(codes, {"kind": kinds})["kind"]
    assert found.varied.all()
    np.testing.assert_array_equal(found.information, 0.0)


def test_the_same_seed_finds_the_same():
    kinds = labels(200)
    codes = np.random.default_rng(2).normal(size=(200, 2, 2, 5)) + kinds.reshape(-1, 2, 2, 1)
    first, second = (chunk_scores(codes, {"kind": kinds}, seed=4)["kind"] for _ in range(2))
    np.testing.assert_array_equal(first.information, second.information)
    assert first.information.diagonal().min() > 0.1
