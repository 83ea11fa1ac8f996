"""`--features=deepcluster`: DeepCluster's AlexNet (thesis, 3.4), and its weights files.

A weights file is a .weights.h5 of Keras that also tells the sizes of its network. Two commands
write them: `tfrecords_tools.convert_deepcluster` and `tfrecords_tools.deepcluster`.
"""

from pathlib import Path

from lorbms_tf.errors import UserError
from lorbms_tf.files import sha256_file
from lorbms_tf.networks import weights_files
from lorbms_tf.networks.deepcluster import DeepClusterAlexNet, smallest_image
from tfrecords_tools.feature_networks import base

SETTINGS = "deepcluster"  # the file's attribute that holds them
SUFFIX = weights_files.SUFFIX


def build(name: str, weights: str, seed: int, input_size: int) -> base.FeatureNetwork:
    """fc7 before its ReLU, as DeepCluster clusters it: D = 4096, not normalised.

    Args:
      name: "deepcluster".
      weights: a file that `write` made; "none": random weights of the published sizes from `seed`.
      seed: of random weights.
      input_size: as the weights ask, or 0; without weights any the network can read (224).
    """
    if weights != base.RANDOM:
        network = read(weights)
        fixed = network.settings["image_size"]
        if input_size not in (0, fixed):
            raise UserError(
                f"the network in --weights={weights} reads quadrants of {fixed} px: leave out "
                f"--feature_size={input_size}"
            )
        digest = sha256_file(weights)
    else:
        if 0 < input_size < smallest_image():
            raise base.too_small(name, input_size, smallest_image())
        network = DeepClusterAlexNet(image_size=input_size or 224, seed=seed)
        digest = base.hash_weights(network)
    settings = network.settings
    return base.FeatureNetwork(
        name, network.features, settings["image_size"], settings["dense_widths"][-1], digest
    )


def without_head(network: DeepClusterAlexNet) -> DeepClusterAlexNet:
    """A copy of a network without its logits."""
    copy = DeepClusterAlexNet(**{**network.settings, "outputs": 0})
    copy.set_weights(network.get_weights()[: len(copy.weights)])
    return copy


def write(network: DeepClusterAlexNet, path: str | Path) -> None:
    """Writes a weights file atomically, without the network's logits.

    Raises UserError where it cannot be written or is not named *.weights.h5.
    """
    weights_files.write(without_head(network), path, SETTINGS)


def read(path: str | Path) -> DeepClusterAlexNet:
    """The network that a weights file holds. Raises UserError where the file is none of `write`."""
    try:
        settings = weights_files.read_settings(path, SETTINGS)
    except ValueError as error:
        raise UserError(
            f"--weights: {path} does not hold the weights of deepcluster, as written by "
            f"tfrecords_tools.convert_deepcluster or tfrecords_tools.deepcluster: {error}"
        ) from error
    network = DeepClusterAlexNet(**settings)
    weights_files.load(network, path, "deepcluster")
    return network
