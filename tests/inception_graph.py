"""A small graph in the format of classify_image_graph_def.pb, the Inception graph of 2015."""

from pathlib import Path

import numpy as np
import tensorflow as tf

SIDE, WIDTH, CLASSES = 299, 6, 4


def write(folder: Path) -> tuple[Path, tf.Graph]:
    """Writes the file, for one image, which is resized in the graph; and gives the graph, too."""
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
    path = folder / "classify_image_graph_def.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path, graph
