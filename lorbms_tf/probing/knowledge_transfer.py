"""Knowledge transfer (Noroozi et al. 2018; thesis, figure 4.4): a representation taught to AlexNet.

    OUT/config.json   clusters.npz   state.npz   alexnet.weights.h5

The features of all images are clustered by k-means, and AlexNet learns from the images which
cluster each is in. What is finished is not done again: the clusters, and every epoch.
"""

import time
from pathlib import Path

import numpy as np

from lorbms_tf.data.images import central, list_photos
from lorbms_tf.errors import UserError
from lorbms_tf.files import unusable
from lorbms_tf.networks import weights_files
from lorbms_tf.networks.alexnet import AlexNet
from lorbms_tf.probing import features, stl10
from lorbms_tf.probing.labelled import Images, PhotoFiles
from lorbms_tf.probing.settings import TransferConfig
from lorbms_tf.progress import clock
from lorbms_tf.pseudo_labels import clusters, run_folder, state_files
from lorbms_tf.pseudo_labels.learning import Learner, epoch_batches

CLUSTERS_FILE, STATE_FILE = "clusters.npz", "state.npz"
WEIGHTS_FILE = "alexnet" + weights_files.SUFFIX
_STL10 = "stl10:"
_COMMAND = "lorbms_tf.knowledge_transfer"


def transfer(config: TransferConfig) -> Path:
    """Does all of it, or what is left, and returns the weights file.

    Raises UserError where there are too few images or one is unreadable, the features cannot be
    computed, `--out` holds another run, or the loss is no longer finite.
    """
    network = _alexnet(config)  # wrong sizes are told before anything is computed
    images = open_images(config.images, config.alexnet_size)
    if len(images) < config.num_clusters:
        raise UserError(
            f"--num_clusters={config.num_clusters} is more than there are images: {len(images)}"
        )
    folder = run_folder.prepare(config, _COMMAND)
    assignment = pseudo_labels(config, folder / CLUSTERS_FILE)
    _learn(config, network, images, assignment, folder)
    return folder / WEIGHTS_FILE


def open_images(images: str, size: int) -> Images:
    """What `--images` names, `size` pixels a side. Raises UserError where there are none."""
    if images.startswith(_STL10):
        return stl10.unlabelled(Path(images.removeprefix(_STL10)), size)
    return PhotoFiles(list_photos(images), Path(images), size, central)


def pseudo_labels(config: TransferConfig, path: Path) -> np.ndarray:
    """The cluster of each image, int64 [N], from the file `path`, which is made if need be."""
    images = open_images(config.images, config.image_size)
    stored = state_files.read(path)
    if stored:
        if stored.get("names") is None or stored["names"].tolist() != list(images.names):
            raise unusable(path, f"other images than in {config.images}")
        return stored["assignment"]
    found = features.make(config, config.seed)
    print(f"features: {found.name}, weights: {found.weights}", flush=True)
    points = features.compute(found, images, 64, f"{found.name}, features of all images")
    try:
        if config.pca:
            points = clusters.fit_whitening(points, config.pca)(points)
        elif not np.isfinite(points).all():
            raise ValueError("they are not finite")
    except ValueError as error:
        raise UserError(
            f"--features={config.features}: no clusters of the features: {error}"
        ) from error
    made = clusters.kmeans(points, config.num_clusters, config.seed)
    sizes = np.bincount(made.assignment)
    print(f"{config.num_clusters} clusters of {sizes.min()} to {sizes.max()} images", flush=True)
    state_files.write(path, {"assignment": made.assignment, "names": np.array(images.names)})
    return made.assignment


def _alexnet(config: TransferConfig) -> AlexNet:
    try:
        return AlexNet(
            image_size=config.alexnet_size,
            channels=3,
            conv_widths=config.conv_widths,
            dense_widths=config.dense_widths,
            outputs=config.num_clusters,
            seed=config.seed,
            layout="standard",
        )
    except ValueError as error:
        raise UserError(f"--alexnet_size, --conv_widths or --dense_widths: {error}") from error


def _learn(config, network: AlexNet, images: Images, assignment: np.ndarray, folder: Path) -> None:
    """Trains AlexNet on the pseudo-labels, from the last epoch that is finished."""
    learner = Learner(
        network,
        config.learning_rate,
        config.momentum,
        config.weight_decay,
        config.smallest_area,
    )
    done = state_files.resume(folder / STATE_FILE, learner.restore)
    start = time.monotonic()
    for epoch in range(done, config.epochs):
        label = f"epoch {epoch + 1}/{config.epochs}"
        seed = (config.seed, epoch)
        batches = epoch_batches(images.take, assignment, config.batch_size, seed, label)
        learnt = learner.learn(batches, config.seed + epoch)
        if not np.isfinite(learnt.loss):
            raise UserError(
                f"{label}: the loss is not finite; go on from the epoch before with a smaller "
                "--learning_rate"
            )
        state_files.write_epochs(folder / STATE_FILE, epoch + 1, learner.state())
        left = (time.monotonic() - start) / (epoch + 1 - done) * (config.epochs - epoch - 1)
        print(
            f"{label}: loss {learnt.loss:.3f}, accuracy {learnt.accuracy:.1%}, ETA {clock(left)}",
            flush=True,
        )
    weights_files.write(network, folder / WEIGHTS_FILE, "alexnet")
