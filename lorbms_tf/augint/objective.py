"""What AugIntAE and its baselines learn from: codes of views, losses. Only keras.ops.

Shapes: B images [B, S, S, C] in [-1, 1], codes [B, D]. Networks are called as given, so that a
caller may hand in stateless ones.
"""

from keras import ops

from lorbms_tf.data import augmentation
from lorbms_tf.data.augmentation import Ranges
from lorbms_tf.data.augmented_views import Views
from lorbms_tf.latent import normal
from lorbms_tf.latent.slerp import great_circle, unit_norm

RANGES = {
    "characters": augmentation.CHARACTERS,
    "natural": augmentation.NATURAL,
    "none": Ranges(0, 0, 0, 0),
}


def codes(encoder, images, training: bool = True):
    """L2-normalised codes [B, D] of images."""
    return unit_norm(encoder(images, training=training))


def partners(values):
    """Each one's neighbour in its batch, the last one's being the first."""
    return ops.roll(values, -1, axis=0)


def interpolated_views(encoder, decoder, seen: Views):
    """AugIntAE: Dec(slerp(E(A_a x), E(A_b x), alpha)) [B, S, S, C], which is to be A_alpha x."""
    start, end = _ends(encoder, seen)
    return decoder(great_circle(start, end, seen.alpha, unit=True), training=True)


def interpolated_views_and_pairs(encoder, decoder, seen: Views):
    """As `interpolated_views`, and interpolations between the images of the batch [2B, S, S, C]."""
    start, end = _ends(encoder, seen)
    own = great_circle(start, end, seen.alpha, unit=True)
    return _with_pairs(decoder, own, start, seen.alpha)


def reconstructed(encoder, decoder, seen: Views):
    """AE: x^ = Dec(E(A_alpha x)) [B, S, S, C]."""
    return decoder(codes(encoder, seen.target), training=True)


def reconstructed_with_pairs(encoder, decoder, seen: Views):
    """IntAE: as AE, and interpolations between the images of the batch [2B, S, S, C]."""
    own = codes(encoder, seen.target)
    return _with_pairs(decoder, own, own, seen.alpha)


def _ends(encoder, seen: Views):
    both = codes(encoder, ops.concatenate([seen.first, seen.second], axis=0))
    return ops.split(both, 2, axis=0)


def _with_pairs(decoder, own, starts, alpha):
    mixed = great_circle(starts, partners(starts), alpha, unit=True)
    return decoder(ops.concatenate([own, mixed], axis=0), training=True)


def forward(config):
    """Which of the four a configuration asks for.

    The first B of what it gives are to be the target; a discriminator takes the last B for fakes.
    """
    if config.objective == "augint":
        pairs = config.adversarial and config.judged == "pairs"
        return interpolated_views_and_pairs if pairs else interpolated_views
    return reconstructed_with_pairs if config.objective == "intae" else reconstructed


def distances(images, others, norm: int = 1):
    """Mean absolute (1) or squared (2) differences of pixels, an image at a time: [B] float32."""
    measure = ops.abs if norm == 1 else ops.square
    difference = ops.cast(images, "float32") - ops.cast(others, "float32")
    return ops.mean(measure(difference), axis=(1, 2, 3))


def psnr(images, others):
    """Mean PSNR in dB of images in [-1, 1]."""
    errors = ops.maximum(distances(images, others, norm=2), 1e-10)
    return ops.mean(10.0 * ops.log(4.0 / errors) / ops.log(10.0))


def diversity(outputs, images):
    """How far outputs lie apart, as a share of how far the images do: 0 where all are alike."""
    spreads = [ops.mean(ops.std(ops.cast(v, "float32"), axis=0)) for v in (outputs, images)]
    return spreads[0] / ops.maximum(spreads[1], 1e-6)


def vae_loss(images, others, statistics, kl_weight: float, norm: int = 1):
    """Differences summed over an image's pixels and its divergence, a mean over both per pixel."""
    pixels = 1
    for extent in images.shape[1:]:
        pixels *= extent
    own = distances(images, others, norm) + kl_weight * normal.divergences(statistics) / pixels
    return ops.mean(own)


def class_partners(images, labels):
    """Another image of each one's class, out of its batch: [B, ...] and bool [B], if there is one.

    The next one of the class, the last one's being the first; itself where it is alone.
    """
    count = ops.shape(labels)[0]
    places = ops.arange(count)
    ahead = ops.mod(places[None, :] - places[:, None] - 1, count)  # 0: the next, last: itself
    alike = ops.equal(labels[:, None], labels[None, :])
    nearest = ops.argmin(ops.where(alike, ahead, count), axis=1)
    return ops.take(images, nearest, axis=0), ops.not_equal(
        nearest, ops.cast(places, nearest.dtype)
    )


def code_error(guesses, codes):
    """Squared distances of codes [B, D], a mean over the batch."""
    return ops.mean(ops.sum(ops.square(guesses - codes), axis=-1))
