"""A configuration to the four networks of table 3.6."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.lorbms import outlook, variants
from lorbms_tf.lorbms.config import ModelConfig
from lorbms_tf.networks.broadcast import BroadcastDecoder
from lorbms_tf.networks.classifier import Classifier
from lorbms_tf.networks.decoder import Decoder
from lorbms_tf.networks.discriminator import Discriminator
from lorbms_tf.networks.encoder import Encoder
from lorbms_tf.networks.global_local import GlobalLocalDiscriminator
from lorbms_tf.networks.places import CELLS, HALVINGS, PlaceDecoder, PlaceEncoder
from lorbms_tf.networks.squeezenet_classifier import SqueezeNetClassifier
from lorbms_tf.networks.strided_chunks import StridedChunkDecoder, StridedChunkEncoder
from lorbms_tf.networks.tiles import TileDecoder, TileEncoder


class Networks(NamedTuple):
    """The four networks of table 3.6; each is called on a batch."""

    encoder: Callable
    decoder: Callable
    discriminator: Callable
    classifier: Callable


def build_generator(config: ModelConfig, seed: int, precision: str) -> tuple[Callable, Callable]:
    """Encoder and decoder, built, with weights that follow from the seed."""
    return _encoder(config, 4 * seed, precision), _decoder(config, 4 * seed + 1, precision)


def _encoder(config: ModelConfig, seed: int, precision: str) -> Callable:
    places = config.place_factors
    if places:
        inner = dataclasses.replace(
            config, place_factors=0, chunk_size=config.chunk_size - outlook.place_width(config)
        )
        encoder = _encoder(inner, seed, precision)
        return PlaceEncoder(encoder, places, seed=seed, dtype=precision)
    sizes = {"image_size": variants.window_size(config), "chunk_size": config.chunk_size}
    if config.strided_widths:
        widths = config.strided_widths
        return StridedChunkEncoder(**sizes, widths=widths, seed=seed, dtype=precision)
    tiles = config.mixing == variants.TILES
    return (TileEncoder if tiles else Encoder)(
        **sizes,
        stem_width=config.encoder_stem,
        block_layers=config.encoder_layers,
        growth=config.encoder_growth,
        receptive_field=config.encoder_receptive_field,
        seed=seed,
        dtype=precision,
    )


def _decoder(config: ModelConfig, seed: int, precision: str) -> Callable:
    if config.place_factors:
        return _place_decoder(config, seed, precision)
    sizes = {"image_size": variants.window_size(config), "chunk_size": config.chunk_size}
    if config.strided_widths:
        return StridedChunkDecoder(
            **sizes,
            widths=config.strided_widths,
            separate_blocks=config.decoder_separate_blocks,
            seed=seed,
            dtype=precision,
        )
    if config.decoder == "broadcast":
        widths = config.broadcast_widths
        return BroadcastDecoder(**sizes, widths=widths, seed=seed, dtype=precision)
    kind = TileDecoder if config.mixing == variants.TILES else Decoder
    return kind(
        **sizes,
        block_layers=config.decoder_layers,
        up_widths=config.decoder_widths,
        growth=config.decoder_growth,
        spectral_norm=config.decoder_spectral_norm,
        separate_blocks=config.decoder_separate_blocks,
        transposed=config.decoder == "transposed",
        attention=config.decoder_attention,
        seed=seed,
        dtype=precision,
    )


def _place_decoder(config: ModelConfig, seed: int, precision: str) -> PlaceDecoder:
    """The decoder without its first blocks, which two convolutions of as many maps stand for."""
    strided, dense = config.strided_widths, config.decoder_widths
    first, second = strided[: -HALVINGS - 1 : -1] if strided else dense[:HALVINGS]
    inner = dataclasses.replace(
        config,
        place_factors=0,
        image_size=config.image_size // CELLS,
        chunk_size=second,
        strided_widths=strided[:-HALVINGS],
        decoder_layers=config.decoder_layers[HALVINGS:],
        decoder_widths=dense[HALVINGS:],
        decoder_separate_blocks=0,
    )
    return PlaceDecoder(
        _decoder(inner, seed, precision),
        chunk_size=config.chunk_size,
        places=config.place_factors,
        width=first,
        separate_blocks=config.decoder_separate_blocks,
        spectral_norm=config.decoder_spectral_norm and not strided,
        seed=seed,
        dtype=precision,
    )


def _discriminator(config: ModelConfig, seed: int, precision: str) -> Callable:
    sizes = {
        "image_size": config.image_size,
        "widths": config.discriminator_widths,
        "coordinates": config.discriminator_coordinates,
        "attention": config.discriminator_attention,
        "seed": seed,
        "dtype": precision,
    }
    if config.discriminator == "global_local":
        return GlobalLocalDiscriminator(**sizes, dense=config.discriminator_dense)
    return Discriminator(**sizes, whole=config.discriminator == "global")


def _classifier(config: ModelConfig, seed: int, precision: str) -> Callable:
    six = config.classifier_task == variants.SIX
    sizes = {
        "image_size": config.image_size,
        "others": 1 + NUM_QUADRANTS if six else 1,
        "outputs": variants.tiles_a_side(config) ** 2,
        "seed": seed,
        "dtype": precision,
    }
    if config.classifier != "alexnet":
        return SqueezeNetClassifier(**sizes, last_relu=config.classifier == "squeezenet")
    widths = {"conv_widths": config.classifier_widths, "dense_widths": config.classifier_dense}
    return Classifier(**sizes, **widths)


def build_networks(config: ModelConfig, seed: int = 0, precision: str = "float32") -> Networks:
    """The four networks of table 3.6, or what the variants put in their places, built.

    Their weights follow from the seed. Raises ValueError where the sizes do not fit each other.
    """
    encoder, decoder = build_generator(config, seed, precision)
    discriminator = _discriminator(config, 4 * seed + 2, precision)
    classifier = _classifier(config, 4 * seed + 3, precision)
    return Networks(encoder, decoder, discriminator, classifier)


def build_part_classifier(
    config: ModelConfig, seed: int = 0, precision: str = "float32"
) -> Classifier | None:
    """The classifier of --attribute_parts, of one quadrant enlarged; None where chunks are whole.

    The same layers as the classifier's, with an answer for each part. Weights follow from the seed.
    """
    if config.attribute_parts == 1:
        return None
    return Classifier(
        image_size=config.image_size,
        conv_widths=config.classifier_widths,
        dense_widths=config.classifier_dense,
        others=2,
        outputs=len(outlook.parts(config)),
        seed=4 * seed + 2,
        dtype=precision,
    )
