import numpy as np
import pytest

from lorbms_tf.gan import balance


@pytest.mark.parametrize(
    "ratio, flags, expected",
    [
        (0.05, (True, True), (False, True)),
        (0.05, (True, False), (False, True)),
        (0.05, (False, True), (False, True)),  # stopped already
        (0.3, (True, True), (True, True)),
        (0.3, (False, True), (False, True)),  # not far enough to go on
        (0.6, (False, True), (True, True)),
        (0.6, (True, False), (True, False)),  # the second rule is for a stopped discriminator
        (11.0, (True, True), (True, False)),
        (11.0, (False, True), (True, False)),  # the second rule, then the third
    ],
)
def test_the_three_rules(ratio, flags, expected):
    # Halves of the discriminator's loss; a generator's loss of two.
    learns = balance.training_flags(ratio, ratio, 2.0, *flags)
    assert tuple(map(bool, learns)) == expected


def test_a_script_of_losses():
    flags, seen = (True, True), []
    for ratio in (1.0, 0.05, 0.2, 0.55, 20.0, 5.0, 0.05):
        flags = balance.training_flags(ratio, 0.0, 1.0, *flags)
        seen.append(tuple(map(bool, flags)))
    both, generator, discriminator = (True, True), (False, True), (True, False)
    assert seen == [both, generator, generator, both, discriminator, discriminator, generator]


def test_rescaled_gradients_have_the_length_of_the_others_image_by_image():
    rng = np.random.default_rng(0)
    ours, theirs = rng.standard_normal((2, 3, 4, 4, 1)).astype(np.float32)
    theirs *= np.array([1e-6, 1.0, 1e5], np.float32)[:, None, None, None]
    gammas = np.asarray(balance.gammas(ours, theirs))
    lengths = gammas * np.linalg.norm(theirs.reshape(3, -1), axis=1)
    np.testing.assert_allclose(lengths, np.linalg.norm(ours.reshape(3, -1), axis=1), rtol=1e-5)
    half = np.asarray(balance.balanced_gradients(ours, theirs, 0.5))
    np.testing.assert_allclose(
        half, ours + 0.5 * gammas[:, None, None, None] * theirs, rtol=1e-5, atol=1e-6
    )


def test_zero_gradients_stay_zero():
    ours, theirs = np.ones((2, 3), np.float32), np.array([[0, 0, 0], [1, 0, 0]], np.float32)
    np.testing.assert_allclose(balance.gammas(ours, theirs), [0.0, 3**0.5], rtol=1e-6)
    np.testing.assert_array_equal(balance.gammas(0 * ours, theirs), [0.0, 0.0])
    np.testing.assert_array_equal(balance.balanced_gradients(ours, theirs, 1.0)[0], ours[0])


def test_k_by_hand():
    k, seen = 1.0, []
    for margin in (2.0, 0.0, 0.5, -3.0, 1.0, 1.5):
        k = float(balance.next_k(k, margin))
        seen.append(k)
    np.testing.assert_allclose(seen, [1.0, 0.999, 0.9985, 0.9945, 0.9945, 0.995], rtol=1e-6)
    assert float(balance.next_k(0.0005, -1.0)) == 0.0


def test_a_constant_margin_lowers_k_in_a_line():
    k = 1.0
    for _ in range(200):
        k = balance.next_k(k, 0.4)
    np.testing.assert_allclose(k, 1 - 0.001 * 0.6 * 200, rtol=1e-4)
