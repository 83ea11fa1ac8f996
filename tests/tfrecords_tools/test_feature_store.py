import os

import numpy as np
import pytest

from lorbms_tf.errors import UserError
from tfrecords_tools import feature_store
from tfrecords_tools.feature_store import FeatureFile


def some(num_rows, dimension=3):
    return np.random.default_rng(1).normal(size=(num_rows, 4, dimension)).astype(np.float32)


@pytest.mark.parametrize("dtype", feature_store.DTYPES)
def test_what_is_written_is_read_again_also_by_another_process(tmp_path, dtype):
    values = some(10)
    file = FeatureFile.create(tmp_path / "f.npy", 10, 3, dtype)
    file.write(0, values[:4])
    file.flush()
    file.write(4, values[4:])
    file.flush()
    again = FeatureFile.open(tmp_path / "f.npy")
    assert file.shape == again.shape == (10, 4, 3) and len(again) == 10
    stored = values.astype(dtype).astype(np.float32)
    for q in range(4):
        rows = again.quadrant(q)
        assert rows.shape == (10, 3) and rows[:].dtype == np.float32
        np.testing.assert_array_equal(rows[:], stored[:, q])
        np.testing.assert_array_equal(rows[2:5], stored[2:5, q])
        np.testing.assert_array_equal(rows[np.array([1, 7, 9])], stored[[1, 7, 9], q])
    assert np.load(tmp_path / "f.npy").shape == (4, 10, 3)  # a plain file of numpy
    assert [path.name for path in tmp_path.iterdir()] == ["f.npy"]


def test_a_file_that_is_cut_short_is_named_and_not_filled_up(tmp_path):
    path = tmp_path / "f.npy"
    FeatureFile.create(path, 10, 3, "float32").write(0, some(10))
    for length in (path.stat().st_size - 1, 0):
        os.truncate(path, length)
        with pytest.raises(UserError, match=r"f\.npy cannot be continued from.*remove it"):
            FeatureFile.open(path)
        assert path.stat().st_size == length


def test_some_rows_of_a_file(tmp_path):
    values = some(9)
    file = FeatureFile.create(tmp_path / "f.npy", 9, 3, "float32")
    file.write(0, values)
    part = file.take(np.array([0, 3, 4, 8]))
    assert part.shape == (4, 4, 3)
    np.testing.assert_array_equal(part.quadrant(2)[1:3], values[[3, 4], 2])
    np.testing.assert_array_equal(part.quadrant(0)[np.array([0, 3])], values[[0, 8], 0])


def test_a_read_is_a_copy_that_later_writes_leave_alone(tmp_path):
    file = FeatureFile.create(tmp_path / "f.npy", 2, 3, "float32")
    before = file.quadrant(0)[:]
    file.write(0, some(2))
    assert not before.any()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused(tmp_path, bad):
    file = FeatureFile.create(tmp_path / "f.npy", 2, 3, "float32")
    values = some(2)
    values[1, 2, 0] = bad
    with pytest.raises(UserError, match="not finite.*--weights"):
        file.write(0, values)


def test_what_does_not_fit_into_float16_is_told(tmp_path):
    file = FeatureFile.create(tmp_path / "f.npy", 2, 3, "float16")
    with pytest.raises(UserError, match="1e.05 do not fit.*--feature_dtype=float32"):
        file.write(0, np.full([1, 4, 3], 1e5, np.float32))


def test_a_disk_that_is_too_small_is_told_at_once(tmp_path):
    with pytest.raises(UserError, match="cannot write.*f.npy.*the features take"):
        FeatureFile.create(tmp_path / "f.npy", 10**9, 4096, "float32")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("num_rows", [0, 1, 99, 100, 101, 149, 150, 151, 1000])
@pytest.mark.parametrize("multiple", [1, 7, 50])
def test_blocks_are_all_rows_in_order(monkeypatch, num_rows, multiple):
    monkeypatch.setattr(feature_store, "BLOCK_BYTES", 4 * 2 * 100)  # 100 rows of 2 numbers
    parts = list(feature_store.blocks(num_rows, 2, multiple))
    assert np.concatenate([np.zeros(0), *[np.arange(num_rows)[p] for p in parts]]).tolist() == list(
        range(num_rows)
    )
    for part in parts[:-1]:
        assert part.stop - part.start == 100 // multiple * multiple
    if parts:
        assert parts[-1].stop - parts[-1].start < 100 + multiple
