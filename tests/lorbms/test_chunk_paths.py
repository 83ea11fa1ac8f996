import numpy as np

from lorbms_tf.lorbms import chunk_paths


def test_both_paths_have_a_name():
    assert list(chunk_paths.PATHS) == ["linear", "spherical"]


def test_only_masked_chunks_move():
    rng = np.random.default_rng(2)
    start, end = rng.standard_normal((2, 1, 2, 2, 4)).astype(np.float32)
    mask = np.array([[False, False, True, False]])
    made = np.array(chunk_paths.between(start, end, mask, 0.5))
    np.testing.assert_allclose(made[0, 1, 0], (start[0, 1, 0] + end[0, 1, 0]) / 2, rtol=1e-6)
    made[0, 1, 0] = start[0, 1, 0]
    np.testing.assert_array_equal(made, start)
