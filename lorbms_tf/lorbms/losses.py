"""The loss functions of the thesis, section 3.3: one function an equation.

All are means in float32, whatever the networks compute in. `bce` is on logits.
"""

from collections.abc import Callable

from keras import ops

from lorbms_tf.gan.losses import bce, bce_discriminator, bce_generator


def _float32(tensor):
    return ops.cast(tensor, "float32")


def distance(images, others, norm: int = 1):
    """|I - I^|_p, one half of equation 3.3: the mean over pixels of two batches of images.

    Args:
      images: I [B, H, W, 3] in [-1, 1].
      others: I^ [B, H, W, 3].
      norm: 1 for absolute, 2 for squared differences; ValueError for another.
    """
    if norm not in (1, 2):
        raise ValueError(f"norm {norm} is not one of 1, 2")
    measure = ops.abs if norm == 1 else ops.square
    return ops.mean(measure(_float32(images) - _float32(others)))


def reconstruction(images, first, second, norm: int = 1):
    """L_rec, equation 3.3: |I_ref - I^_ref|_p + |I_ref - I'_ref|_p, each a mean over pixels.

    Args:
      images: I_ref [B, H, W, 3] in [-1, 1].
      first: I^_ref, decoded from its own code.
      second: I'_ref, decoded from the kept chunks of the re-encoded mix.
      norm: 1 for absolute, 2 for squared differences.
    """
    return distance(images, first, norm) + distance(images, second, norm)


def perceptual(measure: Callable, images, *others):
    """Sum over `others` of the mean of a distance between images and them, in float32 -> scalar.

    Not in the thesis. Every one is measured in the same call, so by the same draw.

    Args:
      measure: (images [N, H, W, 3], others) -> [N].
      images: [B, H, W, 3] in [-1, 1].
      others: each the same shape.
    """
    repeated = ops.concatenate([_float32(images)] * len(others), axis=0)
    distances = measure(repeated, ops.concatenate(list(map(_float32, others)), axis=0))
    return len(others) * ops.mean(distances)


def adversarial(fake_logits):
    """L_adv^G, equation 3.4: the non-saturating loss BCE(D(I_mix), 1), mean over patches."""
    return bce_generator(fake_logits)


def classification(logits, labels, pair_weight: float = 1.0):
    """L_Cls, equation 3.5: sum over the four pairs of lambda_j times the mean BCE of four bits.

    Args:
      logits: [B, 4 pairs, 4 bits].
      labels: the same shape (`mixing.classifier_labels`).
      pair_weight: lambda_j; 1 in the thesis.
    """
    pairs = logits.shape[1]
    # The sum over pairs of means over bits is `pairs` times the mean over both.
    return pair_weight * pairs * bce(logits, labels)


def generator(rec, adv, cls, lambda_rec: float, lambda_adv: float, lambda_cls: float):
    """L_G, equation 3.6: the weighted sum of the three losses above."""
    return lambda_rec * rec + lambda_adv * adv + lambda_cls * cls


def discriminator(real_logits, fake_logits):
    """L_D, equations 3.7 to 3.9: BCE(D(I_ref), 1) + BCE(D(I_mix), 0)."""
    return bce_discriminator(real_logits, fake_logits)  # eq. 3.7 + eq. 3.8
