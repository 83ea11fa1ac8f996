"""A configuration to the four networks of table 3.6."""

from collections.abc import Callable
from typing import NamedTuple

from lorbms_tf.lorbms.config import ModelConfig
from lorbms_tf.networks.classifier import Classifier
from lorbms_tf.networks.decoder import Decoder
from lorbms_tf.networks.discriminator import Discriminator
from lorbms_tf.networks.encoder import Encoder
from lorbms_tf.networks.strided_chunks import StridedChunkDecoder, StridedChunkEncoder


class Networks(NamedTuple):
    """The four networks of table 3.6; each is called on a batch."""

    encoder: Callable
    decoder: Callable
    discriminator: Callable
    classifier: Callable


def build_generator(
    config: ModelConfig, seed: int, precision: str
) -> tuple[Encoder | StridedChunkEncoder, Decoder | StridedChunkDecoder]:
    """Encoder and decoder, built, with weights that follow from the seed."""
    if config.strided_widths:
        return _build_strided(config, seed, precision)
    encoder = Encoder(
        image_size=config.image_size,
        chunk_size=config.chunk_size,
        stem_width=config.encoder_stem,
        block_layers=config.encoder_layers,
        growth=config.encoder_growth,
        seed=4 * seed,
        dtype=precision,
    )
    decoder = Decoder(
        image_size=config.image_size,
        chunk_size=config.chunk_size,
        block_layers=config.decoder_layers,
        up_widths=config.decoder_widths,
        growth=config.decoder_growth,
        spectral_norm=config.decoder_spectral_norm,
        separate_blocks=config.decoder_separate_blocks,
        seed=4 * seed + 1,
        dtype=precision,
    )
    return encoder, decoder


def _build_strided(config, seed, precision) -> tuple[StridedChunkEncoder, StridedChunkDecoder]:
    sizes = {
        "image_size": config.image_size,
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
    """The four networks of table 3.6, built, with weights that follow from the seed.

    Raises ValueError where the sizes do not fit each other.
    """
    encoder, decoder = build_generator(config, seed, precision)
    discriminator = Discriminator(
        image_size=config.image_size,
        widths=config.discriminator_widths,
        seed=4 * seed + 2,
        dtype=precision,
    )
    classifier = Classifier(
        image_size=config.image_size,
        conv_widths=config.classifier_widths,
        dense_widths=config.classifier_dense,
        seed=4 * seed + 3,
        dtype=precision,
    )
    return Networks(encoder, decoder, discriminator, classifier)
