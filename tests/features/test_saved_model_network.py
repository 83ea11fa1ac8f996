import re

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.features.registry import quadrant_network

RED = np.full((2, 6, 6, 3), (255, 0, 51), np.uint8)


def save(folder, dtype=tf.float32, shape=(None, 4, 4, 3), names=("serving_default",), outputs=1):
    """A model whose features are twice the mean colour; by a variable, as real ones have."""
    module = tf.Module()
    module.scale = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec(shape, dtype, "pictures")])
    def colour(pictures):
        means = module.scale * tf.reduce_mean(tf.cast(pictures, tf.float32), axis=(1, 2))
        return {f"out{i}": means + i for i in range(outputs)}

    @tf.function(input_signature=[tf.TensorSpec((None, 2, 2, 8), tf.float32, "codes")])
    def decode(codes):
        return {"images": codes * module.scale}

    module.functions = [colour, decode]
    signatures = {name: decode if name.startswith("decode") else colour for name in names}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return f"saved_model:{folder}"


def test_a_model_of_floats(tmp_path):
    name = save(tmp_path / "m")
    network = quadrant_network(name)
    assert (network.side, network.dimension) == (4, 3)
    np.testing.assert_allclose(network(RED), [[2.0, -2.0, -1.2]] * 2, atol=1e-6)
    assert re.fullmatch("[0-9a-f]{64}", network.weights_hash)
    assert network.weights_hash == quadrant_network(name).weights_hash
    (tmp_path / "m" / "assets" / "words.txt").write_text("something else")
    assert network.weights_hash != quadrant_network(name).weights_hash


@pytest.mark.parametrize("folder", ["a,b", "a [v2], range=0:1", "a,range=0:1/m"])
def test_commas_and_brackets_in_the_name_of_its_folder(tmp_path, folder):
    name = save(tmp_path / folder)
    np.testing.assert_allclose(quadrant_network(name)(RED)[0], [2.0, -2.0, -1.2], atol=1e-6)
    assert quadrant_network(f"{name},range=0:255")(RED)[0][0] == 510.0


@pytest.mark.parametrize(
    ("dtype", "options", "expected"),
    [
        (tf.float32, ",range=0:1", [2.0, 0.0, 0.4]),
        (tf.float32, ",range=0:255", [510.0, 0.0, 102.0]),
        (tf.uint8, "", [510.0, 0.0, 102.0]),
    ],
)
def test_the_range_of_the_pixels(tmp_path, dtype, options, expected):
    network = quadrant_network(save(tmp_path / "m", dtype) + options)
    np.testing.assert_allclose(network(RED)[0], expected, atol=1e-4)


def test_the_only_signature_that_takes_an_image_is_found(tmp_path):
    name = save(tmp_path / "m", names=("decode", "encode"))  # as this project exports
    assert quadrant_network(name).dimension == 3
    with pytest.raises(UserError, match="signature 'decode'.*valid: signature=encode"):
        quadrant_network(name + ",signature=decode")


def test_several_signatures_and_outputs_are_to_be_named(tmp_path):
    name = save(tmp_path / "m", names=("a", "b"), outputs=2)
    with pytest.raises(UserError, match="signature=a, signature=b"):
        quadrant_network(name)
    with pytest.raises(UserError, match="output=out0, output=out1"):
        quadrant_network(name + ",signature=b")
    features = quadrant_network(name + ",signature=b,output=out1")(RED)
    np.testing.assert_allclose(features[0], [3.0, -1.0, -0.2], atol=1e-6)


def test_any_size_must_be_chosen_and_a_fixed_one_is_kept(tmp_path):
    free = save(tmp_path / "free", shape=(None, None, None, 3))
    with pytest.raises(UserError, match="any size.*--feature_size"):
        quadrant_network(free)
    assert quadrant_network(free, side=10).side == 10
    with pytest.raises(UserError, match="reads images of 4 px"):
        quadrant_network(save(tmp_path / "fixed"), side=10)


@pytest.mark.parametrize("shape", [(1, 4, 4, 3), (None, 4, 4, 1), (None, 4, 6, 3), (None, 48)])
def test_a_model_of_other_inputs_is_an_error(tmp_path, shape):
    module = tf.Module()
    spec = tf.TensorSpec(shape, tf.float32, "x")
    module.run = tf.function(lambda x: {"y": x + 1.0}, input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path / "m"), signatures=module.run)
    with pytest.raises(UserError, match="takes one image.*valid: none"):
        quadrant_network(f"saved_model:{tmp_path / 'm'}")


def test_a_broken_model_is_an_error(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(UserError, match="cannot be loaded"):
        quadrant_network(f"saved_model:{tmp_path}")
