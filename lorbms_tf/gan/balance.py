"""What keeps generator and discriminator in balance. Only keras.ops.

Two ways: one of both pauses while the other is far behind (seed 000, as in Kamitani Lab's script),
or the adversarial gradient is rescaled to the other one's length, image by image, and faded out
while the discriminator cannot tell the images apart (seed 003, supplement, equations 1 to 5).
"""

from keras import ops

K_RATE = 0.001  # equation 4
_LEAST_SQUARE = 1e-24


def training_flags(
    real_loss,
    fake_loss,
    adversarial_loss,
    discriminator_on,
    generator_on,
    low: float = 0.1,
    high: float = 0.5,
    top: float = 10.0,
):
    """Who learns in the next step, by r = (real_loss + fake_loss) / adversarial_loss.

    Three rules in this order, each seeing what the one before has set:

    1. r < low while the discriminator learns: it stops, and the generator learns.
    2. r > high while the discriminator is stopped: both learn.
    3. r > top while the generator learns: it stops, and the discriminator learns.

    Args:
      real_loss: of the discriminator on real images, a scalar; means over all devices.
      fake_loss: of the discriminator on fakes.
      adversarial_loss: of the generator.
      discriminator_on: bool scalar, whether it learns now.
      generator_on: the same of the generator.
      low: see above; 0.1, 0.5 and 10 are those of the script.
      high: see above.
      top: see above.

    Returns:
      the two flags, bool scalars: discriminator, generator.
    """
    discriminator = ops.cast(discriminator_on, "bool")
    generator = ops.cast(generator_on, "bool")
    # r compared without dividing: the adversarial loss may be zero.
    losses, unit = real_loss + fake_loss, adversarial_loss
    stop = ops.logical_and(losses < low * unit, discriminator)
    discriminator = ops.logical_and(discriminator, ops.logical_not(stop))
    generator = ops.logical_or(generator, stop)
    go_on = ops.logical_and(losses > high * unit, ops.logical_not(discriminator))
    discriminator = ops.logical_or(discriminator, go_on)
    generator = ops.logical_or(generator, go_on)
    stop = ops.logical_and(losses > top * unit, generator)
    discriminator = ops.logical_or(discriminator, stop)
    generator = ops.logical_and(generator, ops.logical_not(stop))
    return discriminator, generator


def gammas(reconstruction_gradients, adversarial_gradients):
    """Equation 2: |reconstruction gradient| / |adversarial gradient|, an image at a time.

    Args:
      reconstruction_gradients: [B, ...] at the generator's output.
      adversarial_gradients: [B, ...] there too.

    Returns:
      float32 [B]; 0 where the adversarial gradient is zero, which no factor lengthens.
    """
    ours, theirs = _squares(reconstruction_gradients), _squares(adversarial_gradients)
    there = theirs > _LEAST_SQUARE
    return ops.where(there, ops.sqrt(ours / ops.where(there, theirs, 1.0)), 0.0)


def rescaled(reconstruction_gradients, adversarial_gradients):
    """gamma times the adversarial gradients [B, ...]: as long as the others, image by image."""
    factors = gammas(reconstruction_gradients, adversarial_gradients)
    ones = [1] * (len(adversarial_gradients.shape) - 1)
    return ops.reshape(factors, (-1, *ones)) * adversarial_gradients


def balanced_gradients(reconstruction_gradients, adversarial_gradients, k):
    """The gradient of equation 1 at the generator's output, gamma being a constant.

    Args:
      reconstruction_gradients: [B, ...].
      adversarial_gradients: [B, ...].
      k: scalar in [0, 1].

    Returns:
      [B, ...].
    """
    return reconstruction_gradients + k * rescaled(reconstruction_gradients, adversarial_gradients)


def next_k(k, margin, rate: float = K_RATE):
    """Equations 4 and 5: k - rate (1 - margin), kept in [0, 1]. k is 1 at the start (equation 3).

    margin: mean D(real) - mean D(fake), over all devices.
    """
    margin = ops.convert_to_tensor(margin, "float32")
    return ops.clip(k - rate * (1.0 - margin), 0.0, 1.0)


def _squares(gradients):
    """Squared lengths of gradients [B, ...], [B]."""
    axes = tuple(range(1, len(gradients.shape)))
    return ops.sum(ops.square(ops.cast(gradients, "float32")), axis=axes)
