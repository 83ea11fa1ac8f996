import numpy as np
import pytest

from lorbms_tf.evaluation import precision_recall as module
from lorbms_tf.evaluation.precision_recall import precision_recall


def by_loops(real, generated, k):
    def inside(samples, members):
        count = 0
        for sample in samples:
            for i, member in enumerate(members):
                others = np.delete(members, i, axis=0)
                radius = np.sort(np.linalg.norm(others - member, axis=1))[k - 1]
                if np.linalg.norm(sample - member) <= radius:
                    count += 1
                    break
        return count / len(samples)

    return inside(generated, real), inside(real, generated)


def test_equal_and_far_sets():
    points = np.random.default_rng(0).standard_normal((30, 4))
    assert precision_recall(points, points) == (1.0, 1.0)
    assert precision_recall(points, points + 100.0) == (0.0, 0.0)


def test_one_mode_of_two_is_precise_and_misses_half():
    rng = np.random.default_rng(1)
    one, two = rng.standard_normal((2, 200, 3))
    real = np.concatenate([one, two + 50])
    generated = rng.standard_normal((200, 3))
    found = precision_recall(real, generated)
    assert found.precision > 0.9 and 0.4 < found.recall < 0.5


@pytest.mark.parametrize("k", [1, 3])
def test_against_loops(k, monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 7)  # several blocks
    rng = np.random.default_rng(k)
    real, generated = rng.standard_normal((25, 3)) + 100, rng.standard_normal((18, 3)) + 100.5
    assert precision_recall(real, generated, k) == pytest.approx(by_loops(real, generated, k))


def test_too_few_samples_or_a_wrong_k():
    with pytest.raises(ValueError, match="3 real samples, at least 4"):
        precision_recall(np.ones((3, 2)), np.ones((9, 2)))
    with pytest.raises(ValueError, match="k must be"):
        precision_recall(np.ones((3, 2)), np.ones((9, 2)), k=0)


def test_copies_of_members_that_stand_often_are_inside():
    # Each stands six times, so its third neighbour is a copy, too, and its ball has no size.
    for seed in range(20):
        rng = np.random.default_rng(seed)
        base = rng.standard_normal((int(rng.integers(2, 20)), 64))
        copies = base[rng.integers(len(base), size=50)]
        assert precision_recall(np.repeat(base, 6, axis=0), copies).precision == 1.0


def test_what_is_only_near_a_ball_without_size_is_outside():
    members = np.repeat(np.random.default_rng(0).standard_normal((5, 8)), 6, axis=0)
    assert precision_recall(members, members + 1e-5).precision == 0.0


def test_samples_on_the_surface_of_a_ball_are_inside():
    # On a line of whole numbers each ball reaches to the next member exactly, wherever it lies.
    line = np.arange(8.0)[:, None] * [0.1, 0.7, 0.3] + 5.3
    beyond = np.array([[-1.0], [8.0]]) * [0.1, 0.7, 0.3] + 5.3
    assert precision_recall(line, beyond, k=1).precision == 1.0
