"""Features of quadrants, by which look-alike quadrants are found (thesis, 3.4 and algorithm 2).

The one interface is a function from a batch of quadrants to a batch of features: a
`FeatureNetwork` of `lorbms_tf.features.registry`.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from lorbms_tf.data.images import decode_jpeg
from lorbms_tf.data.quadrants import NUM_QUADRANTS, quadrant
from lorbms_tf.features import registry
from lorbms_tf.features.network import FeatureNetwork
from lorbms_tf.progress import track
from tfrecords_tools.build_config import BuildConfig

ITEMS_AT_A_TIME = 64  # images that are held decoded


def network_of(config: BuildConfig) -> FeatureNetwork:
    """The feature network that the flags name. UserError as `registry.quadrant_network`."""
    return registry.quadrant_network(
        config.features, config.weights, config.seed, config.feature_size
    )


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
      network: see `registry.quadrant_network`.
      batch_size: items that are held decoded at a time; it does not change the result.
      progress: wraps the items to show progress, as `lorbms_tf.progress.track`; None for silence.
      total: number of items N, needed where `items` has no length.

    Returns:
      float32 [N, 4, D], quadrants in the order of `data.quadrants`. It is the only thing that
      grows: N * 16 * D bytes, which is 20 kB an item at D = 1280 and 6.9 GB for tr_v5.

    Raises:
      BadImage: an item cannot be decoded (named by its number).
      ValueError: items are not square, not even, of different sizes, or not `total` many.
    """
    total = len(items) if total is None else total
    features = np.empty((total, NUM_QUADRANTS, network.dimension), np.float32)
    tracked = progress(items, total=total, label="quadrant features") if progress else items
    images = (
        decode_jpeg(item, f"item {number}") if isinstance(item, bytes) else item
        for number, item in enumerate(tracked)
    )
    done = 0
    for block in blocks(images, total, network, batch_size):
        features[done : done + len(block)] = block
        done += len(block)
    for _ in images:  # with none left, the progress comes to its end
        raise ValueError(f"there are more than {total} items")
    return features


def blocks(
    images: Iterator[np.ndarray],
    total: int,
    network: FeatureNetwork,
    batch_size: int = ITEMS_AT_A_TIME,
) -> Iterator[np.ndarray]:
    """Features float32 [B, 4, D] of the next `total` images, as `compute` gives them, by blocks.

    images: uint8 [S, S, 3]; no more than `total` are taken. ValueError where there are fewer.
    """
    for start in range(0, total, batch_size):
        wanted = min(batch_size, total - start)
        block = list(itertools.islice(images, wanted))
        if len(block) < wanted:
            raise ValueError(f"there are {start + len(block)} items, not {total}")
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
