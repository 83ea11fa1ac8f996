"""The Inception graph of 2015: only its features give what papers call FID, IS and KID."""

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError

from lorbms_tf.errors import UserError
from lorbms_tf.features.network import FeatureNetwork, Outputs, Reading
from lorbms_tf.files import sha256_file

NAME = "inception_2015"
_SIDE = 299
# In classify_image_graph_def.pb: what the first convolution reads, the last pooling, and the
# product whose second input are the classifier's weights.
_INPUT, _POOL, _LOGITS = "Mul:0", "pool_3:0", "softmax/logits/MatMul"


def build(path: str, reading: Reading) -> FeatureNetwork:
    """Features pool_3 [B, 2048], and logits without the bias, as published.

    Raises UserError where the file is not that graph.
    """
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(Path(path).read_bytes())
        pooled, weights = _import(graph)
    except (DecodeError, KeyError, ValueError) as error:
        raise UserError(
            f"--extractor_weights: {path} is not the Inception graph of 2015 "
            f"(classify_image_graph_def.pb): {str(error).strip().splitlines()[0]}"
        ) from error

    def forward(images, training):
        # The graph takes (x - 128) / 128 of 0 to 255; its own resizing is for a single image.
        maps = pooled((images * 127.5 + 127.5 - 128.0) / 128.0)  # [B, 1, 1, D]
        features = tf.reshape(maps, (-1, weights.shape[0]))
        return Outputs(features, tf.matmul(features, weights))

    origin, digest = f"file {Path(path).name}", sha256_file(path)
    return FeatureNetwork(NAME, forward, _SIDE, weights.shape[0], digest, origin, reading=reading)


def _import(graph) -> tuple[Callable, tf.Tensor]:
    """Images [B, 299, 299, 3] -> pool_3 [B, 1, 1, D], and the classifier's weights [D, classes]."""
    spec = tf.TensorSpec((None, _SIDE, _SIDE, 3), tf.float32)

    def pool(images):
        # In the file's own graph the batch is a single image: what leads to _INPUT is replaced.
        return tf.import_graph_def(
            graph, input_map={_INPUT: images}, return_elements=[_POOL], name=""
        )[0]

    pooled = tf.compat.v1.wrap_function(pool, signature=[spec])
    weights = pooled.graph.get_operation_by_name(_LOGITS).inputs[1]
    return pooled, pooled.prune([], weights)()
