import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.features import registry
from lorbms_tf.files import sha256_file

SIDE, WIDTH, CLASSES = 299, 6, 4


@pytest.fixture(scope="module")
def graph_file(tmp_path_factory):
    """A file in the format of classify_image_graph_def.pb: for one image, resized in the graph."""
    rng = np.random.default_rng(0)
    with tf.Graph().as_default() as graph:
        jpeg = tf.compat.v1.placeholder(tf.string, [], name="DecodeJpeg/contents")
        pixels = tf.cast(tf.io.decode_jpeg(jpeg, channels=3), tf.float32, name="Cast")
        resized = tf.compat.v1.image.resize_bilinear(
            tf.expand_dims(pixels, 0, name="ExpandDims"), [SIDE, SIDE], name="ResizeBilinear"
        )
        scaled = tf.multiply(tf.subtract(resized, 128.0, name="Sub"), 1 / 128, name="Mul")
        kernel = tf.constant(rng.standard_normal((3, 3, 3, WIDTH)), tf.float32)
        maps = tf.nn.relu(tf.nn.conv2d(scaled, kernel, strides=2, padding="VALID"))
        pool = tf.compat.v1.nn.avg_pool(
            maps, [1, 149, 149, 1], [1, 1, 1, 1], "VALID", name="pool_3"
        )
        flat = tf.reshape(pool, [1, WIDTH], name="pool_3/_reshape")
        weights = tf.constant(rng.standard_normal((WIDTH, CLASSES)), tf.float32)
        logits = tf.matmul(flat, weights, name="softmax/logits/MatMul")
        tf.nn.softmax(tf.nn.bias_add(logits, tf.ones(CLASSES), name="softmax/logits"))
    path = tmp_path_factory.mktemp("graph") / "classify_image_graph_def.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path, graph


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
