"""Adversarial losses by their names. Only keras.ops; gradient tapes belong to the models.

Scores and logits have any shape, unless said otherwise; a loss is a float32 scalar, the mean over
them. Each `..._discriminator` is what the discriminator lowers, each `..._generator` what the
generator lowers.
"""

from keras import ops

# Targets of real and fake images for `lsgan`, by the name of the flag.
TARGETS = {"01": (1.0, 0.0), "pm1": (1.0, -1.0)}
REAL, FAKE = 0, 1  # classes of the two-way softmax (seed 000: Dosovitskiy and Brox)
_LEAST_SQUARE = 1e-12


def _float32(tensor):
    return ops.cast(tensor, "float32")


def bce(logits, labels):
    """Mean binary cross-entropy of logits against labels in [0, 1], any shape -> scalar.

    Written as max(x, 0) - x y + log(1 + exp(-|x|)), which neither overflows nor loses digits.
    """
    logits, labels = _float32(logits), _float32(labels)
    return ops.mean(
        ops.maximum(logits, 0.0) - logits * labels + ops.log1p(ops.exp(-ops.abs(logits)))
    )


def bce_discriminator(real_logits, fake_logits):
    """BCE(D(real), 1) + BCE(D(fake), 0)."""
    return bce(real_logits, ops.ones_like(real_logits)) + bce(
        fake_logits, ops.zeros_like(fake_logits)
    )


def bce_generator(fake_logits):
    """The non-saturating loss BCE(D(fake), 1)."""
    return bce(fake_logits, ops.ones_like(fake_logits))


def lsgan_discriminator(real_scores, fake_scores, targets: str = "01"):
    """Least squares (Mao et al., 2017): half the squared distances to the targets of both kinds.

    targets: a key of `TARGETS`: 1 and 0, or 1 and -1.
    """
    real, fake = TARGETS[targets]
    distance = ops.mean(ops.square(_float32(real_scores) - real))
    return 0.5 * (distance + ops.mean(ops.square(_float32(fake_scores) - fake)))


def lsgan_generator(fake_scores, targets: str = "01"):
    """Half the squared distance of the scores of fakes to the target of real images."""
    return 0.5 * ops.mean(ops.square(_float32(fake_scores) - TARGETS[targets][0]))


def wgan_critic(real_scores, fake_scores):
    """Wasserstein (Arjovsky et al., 2017): mean D(fake) - mean D(real), without the penalty."""
    return ops.mean(_float32(fake_scores)) - ops.mean(_float32(real_scores))


def wgan_generator(fake_scores):
    """-mean D(fake)."""
    return -ops.mean(_float32(fake_scores))


def interpolates(real, fake, shares):
    """Images between real and fake ones, where the penalty is taken (Gulrajani et al., 2017).

    Args:
      real: [B, ...].
      fake: [B, ...].
      shares: [B] in [0, 1], of the fakes.
    """
    shares = ops.reshape(shares, (-1, *([1] * (len(real.shape) - 1))))
    return (1.0 - shares) * real + shares * fake


def gradient_penalty(gradients):
    """(|g| - 1)^2, the mean over gradients [B, ...] of the critic at `interpolates`.

    The weight of Gulrajani et al. is 10. Differentiable at zero, too.
    """
    axes = tuple(range(1, len(gradients.shape)))
    squares = ops.sum(ops.square(_float32(gradients)), axis=axes)
    return ops.mean(ops.square(ops.sqrt(squares + _LEAST_SQUARE) - 1.0))


def two_way_discriminator(real_logits, fake_logits):
    """-log p(REAL | real) - log p(FAKE | fake) of two-way softmaxes; logits [..., 2]."""
    return sum(two_way_losses(real_logits, fake_logits))


def two_way_losses(real_logits, fake_logits):
    """Both terms of `two_way_discriminator`."""
    return _cross_entropy(real_logits, REAL), _cross_entropy(fake_logits, FAKE)


def two_way_generator(fake_logits):
    """-log p(REAL | fake); logits [..., 2]."""
    return _cross_entropy(fake_logits, REAL)


def _cross_entropy(logits, place: int):
    return -ops.mean(ops.log_softmax(_float32(logits), axis=-1)[..., place])
