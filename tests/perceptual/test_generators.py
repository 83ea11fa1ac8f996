import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.perceptual import generators
from lorbms_tf.perceptual.mean_config import ImageMeanConfig
from tests import tiny
from tests.perceptual import making


def config(**changes):
    given = {"out": "o", "problems": "generator", "image_size": 16, "num_problems": 2}
    return ImageMeanConfig(**{**given, **changes})


def save(folder, names=("paint",)):
    """Codes [B, 4] to pictures of 16 px in the colour of their first three numbers, and back."""
    module = tf.Module()
    module.scale = tf.Variable(0.5)

    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, "codes")])
    def paint(codes):
        colours = tf.tanh(module.scale * codes[:, None, None, :3])
        return {"images": tf.tile(colours, (1, 16, 16, 1)), "count": tf.shape(codes)[0]}

    @tf.function(input_signature=[tf.TensorSpec((None, 16, 16, 3), tf.float32, "pictures")])
    def read(pictures):
        return {"codes": tf.pad(tf.reduce_mean(pictures, axis=(1, 2)), ((0, 0), (0, 1)))}

    module.functions = [paint, read]
    signatures = {name: read if name == "encode" else paint for name in names}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return str(folder)


def test_codes_of_a_saved_model_are_drawn(tmp_path):
    given = generators.problem_set(config(saved_model=save(tmp_path / "m")))
    codes, targets = given.codes(0, 30), given.targets(0, 30)
    assert codes.shape == (30, 4) and targets.shape == (30, 16, 16, 3)
    np.testing.assert_allclose(targets[:, 3, 5], np.tanh(0.5 * codes[:, :3]), atol=1e-5)


def test_codes_of_photos(tmp_path):
    photos = making.write_photos(tmp_path / "photos", 3)
    model = save(tmp_path / "m", ("decode", "encode"))
    given = generators.problem_set(config(saved_model=model, images=photos))
    one, other = (given.codes(n, 200).mean(axis=0) for n in range(2))
    assert np.abs(one[3]) < 0.02 < np.abs(one[:3] - other[:3]).max()


def test_a_run_of_this_package(tmp_path, run_dir):
    photos = making.write_photos(tmp_path / "photos", 2)
    with tiny.eagerly():
        given = generators.problem_set(config(run_dir=run_dir, images=photos, image_size=32))
        targets = given.targets(1, 3)
    assert targets.shape == (3, 32, 32, 3) and np.abs(targets[0] - targets[1]).max() > 0


def test_what_cannot_generate(tmp_path):
    model = save(tmp_path / "m", ("decode", "paint"))
    with pytest.raises(UserError, match="no signature 'draw'.*valid: decode, paint"):
        generators.of_saved_model(f"{model},signature=draw")
    with pytest.raises(UserError, match="--image_size=64 is more than the 16 px"):
        generators.problem_set(config(saved_model=model, image_size=64))
    with pytest.raises(UserError, match="this generator has no encoder"):
        generators.problem_set(config(saved_model=model, images=str(tmp_path)))
    only = save(tmp_path / "e", ("encode",))
    with pytest.raises(UserError, match="no signature 'decode'.*valid: none"):
        generators.of_saved_model(only)
    with pytest.raises(UserError, match="holds no SavedModel"):
        generators.of_saved_model(str(tmp_path))
