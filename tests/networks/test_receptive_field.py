"""What the last maps of networks see, against numbers by hand and those of the thesis."""

import pytest

from lorbms_tf.networks import Classifier, Decoder, Discriminator, Encoder, layers, receptive_field
from lorbms_tf.networks.receptive_field import POOL, REPEATED, Window
from lorbms_tf.networks.spectral_norm import SpectralConv2D


@pytest.mark.parametrize(
    "windows, side",
    [
        ([], 1),
        ([Window(1)], 1),
        ([Window(3), Window(3)], 5),
        ([Window(3, 2), Window(3)], 7),  # two places that lie 2 px apart see 3 px each
        ([POOL, POOL, Window(3)], 12),
        ([REPEATED, Window(3)], 2),  # three pixels in a row lie in two cells
        ([Window(11, 4), Window(3, 2), Window(5), Window(3, 2)], 67),  # AlexNet's two first pools
    ],
)
def test_side_by_hand(windows, side):
    assert receptive_field.side(windows) == side


def test_the_thesis_counts_660_pixels_behind_the_first_convolution():
    windows = Encoder().windows
    assert receptive_field.side(windows) == 662
    assert receptive_field.side(windows[1:]) == 660


def test_a_patch_of_the_discriminator_is_46_pixels():
    assert receptive_field.side(Discriminator().windows) == 46


def test_a_pixel_of_the_decoder_sees_more_cells_than_a_code_has():
    # 2 * (13 / 2 + 11 / 4 + 8 / 8 + 6 / 16 + 5 / 32), and the cell itself.
    assert receptive_field.side(Decoder().windows) == 22.5625
    # Five blocks of 12, 10, 7, 5, 4 layers; what is alone adds nothing to its own cell.
    for separate, side in ((1, 9.5625), (5, 1.0)):
        decoder = Decoder(separate_blocks=separate)
        assert receptive_field.side(decoder.windows) == side


def test_the_dense_layers_of_the_classifier_see_the_whole_image():
    windows = Classifier().windows
    assert receptive_field.side(windows[:-1]) == 92
    assert receptive_field.side(windows) == 124


def test_windows_of_layers_that_are_not_of_keras():
    assert receptive_field.of(SpectralConv2D(4, 4, strides=2)) == (4, 2)
    assert receptive_field.of(layers.GroupedConv2D(4, 5, groups=2)) == (5, 1)
