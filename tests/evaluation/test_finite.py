import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.finite import check_finite


def test_rows_are_counted_over_all_blocks():
    values = np.zeros((600, 3), np.float32)
    check_finite(values, "rows")
    values[[0, 255, 256, 599], 1] = np.nan, np.inf, -np.inf, np.nan
    with pytest.raises(ValueError, match="^4 of 600 rows are not finite$"):
        check_finite(values, "rows")
    with pytest.raises(UserError, match="^1 of 2 rows are"):
        check_finite(values[:2], "rows", UserError)


def test_whole_numbers_truths_and_nothing_are_finite():
    for values in (np.zeros((2, 2), np.uint8), np.ones(3, bool), np.zeros((0, 4))):
        check_finite(values, "rows")
