"""Multiply-adds of the networks, from the shapes of their layers (tables 3.1 to 3.5).

Counts are those of the plain form: nothing skipped, nothing rewritten. So a share of the machine's
matrix rate says how far all improvements together have come, and may exceed 1.
"""

import numpy as np

from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.building import Networks
from lorbms_tf.networks import Classifier, Decoder, Discriminator, Encoder, alexnet
from lorbms_tf.networks.strided_chunks import StridedChunkDecoder, StridedChunkEncoder


def _conv(layer, side: int) -> int:
    """A convolution that gives side x side pixels."""
    return int(np.prod(layer.kernel.shape)) * side * side


def _halvings(convs, side: int) -> int:
    """Convolutions of stride 2, from images of side x side pixels on."""
    return sum(_conv(conv, side >> number) for number, conv in enumerate(convs, start=1))


def of_encoder(encoder) -> int:
    """Of one image's way forward."""
    side = encoder.settings["image_size"]
    if isinstance(encoder, StridedChunkEncoder):
        return _halvings([*encoder.convs, encoder.head], side)
    total = _conv(encoder.stem, side)
    for block, transition in zip(encoder.blocks, encoder.transitions, strict=True):
        total += sum(_conv(conv, side) for conv in [*block.convs, transition])
        side //= 2  # the pool follows the 1x1 convolution
    return total + _conv(encoder.head, side)


def of_decoder(decoder) -> int:
    """Of one image's way forward."""
    if isinstance(decoder, StridedChunkDecoder):  # each transposed one costs what it undoes does
        return _halvings(reversed(decoder.ups), decoder.settings["image_size"])
    side, total = 2, 0
    for block, transition in zip(decoder.blocks, decoder.transitions, strict=True):
        side *= 2  # repeated before the 3x3 convolution
        total += sum(_conv(conv, side) for conv in [*block.convs, transition])
    return total + _conv(decoder.head, side)


def of_discriminator(discriminator) -> int:
    """Of one image's way forward."""
    side, total = discriminator.settings["image_size"], 0
    for conv in discriminator.convs:
        side = -(-side // 2)
        total += _conv(conv, side)
    return total + _conv(discriminator.head, side)


def of_classifier(classifier) -> int:
    """Of one pair's way forward."""
    network = classifier.alexnet
    layout = alexnet.LAYOUTS[network.settings["layout"]]
    side, total = classifier.settings["image_size"], 0
    for conv, geometry, pool in zip(network.convs, layout.convs, layout.pools, strict=True):
        kernel_size, stride, padding, _ = geometry
        if padding == "valid":
            side = (side - kernel_size) // stride + 1
        total += _conv(conv, side)
        if pool:
            side = (side - pool[0]) // pool[1] + 1
    return total + sum(
        int(np.prod(dense.kernel.shape)) for dense in [*network.hidden, network.head]
    )


def of_phases(
    networks: Networks, generator_updates: int, part_classifier: Classifier | None = None
) -> dict[str, int]:
    """Multiply-adds a reference image: one update of each phase, and a whole iteration.

    A network that is trained costs three times its way forward (outputs, gradients of inputs and
    of kernels), one that only passes gradients on costs twice. part_classifier: of
    --attribute_parts, whose second scene is then counted, too.

    Raises UserError for networks of the thesis's appendix D.
    """
    counted = (
        (Encoder, StridedChunkEncoder),
        (Decoder, StridedChunkDecoder),
        (Discriminator,),
        (Classifier,),
    )
    varied = ("transposed", "attention", "coordinates", "whole")
    for network, kinds in zip(networks, counted, strict=True):
        changed = any(network.settings.get(name) for name in varied)
        if type(network) not in kinds or changed or network.settings.get("others", 1) != 1:
            raise UserError(
                "operations are counted for the networks of table 3.6 and strided ones, not for "
                f"{type(network).__name__} with {network.settings}"
            )
    encoder, decoder = of_encoder(networks.encoder), of_decoder(networks.decoder)
    # With --grid=4 they are called on images of twice the side that their settings name.
    larger = networks.discriminator.settings["image_size"]
    larger = (larger // networks.encoder.settings["image_size"]) ** 2
    encoder, decoder = larger * encoder, larger * decoder
    discriminator = of_discriminator(networks.discriminator)
    pairs = NUM_QUADRANTS * of_classifier(networks.classifier)
    encoded, decoded = 1 + NUM_QUADRANTS + 1, 3  # I_ref, I_q1..4, I_mix; I^_ref, I_mix, I'_ref
    mixes = 1
    if part_classifier:  # a mix of parts, and the reference from it
        encoded, decoded, mixes = encoded + 1, decoded + 2, mixes + 1
        pairs += NUM_QUADRANTS * of_classifier(part_classifier)
    judged = mixes * discriminator
    phases = {
        "generator": 3 * (encoded * encoder + decoded * decoder) + 2 * (judged + pairs),
        "discriminator": 3 * (discriminator + judged),
        "classifier": 3 * pairs,
    }
    iteration = generator_updates * phases["generator"]
    iteration += phases["discriminator"] + phases["classifier"]
    return {**phases, "iteration": iteration}
