"""InfoGAN's networks (Chen et al., 2016), of the handwritten characters of seed 003: 28 px."""

from lorbms_tf.networks.strided import StridedEncoder, StridedGenerator

WIDTHS = (64, 128)
DENSE = 1024
LEAK = 0.1


class InfoGanEncoder(StridedEncoder):
    """4x4 convolutions of 64 and 128 maps, a dense layer of 1024, then the outputs.

    Args: as `StridedEncoder`.
    """

    def __init__(
        self, image_size=28, channels=1, outputs=32, widths=WIDTHS, dense=DENSE, leak=LEAK, **kwargs
    ):
        super().__init__(image_size, channels, outputs, widths, dense, leak=leak, **kwargs)


class InfoGanGenerator(StridedGenerator):
    """Dense layers of 1024 and 7x7x128, then 4x4 convolutions up to 64 maps and to the image.

    Args: as `StridedGenerator`.
    """

    def __init__(
        self, image_size=28, channels=1, code_size=32, widths=WIDTHS[::-1], dense=DENSE, **kwargs
    ):
        super().__init__(image_size, channels, code_size, widths, dense, **kwargs)
