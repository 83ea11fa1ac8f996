"""CaffeNet, the AlexNet that comes with Caffe: encoder and comparator of seed 000.

An .npz file has "conv1/kernel" [11, 11, 3, 96], "conv1/bias" [96] and so on to "conv5", then
"fc6/kernel" [9216, 4096] (places before channels), "fc7", "fc8". Files without dense layers serve
for the convolutions.
"""

from collections.abc import Callable, Sequence
from typing import Any

from lorbms_tf.features import array_files
from lorbms_tf.features.applications import RANDOM
from lorbms_tf.features.vgg import caffe_pixels
from lorbms_tf.networks.alexnet import DENSE, AlexNet

SIDE = 227  # pixels that the dense layers read
MEAN_BGR = (104.007, 116.669, 122.679)  # of ImageNet's training images, as Caffe's model has it
_DENSE_WIDTHS, _CLASSES = (4096, 4096), 1000


def build(layers: Sequence[str], weights: str, seed: int) -> tuple[AlexNet, Callable]:
    """The network as far as the layers need it, and the preparation of images in [-1, 1].

    Args:
      layers: names; dense layers are made only where one of them is named.
      weights: an .npz file (see above), or "none" for random ones.
      seed: of random weights.

    Raises UserError where the file is missing, or lacks an array.
    """
    wanted = [name for name in DENSE if name in layers]
    count = DENSE.index(wanted[-1]) + 1 if wanted else 0
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
        inner = [*network.convs, *network.hidden, *([network.head] if network.head else [])]
        names = [name for name in network.layer_names if name != "pool5"]
        arrays = array_files.read(weights, "CaffeNet")
        array_files.assign(zip(names, inner, strict=True), arrays, weights, "CaffeNet")
    return network, _prepared


def _prepared(images: Any) -> Any:
    return caffe_pixels(images, MEAN_BGR)
