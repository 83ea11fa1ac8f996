"""`--features=alexnet`: the project's own AlexNet, with random weights or those of a file."""

from lorbms_tf.files import sha256_file
from lorbms_tf.networks import weights_files
from lorbms_tf.networks.alexnet import AlexNet, smallest_image
from tfrecords_tools.feature_networks import base


def build(name: str, weights: str, seed: int, input_size: int) -> base.FeatureNetwork:
    """AlexNet, its conv5 averaged to 2 x 2 cells: D = 1024 at any input size, not normalised.

    `weights` is a .weights.h5 file of `AlexNet(channels=3)` with the usual convolutions and any
    number of outputs; "none" is random weights from `seed`, which see colour and coarse texture
    only.
    """
    input_size = input_size or 64
    if input_size < smallest_image():
        raise base.too_small(name, input_size, smallest_image())
    model = AlexNet(image_size=input_size, channels=3, dense_widths=(), outputs=0, seed=seed)
    if weights != base.RANDOM:
        weights_files.load(model, weights, "alexnet with 3 channels")
    width = model.settings["conv_widths"][-1]

    def forward(images):
        return base.square_cells(model.features(images, "conv5"), width)

    digest = sha256_file(weights) if weights != base.RANDOM else base.hash_weights(model)
    return base.FeatureNetwork(name, forward, input_size, 4 * width, digest)
