"""DCGAN's networks (Radford et al., 2016), of the natural images of seed 003: 64 and 128 px."""

from lorbms_tf.networks.strided import StridedEncoder, StridedGenerator

WIDTHS = {
    64: (64, 128, 256, 512),
    # Seed 003: a layer of half the width more, at the encoder's bottom and the generator's top.
    128: (32, 64, 128, 256, 512),
}


class DcganEncoder(StridedEncoder):
    """4x4 convolutions of 64 to 512 maps, then the outputs from the 4x4 maps.

    Args: as `StridedEncoder`.
    """

    def __init__(self, image_size=64, channels=3, outputs=512, widths=WIDTHS[64], **kwargs):
        super().__init__(image_size, channels, outputs, widths, **kwargs)


class DcganGenerator(StridedGenerator):
    """4x4x512 maps from the code, then 4x4 convolutions up to 64 maps and to the image.

    Args: as `StridedGenerator`.
    """

    def __init__(self, image_size=64, channels=3, code_size=512, widths=WIDTHS[64][::-1], **kwargs):
        super().__init__(image_size, channels, code_size, widths, **kwargs)
