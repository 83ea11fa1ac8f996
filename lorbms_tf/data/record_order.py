"""Which records each step of training reads, by the seed, the step and the share alone."""

from typing import NamedTuple

import tensorflow as tf

from lorbms_tf.data import records
from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.errors import UserError


def record_numbers(places, num_records: int, seed: int, epoch) -> tf.Tensor:
    """Which records stand at some places of an epoch, int64 [B] both: a permutation of all."""
    last = tf.constant(num_records - 1, tf.int64)
    return tf.random.experimental.index_shuffle(places, seeds(seed, epoch), last)


def seeds(seed: int, number: tf.Tensor) -> tf.Tensor:
    """The seed of what is drawn at one number, int64 [2]."""
    return tf.stack([tf.constant(seed, tf.int64), number])


def count_steps(num_records: int, batch_size: int) -> int:
    """Whole batches in one epoch. UserError where there is not even one."""
    if num_records < batch_size:
        raise UserError(
            f"the record files hold {num_records} records, fewer than --batch_size={batch_size}"
        )
    return num_records // batch_size


class Share(NamedTuple):
    """What one worker reads of each batch.

    batch_size: of all workers.
    devices: of all workers.
    worker: whose share it is, from 0.
    workers: how many there are, with equally many devices each.
    """

    batch_size: int
    devices: int
    worker: int
    workers: int

    @property
    def local(self) -> int:
        """Devices of this worker, which take turns."""
        return self.devices // self.workers

    @property
    def own(self) -> int:
        """References of one device in a batch."""
        return self.batch_size // self.devices

    def order(self, item, num_records: int, seed: int) -> tuple[tf.Tensor, tf.Tensor]:
        """One device's share of a step: numbers [own] of records, and draws [own, 4].

        item: int64, counts the turns of this worker's devices over all steps.
        """
        local, own, steps = self.local, self.own, count_steps(num_records, self.batch_size)
        step, begin = item // local, self.worker * local * own + item % local * own
        epoch, place = step // steps, step % steps * self.batch_size + begin
        places = place + tf.range(own, dtype=tf.int64)
        draws = tf.random.stateless_uniform(
            [self.batch_size, NUM_QUADRANTS], seeds(seed, step), maxval=records.NUM_CANDIDATES,
            dtype=tf.int32,
        )  # fmt: skip
        return record_numbers(places, num_records, seed, epoch), draws[begin : begin + own]
