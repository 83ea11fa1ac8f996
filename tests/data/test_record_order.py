"""The order of records is one for all workers, whatever the share of each."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.data import record_order
from lorbms_tf.data.record_order import Share
from lorbms_tf.errors import UserError


def order(share, step, records=21):
    """What one worker reads in a step: numbers and draws of its devices in turn."""
    turns = [
        share.order(tf.constant(step * share.local + turn, tf.int64), records, seed=3)
        for turn in range(share.local)
    ]
    return [np.concatenate(parts) for parts in zip(*turns, strict=True)]


def test_workers_read_in_turn_what_one_device_reads_alone():
    for step in (0, 4, 5, 12):
        numbers, draws = order(Share(4, 1, 0, 1), step)
        parts = [order(Share(4, 4, worker, 2), step) for worker in (0, 1)]
        np.testing.assert_array_equal(np.concatenate([part[0] for part in parts]), numbers)
        np.testing.assert_array_equal(np.concatenate([part[1] for part in parts]), draws)


def test_an_epoch_has_each_record_once_but_for_an_incomplete_batch():
    epochs = [[n for step in range(5) for n in order(Share(4, 1, 0, 1), e * 5 + step)[0]]
              for e in (0, 1)]  # fmt: skip
    for numbers in epochs:
        assert len(set(numbers)) == 20 and set(numbers) <= set(range(21))
    assert epochs[0] != epochs[1]


def test_fewer_records_than_a_batch_are_refused():
    assert record_order.count_steps(9, 4) == 2
    with pytest.raises(UserError, match="hold 3 records, fewer than --batch_size=4"):
        record_order.count_steps(3, 4)
