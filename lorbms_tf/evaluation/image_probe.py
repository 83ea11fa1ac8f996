"""A small convolutional network that learns to read labels from pictures: a judge of mixes.

It looks at pixels alone and shares nothing with the model that it judges.
"""

from collections.abc import Callable

import keras
import numpy as np

from lorbms_tf.evaluation.finite import check_finite
from lorbms_tf.progress import track

WIDTHS = (24, 48, 64, 96)  # of the convolutions; each halves the picture, down to 4 pixels a side
_LAST_SIDE = 4
_DENSE = 128
_LEARNING_RATE = 2e-3
BATCH_SIZE = 64


def train(
    images: np.ndarray,
    labels: dict[str, np.ndarray],
    classes: dict[str, int],
    seed: int = 0,
    epochs: int = 12,
    batch_size: int = BATCH_SIZE,
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Learns all labels at once; a cosine takes Adam's rate to zero over the epochs.

    Args:
      images: [N, S, S, 3] in [-1, 1], S at least 8.
      labels: by name, int [N] of 0 to classes - 1.
      classes: by name, how many.
      seed: of weights and order.
      epochs: passes over the images.
      batch_size: images in a step.

    Returns:
      A function: images [M, S, S, 3] -> by name, probabilities [M, classes].

    Raises:
      ValueError: fewer images than one batch, or images that are too small or not finite.
    """
    check_finite(images, "images")
    if len(images) < batch_size:
        raise ValueError(f"a probe learns from at least {batch_size} images, not {len(images)}")
    network = _network(images.shape[1], classes, seed)
    steps = len(images) // batch_size  # what is left over comes in another epoch
    rate = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, epochs * steps)
    losses = dict.fromkeys(classes, "sparse_categorical_crossentropy")
    network.compile(keras.optimizers.Adam(rate), losses)
    rng = np.random.default_rng(seed)
    for step in track(range(epochs * steps), label="training a probe", unit="step"):
        if step % steps == 0:
            order = rng.permutation(len(images))
        chosen = order[step % steps * batch_size :][:batch_size]
        network.train_on_batch(images[chosen], {name: labels[name][chosen] for name in classes})

    def predict(pictures: np.ndarray) -> dict[str, np.ndarray]:
        return network.predict(pictures, batch_size=256, verbose=0)

    return predict


def _network(side: int, classes: dict[str, int], seed: int) -> keras.Model:
    if side < 2 * _LAST_SIDE:
        raise ValueError(f"a probe reads images of at least {2 * _LAST_SIDE} pixels, not {side}")
    seeds = iter(range(1000 * seed, 1000 * (seed + 1)))

    def initializer():
        return keras.initializers.HeNormal(seed=next(seeds))

    inputs = maps = keras.Input((side, side, 3))
    for width in WIDTHS:
        if maps.shape[1] <= _LAST_SIDE:
            break
        conv = keras.layers.Conv2D(
            width, 3, padding="same", use_bias=False, kernel_initializer=initializer()
        )
        maps = keras.layers.ReLU()(keras.layers.BatchNormalization()(conv(maps)))
        maps = keras.layers.MaxPooling2D(2)(maps)
    flat = keras.layers.Flatten()(maps)
    dense = keras.layers.Dense(_DENSE, activation="relu", kernel_initializer=initializer())(flat)
    outputs = {
        name: keras.layers.Dense(
            count, activation="softmax", kernel_initializer=initializer(), name=name
        )(dense)
        for name, count in classes.items()
    }
    return keras.Model(inputs, outputs)
