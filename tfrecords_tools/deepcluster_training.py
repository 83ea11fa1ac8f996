"""The loop of DeepCluster: cluster the features, learn the clusters, again (Caron et al. 2018).

    OUT/config.json   crops.npy   state.npz   deepcluster.weights.h5   logs/ (TensorBoard)

The state is written whole after each epoch; a run that is killed goes on from the last one and
comes to the same weights.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from lorbms_tf.data.images import tf_to_float
from lorbms_tf.errors import UserError
from lorbms_tf.features import deepcluster
from lorbms_tf.progress import clock, track
from lorbms_tf.pseudo_labels import clusters, run_folder, state_files
from lorbms_tf.pseudo_labels.learning import Learner, epoch_batches
from tfrecords_tools import deepcluster_crops
from tfrecords_tools.deepcluster_config import DeepClusterConfig
from tfrecords_tools.deepcluster_crops import Crops

STATE_FILE, CROPS_FILE = "state.npz", "crops.npy"
WEIGHTS_FILE = "deepcluster" + deepcluster.SUFFIX
LOGS = "logs"
_COMMAND = "tfrecords_tools.deepcluster"
MOST_FITTED = 50_000  # features that the whitening is computed from
_BLOCK = 64  # quadrants whose features are computed at a time


def prepare(config: DeepClusterConfig) -> Path:
    """Makes the folder of a run, or finds the run that is there.

    Raises UserError where there is a run with other settings, or something else.
    """
    if not Path(config.images).is_dir():
        raise UserError(f"--images: image folder {config.images} does not exist or is not a folder")
    return run_folder.prepare(config, _COMMAND)


def train(config: DeepClusterConfig) -> Path:
    """Trains, or goes on training, and returns the weights file. Raises UserError (`prepare`)."""
    folder = prepare(config)
    crops = deepcluster_crops.open_or_make(
        folder / CROPS_FILE,
        config.images,
        config.input_size,
        config.min_size,
        config.max_photos,
        config.seed,
        config.num_workers,
    )
    run = Run(config, crops)
    done = run.restore(folder / STATE_FILE)
    writer = tf.summary.create_file_writer(str(folder / LOGS))
    start = time.monotonic()
    for epoch in range(done, config.epochs):
        found = run.epoch(epoch)
        # The state last: a kill between the two repeats the epoch, else its weights would be lost.
        deepcluster.write(run.network, folder / WEIGHTS_FILE)
        run.save(folder / STATE_FILE, epoch + 1)
        with writer.as_default(step=epoch + 1):
            for name, value in found.items():
                if np.isfinite(value):  # there is no NMI in the first epoch
                    tf.summary.scalar(f"deepcluster/{name}", value)
            writer.flush()
        left = (time.monotonic() - start) / (epoch + 1 - done) * (config.epochs - epoch - 1)
        print(f"epoch {epoch + 1}/{config.epochs}: {_line(found)}, ETA {clock(left)}", flush=True)
    return folder / WEIGHTS_FILE


def _diverged(label: str, reason: str) -> UserError:
    return UserError(
        f"{label}: {reason}; go on from the epoch before with a smaller --learning_rate"
    )


def _line(found: dict[str, float]) -> str:
    nmi = f"{found['nmi']:.3f}" if np.isfinite(found["nmi"]) else "none yet"
    return (
        f"loss {found['loss']:.3f}, accuracy {found['accuracy']:.1%}, NMI with the epoch before "
        f"{nmi}, clusters of {found['smallest']:.0f} to {found['largest']:.0f}, "
        f"{found['reseeded']:.0f} re-seeded, {found['seconds']:.0f} s"
    )


class Run:
    """The network, its learner and the last clustering.

    Args:
      config: the settings.
      crops: quadrants of `config.input_size`.

    Raises UserError where there are fewer quadrants than clusters.
    """

    def __init__(self, config: DeepClusterConfig, crops: Crops):
        self.config, self.crops = config, crops
        self.num_clusters = config.num_clusters or clusters.automatic_num_clusters(len(crops))
        if self.num_clusters > len(crops):
            raise UserError(
                f"--num_clusters={self.num_clusters} is more than there are quadrants: {len(crops)}"
            )
        self.network = config.network(self.num_clusters)
        self.learner = Learner(
            self.network,
            config.learning_rate,
            config.momentum,
            config.weight_decay,
            config.smallest_area,
        )
        self.assignment: np.ndarray | None = None  # int64 [N], of the last clustering
        self._features = tf.function(self._features_eagerly)

    def epoch(self, number: int) -> dict[str, float]:
        """Clusters and learns once; number counts from 0. Returns what to log, by name.

        Raises UserError where loss or features are no longer finite.
        """
        start = time.monotonic()
        config, label = self.config, f"epoch {number + 1}/{self.config.epochs}"
        found = clusters.kmeans(self._points(label), self.num_clusters, config.seed + number)
        before, self.assignment = self.assignment, found.assignment
        self.learner.new_head(config.seed + number)
        batches = epoch_batches(
            self.crops.take,
            self.assignment,
            config.batch_size,
            (config.seed, number),
            f"{label}, learning",
        )
        learnt = self.learner.learn(batches, config.seed + number)
        if not np.isfinite(learnt.loss):
            raise _diverged(label, "the loss is not finite")
        sizes = np.bincount(found.assignment, minlength=self.num_clusters)
        nmi = float("nan")
        if before is not None:
            nmi = clusters.normalised_mutual_information(before, found.assignment)
        return {
            "loss": learnt.loss,
            "accuracy": learnt.accuracy,
            "nmi": nmi,
            "kmeans_loss": found.loss,
            "smallest": float(sizes.min()),
            "largest": float(sizes.max()),
            "reseeded": float(found.reseeded),
            "seconds": time.monotonic() - start,
        }

    def _points(self, label: str) -> np.ndarray:
        """What k-means gets: whitened features of all quadrants, float32 [N, d]."""
        count = len(self.crops)
        fitted = np.arange(count)
        if count > MOST_FITTED:
            rng = np.random.default_rng(self.config.seed)
            fitted = np.sort(rng.choice(count, MOST_FITTED, replace=False))
        features = np.concatenate(list(self._feature_blocks(fitted, f"{label}, features")))
        try:
            whitening = clusters.fit_whitening(features, self.config.pca)
        except ValueError as error:
            raise _diverged(label, str(error)) from error
        if len(fitted) == count:
            return whitening(features)
        blocks = self._feature_blocks(np.arange(count), f"{label}, features of all")
        return np.concatenate([whitening(block) for block in blocks])

    def _feature_blocks(self, places: np.ndarray, label: str) -> Iterator[np.ndarray]:
        starts = range(0, len(places), _BLOCK)
        for start in track(starts, label=label, unit="block"):
            crops = self.crops.take(places[start : start + _BLOCK])
            missing = [(0, _BLOCK - len(crops)), (0, 0), (0, 0), (0, 0)]
            yield self._features(tf.constant(np.pad(crops, missing))).numpy()[: len(crops)]

    def _features_eagerly(self, quadrants):
        return self.network.features(tf_to_float(quadrants))

    def save(self, path: Path, epochs: int) -> None:
        """Writes everything that the next epoch depends on. Raises UserError where it cannot."""
        state = {"assignment": self.assignment, **self.learner.state()}
        state_files.write_epochs(path, epochs, state)

    def restore(self, path: Path) -> int:
        """Takes over a saved state and returns its number of epochs; 0 where there is none.

        Raises UserError where the file is damaged or of other quadrants.
        """

        def restore(state):
            assignment = state.pop("assignment")
            if len(assignment) != len(self.crops):
                raise ValueError(f"it is of {len(assignment)} quadrants, not {len(self.crops)}")
            self.learner.restore(state)
            self.assignment = assignment

        return state_files.resume(path, restore)
