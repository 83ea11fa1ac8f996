import keras
import numpy as np

from lorbms_tf.networks.infogan import InfoGanEncoder
from lorbms_tf.networks.stateless import stateless


def test_outputs_are_those_of_training_and_no_variable_changes():
    network = InfoGanEncoder(image_size=8, outputs=2, widths=(2, 3), dense=4)
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    images = np.random.default_rng(0).uniform(-1, 1, (5, 8, 8, 1)).astype(np.float32)
    before = network.get_weights()
    made = stateless(network)(images)
    np.testing.assert_allclose(made, copy(images, training=True), rtol=1e-4, atol=1e-6)
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    moved = zip(before, copy.get_weights(), strict=True)
    assert any(not np.array_equal(old, new) for old, new in moved)
