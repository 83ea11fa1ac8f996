"""Photos as the training loop asks for its data: batches by seed and step alone."""

import math
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from lorbms_tf.data import images, photo_names, pipeline, record_order
from lorbms_tf.data.photos import Photos
from lorbms_tf.errors import UserError
from lorbms_tf.training.method import Share

_DRAWS = 3  # a photo: see `Photos.take`


class PhotoData:
    """The training and held-out photos of a run (`lorbms_tf.training.method.Data`).

    A batch is a dict of "image" float32 [B, S, S, C] in [-1, 1] and "label" int32 [B].

    config: a `RunConfig` that is a `PhotosConfig` too. Where there is nothing to train its `photos`
      may be "".

    Photos are listed when they are first asked for: UserError where they are missing.
    """

    def __init__(self, config: Any):
        self._config = config

    @cached_property
    def photos(self) -> Photos:
        """Those to learn from."""
        return Photos(self._config.photos, self._config)

    @cached_property
    def held_out_photos(self) -> Photos:
        """The held-out ones, or those of training where there are none."""
        config = self._config
        if not config.eval_photos:
            return self.photos
        known = self.photos.classes if config.photos else ()
        return Photos(config.eval_photos, config, "eval_photos", known)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the labels, those of training first."""
        return self.held_out_photos.classes

    @cached_property
    def steps_per_epoch(self) -> int:
        """Whole batches. UserError where there is not even one."""
        count, batch_size = len(self.photos), self._config.batch_size
        if count < batch_size:
            raise UserError(
                f"--photos={self._config.photos} holds {count} photos, fewer than "
                f"--batch_size={batch_size}"
            )
        return count // batch_size

    @property
    def fingerprint(self) -> list[dict]:
        """Of the training photos."""
        return self.photos.fingerprint

    def training(self, first_step: int, share: Share) -> tf.data.Dataset:
        """Shuffled batches of whole epochs without end, from a step on.

        With several devices the batches are those of one worker's devices in turn, each B / devices
        photos; all workers together see what one device alone would see, in the same order.
        """
        config, steps, photos = self._config, self.steps_per_epoch, self.photos
        photos.read_ahead()
        local, own = share.devices // share.workers, config.batch_size // share.devices

        def order(item) -> tuple[tf.Tensor, tf.Tensor]:
            """One device's share of a step: numbers of photos, and the draws for them."""
            step, begin = item // local, (share.worker * local + item % local) * own
            places = step % steps * config.batch_size + begin + tf.range(own, dtype=tf.int64)
            numbers = record_order.record_numbers(places, len(photos), config.seed, step // steps)
            seed = tf.stack([tf.constant(config.seed, tf.int64), step])
            draws = tf.random.stateless_uniform([config.batch_size, _DRAWS], seed)
            return numbers, draws[begin : begin + own]

        def read(numbers, draws) -> dict:
            pixels, labels = tf.numpy_function(self._take, [numbers, draws], [tf.uint8, tf.int32])
            size = config.image_size
            pixels = tf.ensure_shape(pixels, [own, size, size, config.channels])
            return {
                "image": images.tf_to_float(pixels),
                "label": tf.ensure_shape(labels, [own]),
            }

        items = tf.data.Dataset.range(first_step * local, tf.int64.max)
        dataset = items.map(order).map(read, tf.data.AUTOTUNE, deterministic=True)
        return pipeline.in_order(dataset.prefetch(tf.data.AUTOTUNE))

    def _take(self, numbers: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`Photos.take`; TensorFlow hands on no exceptions, so what was wrong is kept."""
        try:
            return self.photos.take(numbers, draws)
        except UserError as error:
            self._fault = error
            raise

    _fault: UserError | None = None

    def checked(self, batches: Iterable) -> Iterable:
        """The training batches; photos of which none can be read any more become a UserError."""
        batches = iter(batches)
        while True:
            try:
                batch = next(batches)
            except StopIteration:
                return
            except tf.errors.OpError:
                if self._fault:
                    raise self._fault from None
                raise
            yield batch

    def held_out(self, batch_size: int, limit: int | None = None) -> Callable[[], Iterable]:
        """The held-out photos in order, without draws, or `limit` of them evenly out of all.

        Photos of training where there are none.
        """
        return lambda: _Batches(self.held_out_photos, batch_size, limit)

    def held_out_flags(self) -> dict[str, str]:
        """As `held_out`: the held-out photos, or those of training, with their splits."""
        config = self._config
        flag = "eval_photos" if config.eval_photos else "photos"
        return {"photos": photo_names.text_with_splits(getattr(config, flag), flag)}

    def held_out_fingerprint(self) -> list[dict]:
        """Of the photos that `held_out` reads."""
        return self.held_out_photos.fingerprint

    def description(self) -> str:
        """How many photos and classes there are."""
        classes = len(self.photos.classes)
        return f"{len(self.photos)} photos" + (f" of {classes} classes" if classes else "")

    def notes(self, config: Any, total_steps: int) -> list[str]:
        """What to know before the run starts."""
        if config.eval_photos:
            return []
        return ["no --eval_photos: the sample pictures show training photos"]

    def summary(self) -> str:
        """How many photos were left out; "" where none was."""
        return self.photos.summary()


class _Batches:
    """Held-out batches, with a length for progress lines."""

    def __init__(self, photos: Photos, batch_size: int, limit: int | None):
        self._photos, self._batch_size = photos, batch_size
        self._limit = len(photos) if limit is None else min(limit, len(photos))

    def __len__(self) -> int:
        return math.ceil(self._limit / self._batch_size)

    def __iter__(self):
        pixels, labels = [], []
        for image, label in self._photos.held_out(self._limit):
            pixels.append(image)
            labels.append(label)
            if len(pixels) == self._batch_size:
                yield _batch(pixels, labels)
                pixels, labels = [], []
        if pixels:
            yield _batch(pixels, labels)


def _batch(pixels: list[np.ndarray], labels: list[int]) -> dict[str, tf.Tensor]:
    return {
        "image": images.tf_to_float(tf.constant(np.stack(pixels))),
        "label": tf.constant(labels, tf.int32),
    }
