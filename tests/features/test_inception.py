import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.features import registry
from lorbms_tf.files import sha256_file
from tests import inception_graph
from tests.inception_graph import CLASSES, WIDTH


@pytest.fixture(scope="module")
def graph_file(tmp_path_factory):
    return inception_graph.write(tmp_path_factory.mktemp("graph"))


def images(count=3, side=40):
    return np.random.default_rng(1).uniform(-1, 1, (count, side, side, 3)).astype(np.float32)


def test_inception_graph_on_a_batch_equals_the_graph_itself_on_each_image(graph_file):
    path, graph = graph_file
    made = registry.score_network("inception_2015", str(path))
    features, logits = made.outputs(images(), batch_size=2)
    assert features.shape == (3, WIDTH) and logits.shape == (3, CLASSES)
    assert made.weights_hash == sha256_file(path)
    with tf.compat.v1.Session(graph=graph) as session:
        for image, own, verdict in zip(images(), features, logits, strict=True):
            fed = {"ExpandDims:0": (image[None] + 1) * 127.5}
            pool, product = session.run(["pool_3:0", "softmax/logits/MatMul:0"], fed)
            np.testing.assert_allclose(own, pool[0, 0, 0], rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(verdict, product[0], rtol=1e-4, atol=1e-4)


def test_the_kernel_of_the_resize_is_part_of_the_protocol(graph_file):
    path, _ = graph_file
    large = images(2, 640)  # made smaller: only there does smoothing matter
    legacy, smooth = (
        registry.score_network("inception_2015", str(path), resize)(large)
        for resize in registry.RESIZES
    )
    assert np.abs(legacy - smooth).max() > 1e-3
    with pytest.raises(UserError, match="--resize=cubic is not valid; valid values: legacy"):
        registry.score_network("inception_2015", str(path), "cubic")


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("inception_2015", b"no graph at all", "is not the Inception graph of 2015"),
        ("inception_2015", b"", "is not the Inception graph of 2015"),
        ("mobilenet_v2", b"no weights", "does not hold the weights of mobilenet_v2"),
        ("inception_2015", None, "there is no file"),
    ],
)
def test_wrong_files(tmp_path, name, content, message):
    path = tmp_path / "file.weights.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        registry.score_network(name, str(path))
