"""Networks + batch + mask -> scene, and the joint losses (thesis, figure 3.4 and 3.3).

Shapes: B references of H x W, four candidates each, codes [B, 2, 2, C]. Only keras.ops.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import ops

from lorbms_tf.data import quadrants
from lorbms_tf.data.augmented_views import Views
from lorbms_tf.distances.draws import Draws
from lorbms_tf.latent.slerp import great_circle
from lorbms_tf.lorbms import losses, mixing, segments, variants
from lorbms_tf.lorbms.building import Networks
from lorbms_tf.lorbms.config import ModelConfig


class Scene(NamedTuple):
    """All images and codes of one generator forward pass (names as in figure 3.4)."""

    reference: Any  # I_ref [B, H, W, 3]
    candidates: Any  # I_q1..I_q4 [B, 4, H, W, 3]
    mask: Any  # bool [B, 4], True where replaced
    reconstruction: Any  # I^_ref = Dec(f_ref) [B, H, W, 3]
    mix: Any  # I_mix = Dec(f_mix) [B, H, W, 3]
    cycle: Any  # I'_ref = Dec(f^_ref) [B, H, W, 3]
    parts: Any = None  # an `attribute_parts.PartScene`, where parts of chunks are mixed too


class GeneratorLoss(NamedTuple):
    """Equation 3.6 and its three parts, and the perceptual one where there is any."""

    total: Any
    reconstruction: Any
    adversarial: Any
    classifier: Any
    perceptual: Any = None


def encode_scene(encoder, reference, candidates, training: bool = False):
    """Encodes the 5B images in one call: f_ref [B, 2, 2, C] and candidate chunks [B, 4, C]."""
    count = ops.shape(reference)[0]
    height, width, channels = reference.shape[1:]
    flat = ops.reshape(candidates, (-1, height, width, channels))  # [4B, H, W, 3]
    codes = encoder(ops.concatenate([reference, flat], axis=0), training=training)  # [5B, 2, 2, C]
    reference_codes = codes[:count]  # [B, 2, 2, C]
    candidate_codes = ops.reshape(
        codes[count:], (-1, quadrants.NUM_QUADRANTS, *codes.shape[1:])
    )  # [B, 4, 2, 2, C]
    return reference_codes, mixing.candidate_chunks(candidate_codes)


def encode_replaced(encoder, reference, candidates, mask, training: bool = False):
    """As `encode_scene`, but only the candidates that the mask [B, 4 or cells] uses are encoded.

    The chunks of the others are zeros; `mixing.mix_codes` with this mask does not look at them,
    and their gradients are zeros in `encode_scene` too. How many images are encoded differs from
    batch to batch, which XLA cannot compile.
    """
    count = ops.shape(reference)[0]
    height, width, channels = reference.shape[1:]
    flat = ops.reshape(candidates, (-1, height, width, channels))  # [4B, H, W, 3]
    used = segments.candidates_in(mask)  # [B, 4]
    chosen = ops.nonzero(ops.reshape(used, (-1,)))[0]  # [N], places in [4B]
    images = ops.concatenate([reference, ops.take(flat, chosen, axis=0)], axis=0)
    codes = encoder(images, training=training)  # [B + N, 2, 2, C]
    own = ops.one_hot(chosen % quadrants.NUM_QUADRANTS, quadrants.NUM_QUADRANTS, dtype=codes.dtype)
    own_chunks = ops.sum(quadrants.chunks(codes[count:]) * own[:, :, None], axis=1)  # [N, C]
    shape = (ops.size(used), own_chunks.shape[-1])
    replacements = ops.scatter(chosen[:, None], own_chunks, shape)  # [4B, C]
    chunks = quadrants.chunks(replacements)  # [B, 4, C]
    return codes[:count], mixing.cells(quadrants.from_chunks(chunks, codes.shape[1]))


def forward(
    networks: Networks, reference, candidates, mask, dynamic: bool = True, encoded=None
) -> Scene:
    """One pass Enc - Dec - Enc - Dec (thesis, figure 3.4).

    With `dynamic`, candidates that the mask leaves out are not encoded; XLA needs False. `encoded`
    is what `encode_scene` gave, where it is needed elsewhere, too.
    """
    if encoded is None and dynamic:
        encoded = encode_replaced(networks.encoder, reference, candidates, mask, training=True)
    elif encoded is None:
        encoded = encode_scene(networks.encoder, reference, candidates, training=True)
    codes, replacements = encoded
    return _scene(networks, reference, candidates, mask, codes, replacements)


def scene(
    networks: Networks,
    batch: dict,
    config: ModelConfig,
    tau,
    draws: Draws,
    dynamic: bool = True,
    encoded=None,
):
    """The scene of a training batch by the mixing that is asked for, and its distances [B, 4].

    Mask and distances have one value a cell. draws: of this update. dynamic, encoded: as `forward`,
    of candidates alone.
    """
    if config.mixing == variants.TILES:
        return forward_of_tiles(networks, batch["reference"], draws)
    if config.mixing == variants.BATCH:
        return forward_in_batch(networks, batch["reference"], config.batch_threshold)
    if config.mixing == variants.SEGMENTS:
        count = ops.shape(batch["reference"])[0]
        mask = segments.random_segments(count, config.grid, draws)
    else:
        mask = segments.by_cell(mixing.replacement_mask(batch["distances"], tau), config.grid)
    made = forward(networks, batch["reference"], batch["candidates"], mask, dynamic, encoded)
    return made, segments.by_cell(batch["distances"], config.grid)


def at_a_place(networks: Networks, config: ModelConfig, update, seed: int) -> Networks:
    """The networks; a global-local discriminator judges a patch that is drawn for this update.

    Its corner follows from the number of the update and the seed, and is the same for all images.
    """
    if config.discriminator != "global_local":
        return networks
    side = config.image_size // 2
    corner = keras.random.randint((2,), 0, side + 1, seed=Draws(update, seed))
    return networks._replace(discriminator=functools.partial(networks.discriminator, corner=corner))


def forward_in_batch(networks: Networks, reference, threshold: float) -> tuple[Scene, Any]:
    """As `forward`, mixing references with each other (appendix D.2); and the distances [B, 4].

    The candidates of the scene are references. The choice of what is mixed has no gradient.
    """
    codes = networks.encoder(reference, training=True)
    partners, shares = mixing.nearest_in_batch(ops.stop_gradient(codes))
    replacements = mixing.from_batch(quadrants.chunks(codes), partners)
    images = ops.repeat(reference[:, None], quadrants.NUM_QUADRANTS, axis=1)  # [B, 4, H, W, 3]
    candidates = mixing.from_batch(images, partners)
    mask = mixing.batch_mask(shares, threshold)
    return _scene(networks, reference, candidates, mask, codes, replacements), shares


def forward_of_tiles(networks: Networks, images, draws: Draws) -> tuple[Scene, Any]:
    """As `forward`, the first half of the images mixed with the second by chance (appendix D.1).

    The scene has B / 2 references, a mask [B / 2, 9] and one candidate each, which is whole; the
    distances, which nothing asks for, are zeros.
    """
    half = ops.shape(images)[0] // 2
    codes = networks.encoder(images[: 2 * half], training=True)  # [B, 3, 3, C]
    first, second = codes[:half], mixing.cells(codes[half:])
    mask = mixing.random_mask(half, second.shape[1], draws)
    partners = images[half : 2 * half][:, None]  # [B / 2, 1, H, W, 3]
    made = _scene(networks, images[:half], partners, mask, first, second)
    return made, ops.zeros_like(ops.cast(mask, "float32"))


def _scene(networks: Networks, reference, candidates, mask, codes, replacements) -> Scene:
    """The way from codes [B, 2, 2, C] and replacements [B, 4, C] on."""
    count = ops.shape(reference)[0]
    mixed = mixing.mix_codes(codes, replacements, mask)  # f_mix [B, 2, 2, C]
    decoded = networks.decoder(ops.concatenate([codes, mixed], axis=0), training=True)
    reconstruction, mix = decoded[:count], decoded[count:]  # each [B, H, W, 3]
    mixed_again = networks.encoder(mix, training=True)  # f^_mix [B, 2, 2, C]
    cycle = networks.decoder(mixing.cycle_codes(codes, mixed_again, mask), training=True)
    return Scene(reference, candidates, mask, reconstruction, mix, cycle)


def interpolated_views(encoder, decoder, seen: Views):
    """Dec(slerp(Enc(A_a I), Enc(A_b I), alpha)) [B, H, W, 3], which is to be A_alpha I.

    Not in the thesis (seed 003). The four chunks of a code go together, on one great circle.
    """
    both = encoder(ops.concatenate([seen.first, seen.second], axis=0), training=True)
    start, end = ops.split(ops.reshape(both, (ops.shape(both)[0], -1)), 2, axis=0)
    between = great_circle(start, end, seen.alpha)
    return decoder(ops.reshape(between, (-1, *both.shape[1:])), training=True)


def classify(classifier, mix, candidates):
    """The four pairs (I_mix, I_qj) in one call of 4B -> logits [B, 4 pairs, 4 bits].

    One call, so that batch normalisation sees all four kinds of pair together. Of nine tiles there
    is one pair and nine bits.
    """
    height, width, channels = mix.shape[1:]
    pairs = candidates.shape[1]
    repeated = ops.repeat(mix, pairs, axis=0)  # [4B, H, W, 3], each mix four times in a row
    flat = ops.reshape(candidates, (-1, height, width, channels))  # [4B, H, W, 3]
    logits = classifier(repeated, flat, training=True)  # [4B, 4]
    return ops.reshape(logits, (-1, pairs, logits.shape[-1]))


def classify_six(classifier, mix, reference, candidates):
    """All six images in one call of B (appendix D.3) -> logits [B, 1, 4], one a quadrant."""
    height, width = mix.shape[1:3]
    others = ops.concatenate([reference[:, None], candidates], axis=1)  # [B, 5, H, W, 3]
    others = ops.reshape(ops.transpose(others, (0, 2, 3, 1, 4)), (-1, height, width, 15))
    return classifier(mix, others, training=True)[:, None]


def answers(classifier, mix, scene: Scene, config: ModelConfig):
    """Logits of the classifier's task on a mix, and their labels.

    [B, 4, 4]; [B, 1, 4] of six images, and [B, 1, 9] of tiles, where each cell's origin is asked;
    with --grid=4 16 bits in place of four.
    """
    if config.classifier_task == variants.SIX:
        logits = classify_six(classifier, mix, scene.reference, scene.candidates)
        return logits, mixing.origin_labels(scene.mask)
    logits = classify(classifier, mix, scene.candidates)
    if config.mixing == variants.TILES:
        return logits, mixing.origin_labels(scene.mask)
    return logits, mixing.classifier_labels(scene.mask)


def generator_loss(
    networks: Networks,
    scene: Scene,
    config: ModelConfig,
    distance: Callable | None = None,
) -> GeneratorLoss:
    """Equation 3.6 on a scene; gradients are meant for encoder and decoder only.

    distance: (images, others) -> [B], to be added to both reconstruction terms with the weight
      `lambda_perceptual`; None: the thesis.
    """
    rec = losses.reconstruction(
        scene.reference, scene.reconstruction, scene.cycle, config.reconstruction_norm
    )
    adv = losses.adversarial(networks.discriminator(scene.mix, training=True))
    cls = losses.classification(
        *answers(networks.classifier, scene.mix, scene, config), config.lambda_pair
    )
    total = losses.generator(rec, adv, cls, config.lambda_rec, config.lambda_adv, config.lambda_cls)
    if distance is None:
        return GeneratorLoss(total, rec, adv, cls)
    perceptual = losses.perceptual(distance, scene.reference, scene.reconstruction, scene.cycle)
    return GeneratorLoss(total + config.lambda_perceptual * perceptual, rec, adv, cls, perceptual)


def discriminator_loss(networks: Networks, scene: Scene):
    """Equation 3.9 on a detached scene: (loss, logits of I_ref, logits of I_mix)."""
    mix = ops.stop_gradient(scene.mix)
    real_logits = networks.discriminator(scene.reference, training=True)
    fake_logits = networks.discriminator(mix, training=True)
    return losses.discriminator(real_logits, fake_logits), real_logits, fake_logits


def classifier_loss(networks: Networks, scene: Scene, config: ModelConfig):
    """Equation 3.5 on a detached scene: (loss, logits [B, 4, 4], labels [B, 4, 4])."""
    logits, labels = answers(networks.classifier, ops.stop_gradient(scene.mix), scene, config)
    return losses.classification(logits, labels, config.lambda_pair), logits, labels
