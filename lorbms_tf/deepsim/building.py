"""Configuration -> the networks of DeePSiM, and their optimizers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lorbms_tf.deepsim.coder import Coder
from lorbms_tf.deepsim.config import DeepsimConfig
from lorbms_tf.errors import UserError
from lorbms_tf.features import taps
from lorbms_tf.features.taps import Taps
from lorbms_tf.networks.deepsim_discriminator import DeepsimDiscriminator
from lorbms_tf.networks.upconv import UpConv
from lorbms_tf.training import optimizers


def frozen(config: DeepsimConfig, role: str, layers: Sequence[str], seed: int) -> Taps:
    """The network that a flag names. UserError, naming the flag, where it cannot be used.

    role: "encoder" or "comparator".
    """
    weights = f"{role}_weights"
    try:
        with taps.weights_flag(weights):
            return taps.make(getattr(config, role), layers, getattr(config, weights), seed)
    except UserError as error:  # what names no flag yet is about the network itself
        text = str(error)
        raise UserError(text if text.startswith("--") else f"--{role}: {text}") from error


def generator(
    config: DeepsimConfig, features: tuple[int, ...], seed: int, precision: str
) -> UpConv:
    """What draws pictures of features of this shape, that of one picture's."""
    return UpConv(
        config.image_size,
        features,
        config.widths,
        config.dense,
        config.head,
        seed=seed,
        dtype=precision,
    )


def coder(config: DeepsimConfig, tapped: Taps, seed: int, precision: str) -> Coder:
    """The encoder that learns; of a vae it gives means and logarithms of variances."""
    return Coder(
        tapped,
        config.image_size,
        config.latent_size * (2 if config.mode == "vae" else 1),
        config.feature_scale,
        seed=seed,
        dtype=precision,
    )


def discriminator(
    config: DeepsimConfig, features: tuple[int, ...], seed: int, precision: str
) -> DeepsimDiscriminator:
    """The adversary, which reads features of this shape where the flags say so."""
    return DeepsimDiscriminator(
        config.image_size,
        config.discriminator_widths,
        config.discriminator_dense,
        math.prod(features) if config.discriminator_features else 0,
        seed=seed,
        stride=config.discriminator_stride,
        dtype=precision,
    )


def adam(
    config: DeepsimConfig, networks: Mapping[str, Any], total_steps: int, precision: str
) -> optimizers.Adam:
    """The optimizer of some networks together, in a run of so many steps."""
    rate = optimizers.rate_over_run(
        config.learning_rate, max(1, total_steps), config.warmup_steps, config.schedule
    )
    made = optimizers.Adam(
        optimizers.halved(rate, config.halvings),
        scale_loss=precision == "mixed_float16",
        beta_1=config.adam_beta_1,
        beta_2=config.adam_beta_2,
    )
    made.build([v for network in networks.values() for v in network.trainable_variables])
    return made
