import numpy as np
import pytest

from lorbms_tf.data.quadrants import NUM_QUADRANTS, quadrant
from lorbms_tf.evaluation.swap_matrix import partners_of, swap_matrix


def images(count=9):
    return np.random.default_rng(0).uniform(-1, 1, (count, 8, 8, 3)).astype(np.float32)


def encode(batch):
    """Each chunk holds the pixels of its quadrant: [B, 2, 2, 4 * 4 * 3]."""
    parts = [quadrant(batch, i).reshape(len(batch), -1) for i in range(NUM_QUADRANTS)]
    return np.stack(parts, axis=1).reshape(len(batch), 2, 2, -1)


def decode_by_pasting(codes):
    """[B, 2, 2, 48] -> [B, 8, 8, 3]."""
    parts = codes.reshape(len(codes), 2, 2, 4, 4, 3)
    rows = [np.concatenate([parts[:, y, 0], parts[:, y, 1]], axis=2) for y in (0, 1)]
    return np.concatenate(rows, axis=1)


def test_an_oracle_that_pastes_pixels_is_the_identity():
    found = swap_matrix(encode, decode_by_pasting, images(), batch_size=4)
    np.testing.assert_allclose(found.follows, np.eye(4), atol=1e-6)
    assert found.locality == pytest.approx(1.0)
    np.testing.assert_allclose(found.cycle_error, 0.0, atol=1e-6)


def test_everything_in_one_chunk_scores_nothing():
    def encode_all(batch):
        codes = np.zeros((len(batch), 2, 2, 192), np.float32)
        codes[:, 0, 1] = batch.reshape(len(batch), -1)
        return codes

    def decode_all(codes):
        return codes[:, 0, 1].reshape(-1, 8, 8, 3)

    found = swap_matrix(encode_all, decode_all, images())
    expected = np.zeros((4, 4))
    expected[1] = 1.0
    np.testing.assert_allclose(found.follows, expected, atol=1e-6)
    assert found.locality == pytest.approx(0.0)


def test_a_constant_decoder_scores_nothing():
    found = swap_matrix(encode, lambda codes: np.zeros((len(codes), 8, 8, 3)), images())
    np.testing.assert_array_equal(found.follows, 0.5)
    assert found.locality == 0.0
    assert found.cycle_error.min() > 0.3  # nothing of the codes is found again


def test_half_of_the_neighbour_leaks():
    def leaky(codes):
        codes = codes.copy()
        codes[:, 0, 1] = 0.5 * codes[:, 0, 1] + 0.5 * codes[:, 0, 0]
        return decode_by_pasting(codes)

    found = swap_matrix(encode, leaky, images())
    assert found.follows[0, 0] == pytest.approx(1.0)
    assert 0.3 < found.follows[0, 1] < 0.7 and 0.3 < found.follows[1, 1] < 0.7
    assert 0.6 < found.locality < 0.9


def test_a_description_of_ones_own():
    def brightness(quadrants):
        return quadrants.mean(axis=(1, 2, 3))

    def decode_brighter_noise(codes):  # keeps the brightness of each quadrant, and nothing else
        noise = np.random.default_rng(1).normal(size=(len(codes), 2, 2, 48))
        return decode_by_pasting(
            noise - noise.mean(axis=-1, keepdims=True) + codes.mean(axis=-1, keepdims=True)
        )

    found = swap_matrix(encode, decode_brighter_noise, images(), describe=brightness)
    np.testing.assert_allclose(found.follows, np.eye(4), atol=1e-5)
    assert swap_matrix(encode, decode_brighter_noise, images()).locality < 0.9


def test_partners_are_others_and_everyone_is_one():
    for count in (2, 3, 10):
        partners = partners_of(count, seed=1)
        assert sorted(partners) == list(range(count))
        assert not np.any(partners == np.arange(count))


def test_a_single_image_cannot_be_swapped():
    with pytest.raises(ValueError, match="at least two images, not 1"):
        swap_matrix(encode, decode_by_pasting, images(1))


def test_what_is_not_finite_is_refused():
    def broken(values):
        made = np.array(decode_by_pasting(values))
        made[1] = np.nan
        return made

    with pytest.raises(ValueError, match="1 of 12 reconstructions are not finite"):
        swap_matrix(encode, broken, images(12))
    with pytest.raises(ValueError, match="12 of 12 codes are not finite"):
        swap_matrix(lambda values: np.inf * encode(values), decode_by_pasting, images(12))
    with pytest.raises(ValueError, match="12 of 12 features of reconstructions are not finite"):
        swap_matrix(encode, decode_by_pasting, images(12), describe=lambda values: np.nan * values)
