"""Images to features: what a feature network is, and the one way to run it over many images."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol

import keras
import numpy as np
import tensorflow as tf

from lorbms_tf.data.images import tf_to_float
from lorbms_tf.errors import UserError
from lorbms_tf.progress import track


class Images(Protocol):
    """N images that are read where they are needed."""

    def __len__(self) -> int: ...

    def take(self, places: np.ndarray) -> np.ndarray:
        """The images at some places [len(places), H, W, 3]."""


class Outputs(NamedTuple):
    """Features [B, D], and the logits [B, classes] of a network with a classifier."""

    features: Any
    logits: Any = None


class Reading(NamedTuple):
    """How many images come to a network: part of the protocol of what is made of the features.

    resize: how they come to the network's side: "legacy" (TensorFlow 1's bilinear, corners off by
      half a pixel, no smoothing; as in published FID), "antialias", or "bilinear" (not smoothed);
      "" where they have it already.
    batch: images at a time.
    padded: the last block is filled up to `batch`, for models that take no other number.
    dtype: "uint8" of 0 to 255, or "float32" in [-1, 1].
    """

    resize: Literal["", "legacy", "antialias", "bilinear"] = ""
    batch: int = 64
    padded: bool = False
    dtype: Literal["uint8", "float32"] = "uint8"


AS_THEY_ARE = Reading()


class FeatureNetwork:
    """A function from images to features, with what has to be remembered of it.

    Attributes:
      name: as it was asked for, with its argument ("alexnet", "keras:ResNet50", "encoder:RUN_DIR").
      side: pixels a side that it reads; None: any.
      dimension: length of a feature vector, D.
      weights_hash: SHA-256 of the weights file, or of the weights themselves without a file.
      weights: where the weights are from, in words.
      network: the Keras model; None where there is none.
      kind: what a weights file calls that model.
      reading: how many images come to it.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[[Any, bool], Outputs],
        side: int | None,
        dimension: int,
        weights_hash: str,
        weights: str = "",
        network: keras.Model | None = None,
        kind: str = "",
        reading: Reading = AS_THEY_ARE,
    ):
        """`forward`: images [B, side, side, 3] in [-1, 1], and whether to train -> `Outputs`.

        Its features may be of any shape [B, ...] with D numbers an image. Where to train makes no
        difference to a network, it may leave that out of account.
        """
        self.name, self.side, self.dimension = name, side, dimension
        self.weights_hash, self.weights = weights_hash, weights
        self.network, self.kind, self.reading = network, kind, reading
        self._forward = forward
        self._initial: list[np.ndarray] | None = None
        # One graph for images of all sizes; else one for each call of `outputs`.
        self._any_size = self._graph() if reading.resize else None

    def forward(self, images: Any, training: bool = False) -> Any:
        """Images [B, side, side, 3] in [-1, 1] -> features [B, D], as tensors.

        training: batch norm uses the statistics of the batch.
        """
        return self._flat(images, training).features

    def remember(self) -> None:
        """From now on `reset` gives the network the weights back that it has now."""
        self._initial = self.network.get_weights() if self.network else None

    def reset(self) -> None:
        """Gives the network the weights back that were remembered, if any."""
        if self._initial is not None:
            self.network.set_weights(self._initial)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Images [N, h, w, 3] as its reading says -> features float32 [N, D].

        Raises ValueError where they are of another type or shape.
        """
        return self.outputs(images).features

    def outputs(
        self,
        images: "np.ndarray | Images",
        batch_size: int = 0,
        prepare: Callable | None = None,
        label: str = "",
        finite: bool = False,
    ) -> Outputs:
        """Features float32 [N, D], and logits float32 [N, classes] where there is a classifier.

        Args:
          images: N of them [N, h, w, 3] as the reading says; any h and w where that resizes.
          batch_size: images at a time; 0, or where the reading pads: as the reading says.
          prepare: (a block, its number) -> images in [-1, 1], as a graph; None: as they are.
          label: what is done, for the progress; "": in silence.
          finite: refuse features that are not.

        Raises:
          ValueError: images of another type or shape.
          UserError: a feature is not finite.
        """
        batch = self.reading.batch if self.reading.padded else batch_size or self.reading.batch
        run = self._any_size if self._any_size and not prepare else self._graph(prepare)
        features, logits = np.empty((len(images), self.dimension), np.float32), []
        starts = range(0, len(images), batch)
        tracked = track(starts, label=label, unit="step") if label else starts
        for number, start in enumerate(tracked):
            places = np.arange(start, min(start + batch, len(images)))
            block = self._block(images, places, batch)
            made = run(tf.constant(block), tf.constant(number))
            features[places] = made.features[: len(places)]
            if made.logits is not None:
                logits.append(made.logits[: len(places)].numpy())
            if finite and not np.isfinite(features[places]).all():
                raise UserError(
                    f"--features={self.name} ({self.weights}): the features of images "
                    f"{places[0]} to {places[-1]} are not all finite"
                )
        return Outputs(features, np.concatenate(logits) if logits else None)

    def _graph(self, prepare: Callable | None = None) -> Callable:
        """Images as the reading says, and the number of their block -> `Outputs`."""
        reading, signature = self.reading, None
        if reading.resize and not prepare:
            batch = reading.batch if reading.padded else None
            images = tf.TensorSpec((batch, None, None, 3), reading.dtype)
            signature = [images, tf.TensorSpec((), tf.int32)]

        def run(images, number):
            if prepare:
                images = prepare(images, number)
            elif reading.dtype == "uint8":
                images = tf_to_float(images)
            outputs = self._flat(_resized(images, self.side, reading.resize), training=False)
            return Outputs(tf.cast(outputs.features, tf.float32), outputs.logits)

        return tf.function(run, input_signature=signature, reduce_retracing=signature is None)

    def _flat(self, images: Any, training: bool) -> Outputs:
        features, logits = self._forward(images, training)
        return Outputs(tf.reshape(features, (-1, self.dimension)), logits)

    def _block(self, images: "np.ndarray | Images", places: np.ndarray, batch: int) -> np.ndarray:
        """The images at some places, filled up to `batch` where the reading pads."""
        is_array = isinstance(images, np.ndarray)
        block = images[places] if is_array else images.take(places)
        if self.reading.dtype != "uint8" and np.issubdtype(block.dtype, np.floating):
            block = block.astype(np.float32, copy=False)
        if block.ndim != 4 or block.shape[3] != 3 or block.dtype != self.reading.dtype:
            raise ValueError(
                f"images must be {self.reading.dtype} [N, h, w, 3], not {block.dtype} {block.shape}"
            )
        if self.reading.padded:
            block = np.pad(block, [(0, batch - len(block)), (0, 0), (0, 0), (0, 0)])
        return block


def _resized(images: tf.Tensor, side: int | None, resize: str) -> tf.Tensor:
    if not resize:
        return images
    if resize == "legacy":
        return tf.compat.v1.image.resize_bilinear(images, (side, side))
    return tf.image.resize(images, (side, side), antialias=resize == "antialias")
