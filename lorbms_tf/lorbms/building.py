"""A configuration to the four networks of table 3.6."""

from collections.abc import Callable
from typing import NamedTuple

from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.lorbms import variants
from lorbms_tf.lorbms.config import ModelConfig
from lorbms_tf.networks.broadcast import BroadcastDecoder
from lorbms_tf.networks.classifier import Classifier
from lorbms_tf.networks.decoder import Decoder
from lorbms_tf.networks.discriminator import Discriminator
from lorbms_tf.networks.encoder import Encoder
from lorbms_tf.networks.global_local import GlobalLocalDiscriminator
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
    if config.strided_widths:
        return _build_strided(config, seed, precision)
    tiles = config.mixing == variants.TILES
    encoder = (TileEncoder if tiles else Encoder)(
        image_size=variants.window_size(config),
        chunk_size=config.chunk_size,
        stem_width=config.encoder_stem,
        block_layers=config.encoder_layers,
        growth=config.encoder_growth,
        receptive_field=config.encoder_receptive_field,
        seed=4 * seed,
        dtype=precision,
    )
    return encoder, _decoder(config, 4 * seed + 1, precision)


def _decoder(config: ModelConfig, seed: int, precision: str) -> Callable:
    sizes = {"image_size": variants.window_size(config), "chunk_size": config.chunk_size}
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


def _build_strided(config, seed, precision) -> tuple[StridedChunkEncoder, StridedChunkDecoder]:
    sizes = {
        "image_size": variants.window_size(config),
        "chunk_size": config.chunk_size,
        "widths": config.strided_widths,
        "dtype": precision,
    }
    separate = config.decoder_separate_blocks
    return (
        StridedChunkEncoder(**sizes, seed=4 * seed),
        StridedChunkDecoder(**sizes, separate_blocks=separate, seed=4 * seed + 1),
    )


def build_networks(config: ModelConfig, seed: int = 0, precision: str = "float32") -> Networks:
    """The four networks of table 3.6, or what the variants put in their places, built.

    Their weights follow from the seed. Raises ValueError where the sizes do not fit each other.
    """
    encoder, decoder = build_generator(config, seed, precision)
    discriminator = _discriminator(config, 4 * seed + 2, precision)
    classifier = _classifier(config, 4 * seed + 3, precision)
    return Networks(encoder, decoder, discriminator, classifier)
