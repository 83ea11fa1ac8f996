import numpy as np

from tfrecords_tools import distance_tables


def test_shares_of_replaced_quadrants_are_known():
    # As in the inspection: q1 is always replaced and q4 never, q2 and q3 by tau.
    distances = np.repeat(np.arange(4, dtype=np.float32)[:, None] * 10, 10, axis=1)[None]
    assert distance_tables.replaced_shares(distances, 5, seed=0) == [0, 1, 0, 0]
    assert distance_tables.replaced_shares(distances, 15, seed=0) == [0, 0, 1, 0]
    assert distance_tables.replaced_shares(distances, 99, seed=0) == [0, 0, 0, 1]
