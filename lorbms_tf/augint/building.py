"""A configuration to its networks; their weights follow from the seed."""

from lorbms_tf.augint.config import AugintConfig
from lorbms_tf.networks.dcgan import DcganEncoder, DcganGenerator
from lorbms_tf.networks.infogan import InfoGanEncoder, InfoGanGenerator


def encoder(
    config: AugintConfig,
    outputs: int,
    seed: int = 0,
    precision: str = "float32",
    channels: int = 0,
    norm: str = "",
):
    """Encoder, discriminator or classifier: they differ in their outputs alone (seed 003).

    Args:
      config: kind and sizes.
      outputs: numbers an image.
      seed: of the weights.
      precision: arithmetic, as a policy of Keras.
      channels: of its images, where not those of the configuration.
      norm: where not that of the configuration.
    """
    kind, own = (InfoGanEncoder, {"dense": config.dense})
    if config.network == "dcgan":
        kind, own = DcganEncoder, {}
    return kind(
        image_size=config.image_size,
        channels=channels or config.channels,
        outputs=outputs,
        widths=config.widths,
        norm=norm or config.norm,
        seed=seed,
        dtype=precision,
        **own,
    )


def decoder(config: AugintConfig, code_size: int, seed: int = 0, precision: str = "float32"):
    """Codes of a size to images. Args as `encoder`."""
    kind, own = (InfoGanGenerator, {"dense": config.dense})
    if config.network == "dcgan":
        kind, own = DcganGenerator, {}
    return kind(
        image_size=config.image_size,
        channels=config.channels,
        code_size=code_size,
        widths=config.widths[::-1],
        norm=config.norm,
        seed=seed,
        dtype=precision,
        **own,
    )
