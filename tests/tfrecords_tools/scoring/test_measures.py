import numpy as np
import pytest

from tfrecords_tools.scoring import measures


def test_of_independent_values_the_error_is_the_usual_one():
    values = np.random.default_rng(0).normal(3, 2, 50)
    found = measures.mean(values, np.arange(50))
    assert found.value == pytest.approx(values.mean())
    assert found.error == pytest.approx(values.std(ddof=1) / np.sqrt(50))


def test_copies_of_one_photo_do_not_make_the_error_smaller():
    values = np.array([1.0, 2.0, 4.0])
    once = measures.mean(values, np.arange(3))
    copied = measures.mean(np.repeat(values, 5), np.repeat(np.arange(3), 5))
    assert copied.value == pytest.approx(once.value)
    assert copied.error == pytest.approx(once.error)


def test_the_error_of_a_ratio_is_the_spread_over_many_draws():
    rng = np.random.default_rng(1)

    def draw():
        below = rng.uniform(1, 3, 400)
        return 0.5 * below + rng.normal(0, 0.3, 400), below

    ratios = [measures.ratio(*draw(), np.arange(400)) for _ in range(300)]
    spread = np.std([found.value for found in ratios])
    assert ratios[0].value == pytest.approx(0.5, abs=0.05)
    assert np.mean([found.error for found in ratios]) == pytest.approx(spread, rel=0.15)


@pytest.mark.parametrize("values", [[], [1.0]])
def test_too_few_values_have_no_error(values):
    assert np.isnan(measures.mean(np.array(values), np.arange(len(values))).error)


def test_a_reference_with_nothing_to_score_is_left_out():
    candidates = np.full((3, 4, 2), np.nan)
    candidates[0] = 1.0
    candidates[1, 0] = [1.0, 0.0]
    random = np.zeros((3, 4, 2))
    found = measures.compare(candidates, random, np.arange(3))
    assert found.references == 2
    assert found.candidates.value == pytest.approx(0.75)  # of 1 and 0.5
    assert found.contrast.value == pytest.approx(0.75)
    assert found.by_rank == pytest.approx([1.0, 0.5])


def test_where_nothing_can_be_scored_nothing_is_claimed():
    blank = np.full((3, 4, 2), np.nan)
    found = measures.compare(blank, blank, np.arange(3), as_ratio=True)
    assert found.references == 0
    assert np.isnan([found.candidates.value, found.contrast.value, *found.by_rank]).all()


def test_random_choice_takes_other_photos_only_and_all_of_them():
    photos = np.array([0, 0, 1, 2])
    drawn = measures.draw_others(np.arange(4), np.arange(4), photos, 50, np.random.default_rng(0))
    assert drawn.shape == (4, 4, 50)
    assert set(drawn[0].ravel()) == set(drawn[1].ravel()) == {2, 3}
    assert set(drawn[2].ravel()) == {0, 1, 3}
    with pytest.raises(ValueError, match="other photos"):
        measures.draw_others(np.array([0]), np.array([0, 1]), photos, 2, np.random.default_rng(0))


def test_a_ring_has_no_hubs_and_nobody_chooses_back():
    ring = ((np.arange(9)[:, None, None] + [1, 2]) % 9).repeat(4, axis=1)  # [9, 4, 2]
    assert measures.shape(ring) == measures.Shape(0.0, 2, 0.0, 0.0)


def test_pairs_choose_each_other():
    pairs = (np.arange(8) ^ 1)[:, None, None].repeat(4, axis=1)
    assert measures.shape(pairs) == measures.Shape(0.0, 1, 0.0, 1.0)


def test_a_star_is_one_hub():
    star = np.zeros((10, 4, 1), np.int32)
    star[0] = 1
    found = measures.shape(star)
    assert found.never_chosen == pytest.approx(0.8)
    assert found.most_often == 9
    assert found.reciprocity == pytest.approx(0.2)  # 0 and 1 choose each other: two of ten
    degrees = np.array([9, 1] + [0] * 8)
    third = np.mean((degrees - 1) ** 3) / degrees.std() ** 3
    assert found.skewness == pytest.approx(third)
