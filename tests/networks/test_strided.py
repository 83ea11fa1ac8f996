import numpy as np
import pytest

from lorbms_tf.networks import dcgan
from lorbms_tf.networks.dcgan import DcganEncoder, DcganGenerator
from lorbms_tf.networks.infogan import InfoGanEncoder, InfoGanGenerator
from lorbms_tf.networks.inversion import InversionNetwork
from lorbms_tf.networks.strided import StridedEncoder


def trainable(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def convs(*widths):
    """Weights and biases of 4x4 convolutions."""
    return sum(16 * a * b + b for a, b in zip(widths[:-1], widths[1:], strict=True))


def test_infogans_sizes():
    norms = 2 * (128 + 1024)
    dense = (49 * 128 + 1) * 1024 + (1024 + 1) * 32
    assert trainable(InfoGanEncoder()) == convs(1, 64, 128) + norms + dense
    norms = 2 * (1024 + 128 + 64)  # those of maps are by channel
    dense = (32 + 1) * 1024 + (1024 + 1) * 49 * 128
    assert trainable(InfoGanGenerator()) == convs(128, 64, 1) + norms + dense


def test_dcgans_sizes():
    norms = 2 * (128 + 256 + 512)
    assert trainable(DcganEncoder()) == convs(3, 64, 128, 256, 512) + norms + 512 * (8192 + 1)
    norms = 2 * (512 + 256 + 128 + 64)
    assert trainable(DcganGenerator()) == convs(512, 256, 128, 64, 3) + norms + 8192 * (512 + 1)


def test_the_larger_dcgan_has_a_layer_of_half_the_width_more():
    widths = dcgan.WIDTHS[128]
    assert widths == (32, *dcgan.WIDTHS[64])
    assert DcganEncoder(image_size=128, widths=widths)._side == 4


def test_the_inversion_network_of_table_one():
    network = InversionNetwork()
    norms = 2 * (32 + 64 + 128 + 256 + 512 + 1024)
    dense = (8 * 8 * 1024 + 1) * 512
    assert trainable(network) == convs(3, 32, 64, 128, 256, 512, 1024) + norms + dense


@pytest.mark.parametrize("kind", [InfoGanGenerator, DcganGenerator])
def test_images_lie_between_black_and_white(kind):
    network = kind(image_size=8, widths=(4, 3), code_size=3)
    codes = 100 * np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    made = np.asarray(network(codes, training=True))
    assert -1 <= made.min() < made.max() <= 1


def test_layer_norm_sees_no_other_image():
    images = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1)).astype(np.float32)
    for norm, alone in (("layer", True), ("batch", False)):
        network = StridedEncoder(8, 1, 2, (3, 4), dense=5, norm=norm)
        together = np.asarray(network(images, training=True))[:1]
        apart = np.asarray(network(images[:1], training=True))
        assert np.allclose(together, apart, atol=1e-5) == alone


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"image_size": 30}, "30 px cannot be halved 2 times.*multiples of 4"),
        ({"widths": ()}, "widths is empty"),
        ({"norm": "batches"}, "'batches' is not one of batch, layer, none"),
        ({"widths": (0, 4)}, "widths"),
    ],
)
def test_wrong_sizes_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        InfoGanEncoder(**settings)
