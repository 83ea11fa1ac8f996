"""The normal distributions of variational autoencoders (Kingma and Welling, 2014). Only keras.ops.

Statistics [B, 2D] are the mean and the logarithm of the variance, [B, D] each.
"""

from keras import ops


def mean(statistics):
    """The mean [B, D]."""
    return ops.split(statistics, 2, axis=-1)[0]


def draws(statistics, noise):
    """A draw of each distribution, [B, D]; noise: [B, D], standard normal."""
    centre, log_variance = ops.split(statistics, 2, axis=-1)
    return centre + ops.exp(0.5 * log_variance) * noise


def divergences(statistics):
    """KL of each distribution to the standard normal, [B], in nats."""
    centre, log_variance = ops.split(statistics, 2, axis=-1)
    terms = ops.square(centre) + ops.exp(log_variance) - 1.0 - log_variance
    return 0.5 * ops.sum(terms, axis=-1)
