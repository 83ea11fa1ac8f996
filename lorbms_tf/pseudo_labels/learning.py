"""Learning pseudo-labels: SGD with momentum, and a head that is made anew for each clustering."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from lorbms_tf.progress import track
from lorbms_tf.pseudo_labels import clusters
from lorbms_tf.pseudo_labels.augmentation import crop_and_flip

HEAD_STDDEV = 0.01


class Epoch(NamedTuple):
    """Means over the images of an epoch: cross-entropy, and the share of right labels."""

    loss: float
    accuracy: float


class Learner:
    """Teaches a network the labels that clusters give (Caron et al. 2018; published settings).

    Args:
      network: images [B, S, S, 3] in [-1, 1] to logits, with a dense `head` that makes them, such
        as `DeepClusterAlexNet` or `AlexNet` with outputs; `settings["image_size"]` is S.
      learning_rate: of all weights.
      momentum: of all weights but the head's, which live for one clustering only.
      weight_decay: share of each weight that is added to its gradient.
      smallest_area: of the random crops, as a share of the image.
    """

    def __init__(
        self,
        network,
        learning_rate: float = 0.05,
        momentum: float = 0.9,
        weight_decay: float = 1e-5,
        smallest_area: float = 0.08,
    ):
        self.network = network
        head = {id(variable) for variable in network.head.trainable_variables}
        self._trunk = [v.value for v in network.trainable_variables if id(v) not in head]
        self._head = [v.value for v in network.head.trainable_variables]
        self._momenta = [
            tf.Variable(tf.zeros_like(variable), trainable=False) for variable in self._trunk
        ]
        self._learning_rate, self._momentum = learning_rate, momentum
        self._weight_decay, self._smallest_area = weight_decay, smallest_area
        self._step = tf.function(self._step_eagerly, reduce_retracing=True)

    def new_head(self, seed: int) -> None:
        """Forgets the labels: a new clustering names its clusters anew."""
        kernel, bias = self._head
        rng = np.random.default_rng(seed)
        kernel.assign(rng.normal(0.0, HEAD_STDDEV, kernel.shape).astype(np.float32))
        bias.assign(tf.zeros_like(bias))

    def learn(self, batches: Iterable[tuple[np.ndarray, np.ndarray]], seed: int) -> Epoch:
        """One pass over batches of (images uint8 [B, H, W, 3], labels int [B]).

        `seed` gives the crops and mirror images. A loss that is not finite is returned, not raised.
        """
        losses = right = count = 0.0
        for number, (images, labels) in enumerate(batches):
            loss, correct = self._step(
                tf.constant(images), tf.constant(labels, tf.int32), tf.constant([seed, number])
            )
            losses += float(loss) * len(labels)
            right += float(correct)
            count += len(labels)
        return Epoch(losses / max(count, 1), right / max(count, 1))

    def state(self) -> dict[str, np.ndarray]:
        """Everything that the next epoch depends on, by name: weights, statistics, momenta."""
        return {name: variable.numpy() for name, variable in self._variables().items()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Takes over a `state`. Raises ValueError where it is that of another network."""
        variables = self._variables()
        shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
        if {name: np.shape(value) for name, value in state.items()} != shapes:
            raise ValueError("this is the state of another network")
        for name, variable in variables.items():
            variable.assign(state[name])

    def _variables(self) -> dict[str, tf.Variable]:
        # All variables, not only the weights: those of dropout say how far its draws have come.
        named = {f"network/{i}": v.value for i, v in enumerate(self.network.variables)}
        return {**named, **{f"momentum/{i}": v for i, v in enumerate(self._momenta)}}

    def _step_eagerly(self, images, labels, seed):
        size = self.network.settings["image_size"]
        crops = crop_and_flip(images, seed, size, self._smallest_area)  # [B, S, S, 3]
        with tf.GradientTape() as tape:
            logits = self.network(crops, training=True)  # [B, K]
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            )
        variables = self._trunk + self._head
        gradients = tape.gradient(loss, variables)
        gradients = [
            gradient + self._weight_decay * variable
            for gradient, variable in zip(gradients, variables, strict=True)
        ]
        for variable, velocity, gradient in zip(
            self._trunk, self._momenta, gradients, strict=False
        ):
            velocity.assign(self._momentum * velocity + gradient)
            variable.assign_sub(self._learning_rate * velocity)
        for variable, gradient in zip(self._head, gradients[len(self._trunk) :], strict=True):
            variable.assign_sub(self._learning_rate * gradient)
        correct = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)
        return loss, tf.reduce_sum(tf.cast(correct, tf.float32))


def epoch_batches(
    take: Callable[[np.ndarray], np.ndarray],
    assignment: np.ndarray,
    batch_size: int,
    seed: tuple[int, int],
    label: str,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """An epoch of images with their clusters, of all clusters equally many, in random order.

    Args:
      take: places int64 [B] to images uint8 [B, H, W, 3].
      assignment: cluster of each image, [N]; as many are drawn in an epoch.
      batch_size: B, or N where that is less; a last, smaller batch is left out.
      seed: of the run, and the number of the epoch.
      label: what is done, for the progress.
    """
    places = clusters.sample_evenly(assignment, len(assignment), np.random.default_rng(seed))
    size = min(batch_size, len(places))
    for start in track(range(0, len(places) - size + 1, size), label=label, unit="step"):
        chosen = places[start : start + size]
        yield take(chosen), assignment[chosen]
