import numpy as np
import pytest

from lorbms_tf.evaluation.units import units


@pytest.mark.parametrize("scale", [1.0, 1e20, 1e30])
def test_mean_and_deviation_of_features_of_any_size(scale):
    features = np.array([[1.0, 2.0], [3.0, 2.0]], np.float32) * np.float32(scale)
    mean, deviation = units(features)
    assert mean == pytest.approx(np.array([2.0, 2.0]) * scale)
    assert deviation == pytest.approx(np.array([scale, 1.0]))  # a constant is not divided by 0
