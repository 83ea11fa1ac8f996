"""`--features=alexnet`: the project's own AlexNet, with random weights or those of a file.

And torchvision's AlexNet, whose layers LPIPS reads.
"""

from collections.abc import Callable, Sequence

from lorbms_tf.features import array_files, quadrants, torchvision_files
from lorbms_tf.features.applications import RANDOM
from lorbms_tf.features.network import FeatureNetwork, Outputs
from lorbms_tf.files import sha256_file
from lorbms_tf.networks import weights_files
from lorbms_tf.networks.alexnet import (
    DENSE,
    TORCHVISION_WIDTHS,
    AlexNet,
    dense_count,
    smallest_image,
)

_TORCHVISION_SIDE = 224  # pixels that its dense layers read: 6x6 maps, which no mean is needed for
_TORCHVISION_DENSE, _CLASSES = (4096, 4096), 1000


def build(name: str, weights: str, seed: int, side: int) -> FeatureNetwork:
    """AlexNet, its conv5 averaged to 2 x 2 cells: D = 1024 at any side, not normalised.

    `weights` is a .weights.h5 file of `AlexNet(channels=3)` with the usual convolutions and any
    number of outputs; "none" is random weights from `seed`, which see colour and coarse texture
    only.
    """
    side = side or 64
    if side < smallest_image():
        raise quadrants.too_small(name, side, smallest_image())
    model = AlexNet(image_size=side, channels=3, dense_widths=(), outputs=0, seed=seed)
    if weights != RANDOM:
        weights_files.load(model, weights, "alexnet with 3 channels")
    width = model.settings["conv_widths"][-1]

    def forward(images, training):
        return Outputs(quadrants.square_cells(model.features(images, "conv5", training), width))

    digest = sha256_file(weights) if weights != RANDOM else weights_files.hash_weights(model)
    return FeatureNetwork(
        name, forward, side, 4 * width, digest, network=model, reading=quadrants.READING
    )


def of_torchvision(path: str, layers: Sequence[str] = ()) -> tuple[AlexNet, Callable]:
    """torchvision's AlexNet, and the preparation of images in [-1, 1].

    Args:
      path: its state dict (`torchvision_files`).
      layers: names; dense layers are made only where one of them is named, and read 224 px.

    Raises UserError where it is none, or lacks a layer.
    """
    name, layout = "torchvision's AlexNet", "torchvision"
    count = dense_count(layers)
    network = AlexNet(
        image_size=_TORCHVISION_SIDE if count else smallest_image(layout),
        channels=3,
        conv_widths=TORCHVISION_WIDTHS,
        dense_widths=_TORCHVISION_DENSE[:count],
        outputs=_CLASSES if count == len(DENSE) else 0,
        batch_norm=False,
        layout=layout,
    )
    stored = array_files.read(path, name)
    arrays = torchvision_files.renamed(stored, AlexNet.layer_names, path, name)
    arrays |= torchvision_files.dense(stored, DENSE[:count])
    arrays = array_files.with_places_first(arrays, DENSE[0], TORCHVISION_WIDTHS[-1])
    array_files.assign(network.weighted_layers(), arrays, path, name)
    return network, torchvision_files.prepare
