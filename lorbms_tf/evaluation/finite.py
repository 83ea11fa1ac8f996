"""The rule of all scores: what is not finite is refused by name, with a count."""

import numpy as np

_BLOCK = 256  # rows looked at together: a mask of a whole set would be a quarter of its size


def check_finite(values: np.ndarray, what: str, error: type[Exception] = ValueError) -> None:
    """Raises `error`, as in "3 of 64 mixes are not finite", where any of values [N, ...] is not.

    A score of what is NaN or infinite would look measured: sorted, compared or averaged over the
    rest, it comes out as good as any.

    Args:
      values: N of `what`; whole numbers are always finite.
      what: their name, in the plural.
      error: the exception.
    """
    values = np.asarray(values)
    if values.dtype.kind not in "fc":
        return
    bad = 0
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK]
        bad += int(np.sum(~np.isfinite(block).reshape(len(block), -1).all(axis=1)))
    if bad:
        raise error(f"{bad} of {len(values)} {what} are not finite")
