"""Fixtures of the tests that build records."""

import numpy as np
import pytest

from tests.tfrecords_tools import making
from tfrecords_tools import quadrant_features


@pytest.fixture
def quick_features(monkeypatch):
    """A feature network that costs nothing: the mean colour of a quadrant."""

    def extractor(name, weights, seed, input_size=0):
        return quadrant_features.FeatureNetwork(
            name, lambda images: images.numpy().mean(axis=(1, 2)), 8, 3, "no weights"
        )

    def means(self, quadrants):
        return quadrants.mean(axis=(1, 2), dtype=np.float64).astype(np.float32)

    monkeypatch.setattr(quadrant_features, "extractor", extractor)
    monkeypatch.setattr(quadrant_features.FeatureNetwork, "__call__", means)


@pytest.fixture
def photos(tmp_path):
    return making.write_photos(tmp_path / "photos", 14)
