import numpy as np
import pytest

from lorbms_tf.augint import noise, noise_chart


def test_noise_of_the_lowest_frequency_is_flat_and_of_the_highest_uniform():
    flat = noise.noise(1, 5, 8, 3, seed=0)
    assert flat.shape == (5, 8, 8, 3)
    assert np.ptp(flat, axis=(1, 2)).max() < 1e-6 and np.ptp(flat) > 0.5
    fine = noise.noise(8, 400, 8, 1, seed=0)
    np.testing.assert_allclose([fine.mean(), fine.var()], [0, 1 / 3], atol=0.01)


def test_neighbours_are_more_alike_the_lower_the_frequency():
    steps = [
        np.abs(np.diff(noise.noise(frequency, 50, 16, 1, seed=0), axis=1)).mean()
        for frequency in (1, 2, 4, 8, 16)
    ]
    assert steps == sorted(steps)


def test_draws_follow_from_the_seed():
    first = noise.noise(4, 2, 8, 1, seed=3)
    np.testing.assert_array_equal(first, noise.noise(4, 2, 8, 1, seed=3))
    assert (first != noise.noise(4, 2, 8, 1, seed=4)).any()


@pytest.mark.parametrize("frequency", [0, 9])
def test_frequencies_above_the_side_are_refused(frequency):
    with pytest.raises(ValueError, match=f"{frequency} is not in 1 to 8"):
        noise.noise(frequency, 1, 8, 1, seed=0)


def test_errors_of_a_copy_and_of_grey():
    found = noise.errors(lambda images: images, (1, 8), 20, 8, 1, seed=0)
    np.testing.assert_array_equal(found, [0, 0])
    found = noise.errors(np.zeros_like, (8,), 400, 8, 1, seed=0)  # the middle of [0, 1]
    np.testing.assert_allclose(found, [1 / 12], rtol=0.02)


def test_the_chart_and_its_table(tmp_path):
    curves = {"augint": np.array([0.02, 0.01, 0.03])}
    picture = noise_chart.picture((1, 2, 4), curves, {"augint": 0.005})
    assert picture.width > 400 and picture.convert("L").getextrema()[0] < 100
    noise_chart.write_table(str(tmp_path / "t.csv"), (1, 2, 4), curves, {"augint": 0.005})
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines[0] == "frequency,augint" and lines[2] == "2,0.010000"
    assert lines[-1] == "photos,0.005000"
