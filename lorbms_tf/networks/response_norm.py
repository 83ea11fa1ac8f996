"""Local response normalisation, of AlexNet as it was published (Krizhevsky et al. 2012)."""

from keras import ops

_WINDOW, _ALPHA, _BETA = 5, 1e-4, 0.75  # as Caffe has them


def response_normalised(maps):
    """Local response normalisation over 5 neighbouring channels: `[B, h, w, C]` likewise.

    x / (1 + alpha / 5 * sum of x^2)^beta with alpha 1e-4 and beta 0.75, as Caffe computes it.
    """
    channels, reach = maps.shape[-1], _WINDOW // 2
    squares = ops.pad(ops.square(maps), ((0, 0), (0, 0), (0, 0), (reach, reach)))
    sums = sum(squares[..., shift : shift + channels] for shift in range(_WINDOW))
    return maps * ops.power(1.0 + _ALPHA / _WINDOW * sums, -_BETA)
