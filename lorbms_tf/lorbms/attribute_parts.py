"""Parts of chunks mixed between objects (thesis, chapter 5; Hu et al., 2018). Only keras.ops.

Hu et al., "Disentangling factors of variation by mixing them", cut the code of a whole image into
parts. A fair coin for each part takes it from one of two images; the mix is decoded, encoded again
and unmixed, and a classifier tells of each part which image it is from. That forces each part to
stand for something that one can see. Here this happens within a quadrant: the two are the chunks
of the reference and of the candidate.

Shapes: B references, four quadrants, P parts, codes [B, 2, 2, C]; a part has widths[p] numbers.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from lorbms_tf.data import quadrants
from lorbms_tf.distances.draws import Draws
from lorbms_tf.lorbms import losses, mixing, objective, outlook
from lorbms_tf.lorbms.building import Networks
from lorbms_tf.lorbms.config import ModelConfig


class PartScene(NamedTuple):
    """The images of one pass; parts of all four quadrants are mixed."""

    reference: Any  # I_ref [B, H, W, 3]
    others: Any  # of each candidate the quadrant that counts, in one image [B, H, W, 3]
    mask: Any  # bool [B, 4, P], True where the part is the candidate's
    mix: Any  # the decoded mix of parts [B, H, W, 3]
    cycle: Any  # I_ref again, from its parts in the mix that was encoded again [B, H, W, 3]


class PartLoss(NamedTuple):
    """What a pass adds to equation 3.6: the weighted sum, and its three means."""

    total: Any
    reconstruction: Any
    adversarial: Any
    classifier: Any


def mix_parts(chunks, others, mask, widths: Sequence[int]):
    """The numbers of the masked parts from the others: chunks [B, 4, C], mask bool [B, 4, P]."""
    owner = [part for part, width in enumerate(widths) for _ in range(width)]  # of each number
    return ops.where(ops.take(mask, owner, axis=-1), others, chunks)


def random_parts(count, num_parts: int, draws: Draws):
    """A fair coin for each part of each quadrant: bool [count, 4, num_parts]."""
    shape = (count, quadrants.NUM_QUADRANTS, num_parts)
    return keras.random.uniform(shape, seed=draws) < 0.5


def scene(networks: Networks, batch: dict, encoded, config: ModelConfig, draws: Draws) -> PartScene:
    """One pass of mixing parts: mix, decode, encode, unmix, decode.

    Args:
      batch: dict of reference [B, H, W, 3] and candidates [B, 4, H, W, 3].
      encoded: codes [B, 2, 2, C] and chunks [B, 4, C] of both, by `objective.encode_scene`.
      config: says what the parts are.
      draws: of this update.
    """
    reference, candidates = batch["reference"], batch["candidates"]
    encoder, decoder = networks.encoder, networks.decoder
    codes, others = encoded
    widths = list(outlook.parts(config).values())
    own = quadrants.chunks(codes)  # [B, 4, C]
    mask = random_parts(ops.shape(own)[0], len(widths), draws)
    mixed = quadrants.from_chunks(mix_parts(own, others, mask, widths))
    mix = decoder(mixed, training=True)
    again = quadrants.chunks(encoder(mix, training=True))
    unmixed = quadrants.from_chunks(mix_parts(again, own, mask, widths))
    every = ops.ones_like(mask[:, :, 0])
    pasted = mixing.paste_quadrants(reference, candidates, every)
    return PartScene(reference, pasted, mask, mix, decoder(unmixed, training=True))


def answers(classifier: Callable, mix, scene: PartScene):
    """Which parts of each quadrant are the candidate's: logits [B, 4, P], and labels.

    The classifier sees one quadrant alone, enlarged to its images' size: of the mix, of the
    reference and of the candidate, [4B, H, W, 3 + 6], all quadrants in one call.
    """
    seen = [enlarged(quadrants.split(images)) for images in (mix, scene.reference, scene.others)]
    logits = classifier(seen[0], ops.concatenate(seen[1:], axis=-1), training=True)  # [4B, P]
    labels = ops.cast(scene.mask, "float32")
    return ops.reshape(logits, (-1, *labels.shape[1:])), labels


def enlarged(quads):
    """Quadrants [B, 4, h, w, C] as images of twice their size, [4B, 2h, 2w, C]; pixels repeat."""
    images = ops.reshape(quads, (-1, *quads.shape[2:]))
    return ops.repeat(ops.repeat(images, 2, axis=1), 2, axis=2)


def generator_loss(
    networks: Networks, classifier: Callable, scene: PartScene, config: ModelConfig
) -> PartLoss:
    """The terms of encoder and decoder: those of equation 3.6 for the mix of parts.

    The reconstruction has one half of equation 3.3, the cycle, for the other is in the scene of
    whole chunks. The classifier's term weighs `lambda_parts`.
    """
    rec = losses.distance(scene.reference, scene.cycle, config.reconstruction_norm)
    adv = losses.adversarial(networks.discriminator(scene.mix, training=True))
    cls = losses.classification(*answers(classifier, scene.mix, scene), config.lambda_pair)
    weights = config.lambda_rec, config.lambda_adv, config.lambda_parts
    return PartLoss(losses.generator(rec, adv, cls, *weights), rec, adv, cls)


def classifier_loss(classifier: Callable, scene: PartScene, config: ModelConfig):
    """The classifier's own on a detached scene: (loss, logits [B, 4, P], labels [B, 4, P])."""
    logits, labels = answers(classifier, ops.stop_gradient(scene.mix), scene)
    return losses.classification(logits, labels, config.lambda_pair), logits, labels


def judged(scene: objective.Scene) -> objective.Scene:
    """The scene with all mixes that the discriminator is to judge, those of parts among them."""
    if scene.parts is None:
        return scene
    return scene._replace(mix=ops.concatenate([scene.mix, scene.parts.mix], axis=0))
