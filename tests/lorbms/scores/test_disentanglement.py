import numpy as np
import pytest

from lorbms_tf.lorbms.scores.chunk_probes import Told
from lorbms_tf.lorbms.scores.disentanglement import dci, gap, importance, scores


def test_every_chunk_its_own_factor_is_perfect():
    assert gap(np.eye(4)) == 1.0
    assert dci(np.eye(4)) == (1.0, 1.0)


def test_everything_everywhere_is_worth_nothing():
    assert gap(np.ones((4, 4))) == 0.0
    assert dci(np.ones((4, 4))) == pytest.approx((0.0, 0.0))


def test_everything_in_one_chunk_is_complete_but_not_disentangled():
    matrix = np.zeros((4, 4))
    matrix[2] = 0.7
    assert gap(matrix) == pytest.approx(0.7)
    assert dci(matrix) == pytest.approx((0.0, 1.0))


def test_a_factor_in_two_chunks_by_hand():
    matrix = np.eye(4)
    matrix[1, 0] = 0.5  # column 0: 1, .5; row 1: .5, 1
    assert gap(matrix) == pytest.approx((0.5 + 3) / 4)
    entropy = -(1 / 3 * np.log(1 / 3) + 2 / 3 * np.log(2 / 3)) / np.log(4)
    expected = (3 + 1.5 * (1 - entropy)) / 4.5  # of the rows and of the columns alike
    assert dci(matrix) == pytest.approx((expected, expected))


def test_nothing_told():
    assert gap(np.zeros((4, 4))) == 0.0
    assert dci(np.zeros((4, 4))) == (0.0, 0.0)


def told_of(information, accuracy=None, varied=(True,) * 4):
    accuracy = information if accuracy is None else accuracy
    varied = np.array(varied)
    return {"kind": Told(information * varied, accuracy, np.full(4, 0.25), varied)}


def noise(seed):
    return np.random.default_rng(seed).uniform(0, 0.01, (4, 4))


def test_importance_by_hand():
    # Two factors in two groups: the second is read ten times worse, and weighs as much.
    information = np.zeros((4, 2, 2))
    information[0, 0, 0], information[1, 0, 1] = 0.8, 0.8
    information[0, 1, 0], information[2, 1, 0] = 0.06, 0.02
    expected = np.zeros((4, 2))
    expected[0, 0], expected[1, 1], expected[2, 0] = 1.75, 1.0, 0.25
    np.testing.assert_allclose(importance(information), expected)
    expected[0, 0], expected[2, 0] = 2.0, 0.0
    np.testing.assert_allclose(importance(information, 0.03), expected)
    with pytest.raises(ValueError, match="not finite"):
        importance(np.full((4, 1, 4), np.nan))


def test_noise_is_worth_nothing_and_its_twin_says_how_much_is_noise():
    found = scores(told_of(noise(0)), [told_of(noise(seed)) for seed in range(1, 6)], 1e-3)
    assert found["dci_disentanglement"] == found["dci_completeness"] == 0.0
    assert 0.01 < found["noise_floor"] < 0.02  # twice the most
    permuted = found["permuted"]
    assert permuted["dci_disentanglement"] == 0.0 and 0 < permuted["mig"] < 0.01
    assert found["mig"] < 0.01


def test_what_is_told_stands_above_the_noise():
    true = 0.6 * np.eye(4) + noise(0)
    found = scores(told_of(true), [told_of(noise(seed)) for seed in range(1, 6)], 1e-3)
    assert found["dci_disentanglement"] == found["dci_completeness"] == pytest.approx(1.0)
    assert found["mig"] == pytest.approx(0.6, abs=0.02)


def test_less_than_one_scene_can_make_is_nothing():
    residue = 1e-7 * np.eye(4)
    nothing = [told_of(np.zeros((4, 4)))] * 2
    assert scores(told_of(residue), nothing, 1 / 240)["dci_disentanglement"] == 0.0


def test_a_factor_with_one_value_is_left_out():
    varied = (True, True, True, False)
    accuracy = np.full((4, 4), 0.25) + 0.75 * np.eye(4)
    accuracy[:, 3] = 1.0
    null = [told_of(np.zeros((4, 4)), accuracy, varied)] * 2
    found = scores(told_of(np.eye(4), accuracy, varied), null, 1e-3)
    assert found["mig"] == 1.0
    assert found["sap"] == 0.75 == 1 - found["chance"]  # the best there is
    with pytest.raises(ValueError, match="no factor has two values"):
        scores(told_of(np.eye(4), varied=(False,) * 4), null, 1e-3)
