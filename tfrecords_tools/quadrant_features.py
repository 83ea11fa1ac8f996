"""Features of quadrants, by which look-alike quadrants are found (thesis, 3.4 and algorithm 2).

The one interface is a function from a batch of quadrants to a batch of features. A further network
is a function that returns a `FeatureNetwork`, entered in `NETWORKS`.
"""

import hashlib
import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lorbms_tf.data.images import decode_jpeg
from lorbms_tf.errors import UserError
from lorbms_tf.files import sha256_file
from lorbms_tf.networks.alexnet import SMALLEST_IMAGE, AlexNet
from lorbms_tf.progress import track
from lorbms_tf.quadrants import NUM_QUADRANTS, quadrant

BATCH = 64  # quadrants in one call of the network; fixed, so that it is traced once
ITEMS_AT_A_TIME = 64  # images that are held decoded


class FeatureNetwork:
    """A function from quadrants to features, with what a dataset must remember of it.

    Attributes:
      name: as in `NETWORKS`.
      input_size: quadrants are resized to so many pixels a side; squares of twice as many give it
        exactly what it reads.
      dimension: length of a feature vector, D.
      weights_hash: SHA-256 of the weights file, or of the weights themselves without a file.
    """

    def __init__(
        self, name: str, forward: Callable, input_size: int, dimension: int, weights_hash: str
    ):
        """`forward` maps images [BATCH, input_size, input_size, 3] in [-1, 1] to [BATCH, D]."""
        self.name = name
        self.input_size = input_size
        self.dimension = dimension
        self.weights_hash = weights_hash

        @tf.function(input_signature=[tf.TensorSpec((BATCH, None, None, 3), tf.uint8)])
        def run(quadrants):
            images = tf.cast(quadrants, tf.float32) / 127.5 - 1.0
            images = tf.image.resize(images, (input_size, input_size))  # bilinear
            return tf.cast(forward(images), tf.float32)

        self._run = run

    def __call__(self, quadrants: np.ndarray) -> np.ndarray:
        """Quadrants uint8 RGB [N, h, w, 3], any h and w -> features float32 [N, D].

        Raises ValueError where `quadrants` are of another type or shape.
        """
        if quadrants.ndim != 4 or quadrants.shape[3] != 3 or quadrants.dtype != np.uint8:
            raise ValueError(
                f"quadrants must be uint8 [N, h, w, 3], not {quadrants.dtype} {quadrants.shape}"
            )
        count = len(quadrants)
        features = np.empty((count, self.dimension), np.float32)
        for start in range(0, count, BATCH):
            block = quadrants[start : start + BATCH]
            padding = [(0, BATCH - len(block)), (0, 0), (0, 0), (0, 0)]
            features[start : start + BATCH] = self._run(np.pad(block, padding))[: len(block)]
        return features


def extractor(name: str, weights: str = "", seed: int = 0, input_size: int = 0) -> FeatureNetwork:
    """The feature network `name`.

    Args:
      name: "alexnet" or "mobilenet_v2" (`NETWORKS`).
      weights: weights file; "" means seeded random weights for alexnet, and the ImageNet weights
        that Keras downloads for mobilenet_v2.
      seed: of random weights.
      input_size: pixels a side that quadrants are resized to; 0 means the network's own choice,
        64 for alexnet and 128 for mobilenet_v2.

    Raises:
      UserError: the name is unknown, the weights file is missing or belongs to another network,
        the weights cannot be downloaded, or the input is too small for the network.
    """
    if name not in NETWORKS:
        raise UserError(f"--features: unknown network {name!r}; valid are {', '.join(NETWORKS)}")
    if weights and not Path(weights).is_file():
        raise UserError(f"--weights: there is no file {weights}")
    return NETWORKS[name](weights, seed, input_size)


def compute(
    items: Iterable[bytes | np.ndarray],
    network: FeatureNetwork,
    batch_size: int = ITEMS_AT_A_TIME,
    progress: Callable | None = track,
    total: int | None = None,
) -> np.ndarray:
    """The features of all quadrants of all items.

    Args:
      items: square images of one even size, each as JPEG bytes or as uint8 [S, S, 3]; any S, so
        that quadrants may be cut from more pixels than are trained on. They are read once and in
        order, so a generator need not hold them all.
      network: see `extractor`.
      batch_size: items that are held decoded at a time; it does not change the result.
      progress: wraps the items to show progress, as `lorbms_tf.progress.track`; None for silence.
      total: number of items N, needed where `items` has no length.

    Returns:
      float32 [N, 4, D], quadrants in the order of `lorbms_tf.quadrants`. It is the only thing that
      grows: N * 16 * D bytes, which is 20 kB an item at D = 1280 and 6.9 GB for tr_v5.

    Raises:
      BadImage: an item cannot be decoded (named by its number).
      ValueError: items are not square, not even, of different sizes, or not `total` many.
    """
    total = len(items) if total is None else total
    features = np.empty((total, NUM_QUADRANTS, network.dimension), np.float32)
    done = 0
    block: list[np.ndarray] = []
    tracked = progress(items, total=total, label="quadrant features") if progress else items
    for item in tracked:
        if done + len(block) == total:
            raise ValueError(f"there are more than {total} items")
        if isinstance(item, bytes):
            item = decode_jpeg(item, f"item {done + len(block)}")
        block.append(item)
        if len(block) == batch_size or done + len(block) == total:
            features[done : done + len(block)] = _of_block(block, network)
            done += len(block)
            block = []
    if done != total:
        raise ValueError(f"there are {done + len(block)} items, not {total}")
    return features


def blocks(images: Iterator[np.ndarray], total: int, network: FeatureNetwork) -> Iterator:
    """Features float32 [B, 4, D] of the next `total` images, as `compute` gives them, by blocks.

    images: uint8 [S, S, 3]; no more than `total` are taken. ValueError where there are fewer.
    """
    for start in range(0, total, ITEMS_AT_A_TIME):
        block = list(itertools.islice(images, min(ITEMS_AT_A_TIME, total - start)))
        if len(block) < min(ITEMS_AT_A_TIME, total - start):
            raise ValueError(f"there are {start + len(block)} images, not {total}")
        yield _of_block(block, network)


def _of_block(block: list[np.ndarray], network: FeatureNetwork) -> np.ndarray:
    """Images uint8 [S, S, 3], B of them -> features [B, 4, D]."""
    size = block[0].shape[0]
    for image in block:
        if image.shape != (size, size, 3) or size % 2:
            raise ValueError(f"items must be [S, S, 3], S even and the same, not {image.shape}")
    images = np.stack(block)  # [B, S, S, 3]
    quads = np.stack([quadrant(images, i) for i in range(NUM_QUADRANTS)], axis=1)
    features = network(quads.reshape(-1, size // 2, size // 2, 3))  # [B * 4, D]
    return features.reshape(len(block), NUM_QUADRANTS, network.dimension)


def _alexnet(weights: str, seed: int, input_size: int) -> FeatureNetwork:
    """AlexNet, its conv5 averaged to 2 x 2 cells: D = 1024 at any input size, not normalised.

    `weights` is a .weights.h5 file of `AlexNet(channels=3)` with the usual convolutions and any
    number of outputs (thesis: DeepCluster's AlexNet); "" is random weights from `seed`, which see
    colour and coarse texture only. The cells keep where in a quadrant things are, at a sixth of the
    memory of conv5 itself.
    """
    input_size = input_size or 64
    if input_size < SMALLEST_IMAGE:
        raise _too_small("alexnet", input_size, SMALLEST_IMAGE)
    model = AlexNet(image_size=input_size, channels=3, outputs=0, seed=seed)
    if weights:
        _load_weights(model, weights, "alexnet with 3 channels")
    width = model.settings["conv_widths"][-1]

    def forward(images):
        features = model.features(images, "conv5")  # [B, side * side * width]
        side = math.isqrt(features.shape[1] // width)
        maps = tf.reshape(features, (BATCH, side, side, width))
        cells = tf.image.resize(maps, (2, 2), method="area")  # averages, also for an odd side
        return tf.reshape(cells, (BATCH, 4 * width))

    digest = sha256_file(weights) if weights else _hash_weights(model)
    return FeatureNetwork("alexnet", forward, input_size, 4 * width, digest)


def _mobilenet_v2(weights: str, seed: int, input_size: int) -> FeatureNetwork:
    """MobileNetV2, averaged over all places after the last convolution, of length 1: D = 1280.

    `weights` is a file of `keras.applications.MobileNetV2`, with or without top.
    """
    del seed  # its weights are never random
    input_size = input_size or 128
    if input_size < 32:
        raise _too_small("mobilenet_v2", input_size, 32)
    if weights:
        model, digest = _mobilenet_v2_from_file(weights, input_size), sha256_file(weights)
    else:
        model = _mobilenet_v2_from_imagenet(input_size)
        digest = _hash_weights(model)

    def forward(images):
        # Unscaled, a quadrant with few strong features is near to everything: among 229 COCO
        # photos the nearest shared a category for 31 % of the quadrants, scaled for 44 %.
        features = model(images, training=False)  # [B, 1280]
        return tf.math.divide_no_nan(features, tf.norm(features, axis=-1, keepdims=True))

    return FeatureNetwork("mobilenet_v2", forward, input_size, 1280, digest)


def _mobilenet_v2_from_file(weights: str, input_size: int) -> keras.Model:
    shape = (input_size, input_size, 3)
    full = keras.applications.MobileNetV2(shape, weights=None, classes=1000)
    headless = keras.Model(full.input, full.layers[-2].output)
    try:
        _load_weights(full, weights, "mobilenet_v2 with top")
    except UserError:
        _load_weights(headless, weights, "mobilenet_v2, with or without top")
    return headless


def _mobilenet_v2_from_imagenet(input_size: int) -> keras.Model:
    try:
        return keras.applications.MobileNetV2(
            (input_size, input_size, 3), include_top=False, pooling="avg", weights="imagenet"
        )
    except Exception as error:
        # A failed download is a plain Exception of Keras, known only by its text.
        if "URL fetch failure" not in str(error):
            raise
        raise UserError(
            "the ImageNet weights of mobilenet_v2 cannot be downloaded: pass a file of them by "
            f"--weights=FILE, or take --features=alexnet ({error})"
        ) from error


def _too_small(name: str, input_size: int, smallest: int) -> UserError:
    return UserError(f"{name} reads quadrants of at least {smallest} px, not {input_size}")


def _load_weights(model: keras.Model, weights: str, network: str) -> None:
    try:
        with warnings.catch_warnings():
            # Keras warns of each part that an older file lacks; what matters it raises.
            warnings.simplefilter("ignore")
            model.load_weights(weights)
    except (ValueError, OSError, KeyError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"--weights: {weights} does not hold the weights of {network}: {reason}"
        ) from error


def _hash_weights(model: keras.Model) -> str:
    digest = hashlib.sha256()
    for variable in model.weights:
        digest.update(np.ascontiguousarray(variable.numpy()).tobytes())
    return digest.hexdigest()


# Each takes (weights, seed, input_size) as `extractor` does.
NETWORKS: dict[str, Callable[[str, int, int], FeatureNetwork]] = {
    "alexnet": _alexnet,
    "mobilenet_v2": _mobilenet_v2,
}
