"""CaffeNet, the AlexNet that comes with Caffe: encoder and comparator of seed 000.

Its weights are Caffe's `bvlc_reference_caffenet.caffemodel`, or an .npz file that has
"conv1/kernel" [11, 11, 3, 96], "conv1/bias" [96] and so on to "conv5", then "fc6/kernel" [9216,
4096] (places before channels), "fc7", "fc8". Files without dense layers serve for the convolutions.
Caffe's other one, `bvlc_alexnet`, has the same shapes, but is normalised before its pools: not this
network.
"""

from collections.abc import Callable, Sequence
from typing import Any

from lorbms_tf.features import array_files, caffe_files
from lorbms_tf.features.applications import RANDOM
from lorbms_tf.features.vgg import caffe_pixels
from lorbms_tf.networks.alexnet import DENSE, AlexNet, dense_count

SIDE = 227  # pixels that the dense layers read
MEAN_BGR = (104.007, 116.669, 122.679)  # of ImageNet's training images, as Caffe's model has it
_DENSE_WIDTHS, _CLASSES = (4096, 4096), 1000


def build(layers: Sequence[str], weights: str, seed: int) -> tuple[AlexNet, Callable]:
    """The network as far as the layers need it, and the preparation of images in [-1, 1].

    Args:
      layers: names; dense layers are made only where one of them is named.
      weights: a file (see above), or "none" for random ones.
      seed: of random weights.

    Raises UserError where the file is missing, or lacks an array.
    """
    count = dense_count(layers)
    network = AlexNet(
        image_size=SIDE,
        channels=3,
        dense_widths=_DENSE_WIDTHS[:count],
        outputs=_CLASSES if count == len(DENSE) else 0,
        seed=seed,
        batch_norm=False,
        layout="caffenet",
    )
    if weights != RANDOM:
        arrays = array_files.read(weights, "CaffeNet")
        if weights.endswith(caffe_files.SUFFIX):
            arrays = array_files.with_places_first(arrays, DENSE[0], network.convs[-1].filters)
        array_files.assign(network.weighted_layers(), arrays, weights, "CaffeNet")
    return network, _prepared


def _prepared(images: Any) -> Any:
    return caffe_pixels(images, MEAN_BGR)
