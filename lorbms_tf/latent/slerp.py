"""Paths between two codes: the straight line and the great circle. Only keras.ops.

Codes are [..., D]. The place t on a path is 0 at its start and 1 at its end: a number, or a tensor
of the shape [...] (or one that broadcasts to it), one place a code.
"""

from keras import ops

# Below this sine of the angle the two paths differ by at most a millionth where the directions are
# the same; where they are opposite, rounding of the cosine decides which circle it would be.
_LEAST_SINE = 1e-3
_LEAST_LENGTH = 1e-12


class AntipodalCodes(ValueError):
    """Two codes point in exactly opposite directions: no great circle between them is the one."""


def line(start, end, t):
    """The straight line: codes [..., D] at t = 0 and t = 1 -> the code at t."""
    return _line(start, end, _column(t))


def great_circle(start, end, t, unit: bool = False):
    """Along the great circle between two directions (Shoemake, 1985), at constant angular speed.

    Where the two point the same way, or exactly opposite ways, or one is zero, no circle is
    determined and it is the straight line. Gradients are finite everywhere.

    Args:
      start: codes [..., D] at t = 0.
      end: codes [..., D] at t = 1.
      t: see above.
      unit: both ends, and what lies between, are brought to length one.

    Returns:
      codes [..., D].
    """
    start, end = ops.convert_to_tensor(start), ops.convert_to_tensor(end)
    t = _column(t)
    if unit:
        start, end = unit_norm(start), unit_norm(end)
    cosine = _cosine(start, end)
    bent = ops.sin(ops.arccos(cosine)) > _LEAST_SINE
    # A right angle where the line is taken: the arc cosine of 1 and -1 has no finite gradient.
    angle = ops.arccos(ops.where(bent, cosine, 0.0))
    divisor = ops.where(bent, ops.sin(angle), 1.0)
    weights = ops.sin((1.0 - t) * angle) / divisor, ops.sin(t * angle) / divisor
    between = ops.where(bent, weights[0] * start + weights[1] * end, _line(start, end, t))
    return unit_norm(between) if unit else between


def slerp(start, end, t):
    """`great_circle` between codes of length one (seed 003: codes are L2-normalised).

    Raises AntipodalCodes where two codes are opposite. In a graph, where the codes have no values
    yet, nothing is raised, and those two codes are joined by the straight line.
    """
    check_not_antipodal(start, end)
    return great_circle(start, end, t, unit=True)


def check_not_antipodal(start, end) -> None:
    """Raises AntipodalCodes where codes [..., D] with values point in opposite directions."""
    cosine = _cosine(ops.convert_to_tensor(start), ops.convert_to_tensor(end))
    opposite = (cosine < 0) & (ops.sin(ops.arccos(cosine)) <= _LEAST_SINE)
    try:
        found = ops.convert_to_numpy(opposite)
    except (TypeError, NotImplementedError):  # symbolic, as JAX and TensorFlow say it
        return
    if found.any():
        raise AntipodalCodes(
            f"{found.sum()} of {found.size} pairs of codes are exactly opposite: every "
            "great circle through one leads to the other; move one of them a little"
        )


def unit_norm(codes):
    """Codes [..., D] divided by their lengths; zeros stay zeros, with finite gradients."""
    return codes / _length(ops.convert_to_tensor(codes))


def _length(codes):
    """Of codes [..., D], [..., 1]; 1 for zeros, so that one may divide by it."""
    squares = ops.sum(ops.square(codes), axis=-1, keepdims=True)
    least = _LEAST_LENGTH**2
    return ops.sqrt(ops.where(squares > least, squares, 1.0))


def _cosine(start, end):
    """Of the angle between codes [..., D], [..., 1]; 1 where one is zero."""
    norms = _norm(start) * _norm(end)
    inner = ops.sum(start * end, axis=-1, keepdims=True)
    cosine = ops.clip(inner / ops.where(norms > 0, norms, 1.0), -1.0, 1.0)
    return ops.where(norms > 0, cosine, 1.0)


def _norm(codes):
    """The length of codes [..., D], [..., 1], whose gradient at zero is zero."""
    squares = ops.sum(ops.square(codes), axis=-1, keepdims=True)
    return ops.where(squares > 0, ops.sqrt(ops.where(squares > 0, squares, 1.0)), 0.0)


def _line(start, end, t):
    return (1.0 - t) * start + t * end


def _column(t):
    """Places on paths as a factor of codes: a number as it is, [...] as [..., 1]."""
    return t if isinstance(t, int | float) or not len(t.shape) else ops.expand_dims(t, -1)
