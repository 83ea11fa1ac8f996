"""`--features=deepcluster`: DeepCluster's AlexNet (thesis, 3.4), and its weights files.

A weights file is a .weights.h5 of Keras that also tells the sizes of its network. Two commands
write them: `tfrecords_tools.convert_deepcluster` and `tfrecords_tools.deepcluster`.
"""

from pathlib import Path

from lorbms_tf.errors import UserError
from lorbms_tf.features import quadrants
from lorbms_tf.features.applications import RANDOM
from lorbms_tf.features.network import FeatureNetwork, Outputs
from lorbms_tf.files import sha256_file
from lorbms_tf.networks import weights_files
from lorbms_tf.networks.deepcluster import DeepClusterAlexNet, smallest_image

SETTINGS = "deepcluster"  # the file's attribute that holds them
SUFFIX = weights_files.SUFFIX


def build(name: str, weights: str, seed: int, side: int) -> FeatureNetwork:
    """fc7 before its ReLU, as DeepCluster clusters it: D = 4096, not normalised.

    Args:
      name: "deepcluster".
      weights: a file that `write` made; "none": random weights of the published sizes from `seed`.
      seed: of random weights.
      side: as the weights ask, or 0; without weights any the network can read (224).
    """
    if weights != RANDOM:
        network = read(weights)
        fixed = network.settings["image_size"]
        if side not in (0, fixed):
            raise UserError(
                f"the network in --weights={weights} reads quadrants of {fixed} px: leave out "
                f"--feature_size={side}"
            )
        digest = sha256_file(weights)
    else:
        if 0 < side < smallest_image():
            raise quadrants.too_small(name, side, smallest_image())
        network = DeepClusterAlexNet(image_size=side or 224, seed=seed)
        digest = weights_files.hash_weights(network)
    return FeatureNetwork(
        name,
        lambda images, training: Outputs(network.features(images)),
        network.settings["image_size"],
        network.settings["dense_widths"][-1],
        digest,
        network=network,
        kind=SETTINGS,
        reading=quadrants.READING,
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
