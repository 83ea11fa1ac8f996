"""Multiply-adds against numbers known by hand."""

import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.benchmarks import operations
from lorbms_tf.lorbms.building import build_networks, build_part_classifier
from lorbms_tf.lorbms.config import ModelConfig
from lorbms_tf.networks import Classifier, Decoder, Discriminator, Encoder
from lorbms_tf.networks.strided_chunks import StridedChunkDecoder, StridedChunkEncoder
from tests import tiny


def test_encoder():
    encoder = Encoder(image_size=4, chunk_size=3, stem_width=2, block_layers=(1,), growth=5)
    stem = 16 * 9 * 5 * 2  # the image and two coordinates
    dense, transition = 16 * 9 * 2 * 5, 16 * 7 * 7
    assert operations.of_encoder(encoder) == stem + dense + transition + 4 * 7 * 3


def test_decoder():
    decoder = Decoder(image_size=4, chunk_size=3, block_layers=(2,), up_widths=(6,), growth=5)
    up, dense = 16 * 9 * 3 * 6, 16 * 9 * (6 + 11) * 5
    assert operations.of_decoder(decoder) == up + dense + 16 * (6 + 10) * 3


def test_strided_encoder_and_decoder():
    sizes = {"image_size": 16, "chunk_size": 5, "widths": (2, 4)}
    expected = 64 * 16 * 3 * 2 + 16 * 16 * 2 * 4 + 4 * 4 * 4 * 5
    assert operations.of_encoder(StridedChunkEncoder(**sizes)) == expected
    assert operations.of_decoder(StridedChunkDecoder(**sizes)) == expected


def test_discriminator():
    discriminator = Discriminator(image_size=8, widths=(2, 4))
    assert operations.of_discriminator(discriminator) == 16 * 16 * 3 * 2 + 4 * 16 * 2 * 4 + 4 * 4


def test_classifier():
    classifier = Classifier(image_size=32, conv_widths=(2, 4, 6, 8, 10), dense_widths=(3, 5))
    sides = (13, 6, 2, 2, 2)  # of what each convolution gives
    convs = (64 * 6 * 2, 25 * 1 * 4, 9 * 4 * 6, 9 * 3 * 8, 9 * 4 * 10)
    dense = 10 * 3 + 3 * 5 + 5 * 4
    expected = sum(side**2 * conv for side, conv in zip(sides, convs, strict=True)) + dense
    assert operations.of_classifier(classifier) == expected


def test_an_iteration_of_the_thesis():
    counted = operations.of_phases(build_networks(ModelConfig()), generator_updates=2)
    # Added up by a separate program from tables 3.1 to 3.5.
    assert counted == {
        "generator": 23_521_085_952,
        "discriminator": 272_530_944,
        "classifier": 2_470_625_280,
        "iteration": 49_785_328_128,
    }


def test_parts_of_chunks_add_a_second_scene():
    config = tiny.config(attribute_parts=2)
    networks, parts = build_networks(config), build_part_classifier(config)
    whole = operations.of_phases(networks, 1)
    both = operations.of_phases(networks, 1, parts)
    encoder = operations.of_encoder(networks.encoder)
    decoder = operations.of_decoder(networks.decoder)
    discriminator = operations.of_discriminator(networks.discriminator)
    told = 4 * operations.of_classifier(parts)
    added = {name: both[name] - whole[name] for name in whole}
    assert added["generator"] == 3 * (encoder + 2 * decoder) + 2 * (discriminator + told)
    assert added["discriminator"] == 3 * discriminator
    assert added["classifier"] == 3 * told
    assert added["iteration"] == sum(added[name] for name in list(added)[:3])


@pytest.mark.parametrize(
    "changes", [{"classifier_task": "six_images"}, {"discriminator": "global"}, {"mixing": "tiles"}]
)
def test_other_networks_are_refused(changes):
    networks = build_networks(tiny.config(**changes))
    with pytest.raises(UserError, match="operations are counted for"):
        operations.of_phases(networks, 1)
