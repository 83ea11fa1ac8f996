"""Fixtures of the tests that build records."""

from pathlib import Path

import numpy as np
import pytest

from lorbms_tf.data.images import BadImage
from lorbms_tf.features import registry
from lorbms_tf.features.network import FeatureNetwork
from tests.tfrecords_tools import making
from tfrecords_tools import items


@pytest.fixture
def quick_features(monkeypatch):
    """A feature network that costs nothing: the mean colour of a quadrant."""

    def network(name, weights, seed, side=0):
        return FeatureNetwork(name, None, 8, 3, "no weights")

    def means(self, quadrants):
        return quadrants.mean(axis=(1, 2), dtype=np.float64).astype(np.float32)

    monkeypatch.setattr(registry, "quadrant_network", network)
    monkeypatch.setattr(FeatureNetwork, "__call__", means)


@pytest.fixture
def photos(tmp_path):
    return making.write_photos(tmp_path / "photos", 14)


@pytest.fixture
def third_breaks(monkeypatch):
    """The photo p003.png is there when photos are filtered, and gone when they are cut."""
    read_photo = items.read_photo

    def flaky(path):
        if Path(path).name == "p003.png":
            raise BadImage(path, "missing")
        return read_photo(path)

    monkeypatch.setattr(items, "read_photo", flaky)
