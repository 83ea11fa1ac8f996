import re

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.features.registry import quadrant_network
from lorbms_tf.training import run_directory
from tests import tiny


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return tiny.write_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def model(run):
    return run_directory.load_model(str(run))[0]


@pytest.fixture(scope="module")
def quadrants():
    return np.stack([tiny.noise(number) for number in range(3)])


def test_the_encoder_sees_a_quadrant_as_a_whole_image(run, model, quadrants):
    network = quadrant_network(f"encoder:{run}")
    codes = model.encode(quadrants / np.float32(127.5) - 1).numpy()  # [3, 2, 2, C]
    assert (network.side, network.dimension) == (32, 4 * model.config.chunk_size)
    np.testing.assert_allclose(network(quadrants), codes.reshape(3, -1), atol=1e-4)
    small = quadrants[:, ::2, ::2]
    larger = tf.image.resize(small, (32, 32)).numpy()  # a small quadrant is resized to the image
    codes = model.encode(larger / np.float32(127.5) - 1).numpy()
    np.testing.assert_allclose(network(small), codes.reshape(3, -1), atol=1e-4)


def test_the_discriminators_maps_are_averaged_to_cells(run, model, quadrants):
    network = quadrant_network(f"discriminator:{run}")
    maps = model.discriminator.features(quadrants / np.float32(127.5) - 1).numpy()  # [3, 8, 8, 2]
    cells = maps.reshape(3, 2, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(3, -1)
    assert network.dimension == 8
    np.testing.assert_allclose(network(quadrants), cells, atol=1e-5)
    assert re.fullmatch("[0-9a-f]{64}", network.weights_hash)


def test_another_size_is_an_error(run):
    with pytest.raises(UserError, match="reads images of 32 px: leave out --feature_size=64"):
        quadrant_network(f"encoder:{run}", side=64)
