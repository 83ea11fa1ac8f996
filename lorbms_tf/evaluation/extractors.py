"""Networks whose features and logits the scores of scenes are made of.

The scores carry the extractor's name: only the 2015 Inception graph gives what papers call FID, IS
and KID. `resize` is part of the protocol too, because it moves these scores by several points.
"""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from lorbms_tf.errors import UserError
from lorbms_tf.files import is_file, sha256_file
from lorbms_tf.networks import applications, weights_files
from lorbms_tf.progress import track

INCEPTION = "inception_2015"
RESIZES = ("legacy", "antialias")
_INCEPTION_SIDE = 299
# In classify_image_graph_def.pb: what the first convolution reads, the last pooling, and the
# product whose second input are the classifier's weights.
_INPUT, _POOL, _LOGITS = "Mul:0", "pool_3:0", "softmax/logits/MatMul"


class Extractor:
    """Images to features and logits.

    Attributes:
      name: goes into the names of the scores.
      resize: how images come to the network's size: "legacy" (TensorFlow 1's bilinear, corners
        off by half a pixel, no smoothing; as in published FID) or "antialias".
      weights_hash: SHA-256 of the weights file.
    """

    def __init__(self, name: str, resize: str, weights_hash: str, side: int, forward: Callable):
        """`forward`: images float32 [B, side, side, 3] in [-1, 1] -> (features, logits)."""
        if resize not in RESIZES:
            raise UserError(f"--resize={resize} is not valid; valid values: {', '.join(RESIZES)}")
        self.name, self.resize, self.weights_hash = name, resize, weights_hash
        spec = tf.TensorSpec((None, None, None, 3), tf.float32)

        @tf.function(input_signature=[spec], autograph=False)
        def run(images):
            return forward(_resized(images, side, resize))

        self._run = run

    def __call__(self, images: np.ndarray, batch_size: int = 32) -> tuple[np.ndarray, np.ndarray]:
        """Images [N, H, W, 3] in [-1, 1] -> features [N, D] and logits [N, classes], float32."""
        starts = track(
            range(0, len(images), batch_size), label=f"features by {self.name}", unit="step"
        )
        made = [self._run(tf.constant(images[s : s + batch_size], tf.float32)) for s in starts]
        features, logits = zip(*made, strict=True)
        return tf.concat(features, 0).numpy(), tf.concat(logits, 0).numpy()


def _resized(images, side: int, resize: str):
    if resize == "legacy":
        return tf.compat.v1.image.resize_bilinear(images, (side, side))
    return tf.image.resize(images, (side, side), antialias=True)


def make(name: str, weights: str, resize: str = "legacy") -> Extractor:
    """The extractor `name`.

    Args:
      name: "inception_2015", or "mobilenet_v2", or another function of `keras.applications` in
        small letters (`KERAS`).
      weights: inception_2015: classify_image_graph_def.pb; else a weights file with the top.
      resize: see `Extractor`.

    Raises:
      UserError: the name is unknown, or the file missing or of another network.
    """
    check(name, weights)
    return _inception(weights, resize) if name == INCEPTION else _keras(name, weights, resize)


def check(name: str, weights: str) -> None:
    """Raises UserError where there is no extractor of that name, or no weights file."""
    if name != INCEPTION and name not in KERAS:
        valid = ", ".join([INCEPTION, *KERAS])
        raise UserError(f"--extractor: no extractor {name!r}; valid names: {valid}")
    if not weights:
        what = "classify_image_graph_def.pb" if name == INCEPTION else f"the weights of {name}"
        raise UserError(f"--extractor={name} needs --extractor_weights=FILE: {what}")
    if not is_file(weights):
        raise UserError(f"--extractor_weights: there is no file {weights}")


def _inception(path: str, resize: str) -> Extractor:
    """The graph of 2015: features pool_3 [B, 2048], logits without the bias, as published."""
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(Path(path).read_bytes())
        pooled, weights = _import(graph)
    except (DecodeError, KeyError, ValueError) as error:
        raise UserError(
            f"--extractor_weights: {path} is not the Inception graph of 2015 "
            f"(classify_image_graph_def.pb): {str(error).strip().splitlines()[0]}"
        ) from error

    def forward(images):
        # The graph takes (x - 128) / 128 of 0 to 255; its own resizing is for a single image.
        maps = pooled((images * 127.5 + 127.5 - 128.0) / 128.0)  # [B, 1, 1, D]
        features = tf.reshape(maps, (-1, weights.shape[0]))
        return features, tf.matmul(features, weights)

    return Extractor(INCEPTION, resize, sha256_file(path), _INCEPTION_SIDE, forward)


def _import(graph) -> tuple[Callable, tf.Tensor]:
    """Images [B, 299, 299, 3] -> pool_3 [B, 1, 1, D], and the classifier's weights [D, classes]."""
    spec = tf.TensorSpec((None, _INCEPTION_SIDE, _INCEPTION_SIDE, 3), tf.float32)

    def pool(images):
        # In the file's own graph the batch is a single image: what leads to _INPUT is replaced.
        return tf.import_graph_def(
            graph, input_map={_INPUT: images}, return_elements=[_POOL], name=""
        )[0]

    pooled = tf.compat.v1.wrap_function(pool, signature=[spec])
    weights = pooled.graph.get_operation_by_name(_LOGITS).inputs[1]
    return pooled, pooled.prune([], weights)()


def _keras(name: str, weights: str, resize: str) -> Extractor:
    """A network of keras.applications: features before the classifier, logits before softmax."""
    network = KERAS[name]
    model = applications.constructor(network)(weights=None, classifier_activation=None)
    what = f"{name} with its classifier"
    weights_files.load(model, weights, what, flag="extractor_weights")
    side, preprocess = applications.published_size(network), applications.preprocessing(network)
    both = keras.Model(model.input, [model.layers[-2].output, model.output])

    def forward(images):
        return both(preprocess(images * 127.5 + 127.5), training=False)

    return Extractor(name, resize, sha256_file(weights), side, forward)


# By their names here, what keras.applications calls them.
KERAS = {
    "mobilenet_v2": "MobileNetV2",
    "resnet50": "ResNet50",
    "inception_v3": "InceptionV3",
    "vgg16": "VGG16",
    "efficientnet_b0": "EfficientNetB0",
}
