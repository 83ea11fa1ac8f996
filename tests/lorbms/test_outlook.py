"""Chapter 5's settings: what a chunk is made of, what does not fit, and what is served."""

import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.lorbms import outlook
from lorbms_tf.lorbms.building import build_networks
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.networks.places import PlaceDecoder, PlaceEncoder
from lorbms_tf.serving import saved_model
from tests import tiny

STRIDED = {"strided_widths": (3, 4, 5)}


def test_parts_of_a_chunk():
    assert outlook.parts(tiny.config(chunk_size=12)) == {"part 1": 12}
    assert outlook.parts(tiny.config(chunk_size=12, attribute_parts=3)) == {
        **{"part 1": 4, "part 2": 4, "part 3": 4}
    }
    both = tiny.config(chunk_size=12, attribute_parts=2, place_factors=1)
    assert outlook.parts(both) == {"part 1": 5, "part 2": 5, "place": 2}


@pytest.mark.parametrize("changes", [{}, STRIDED, {"decoder": "transposed"}])
@pytest.mark.parametrize("separate", [0, 2])
def test_places_come_with_every_encoder_and_decoder(changes, separate):
    config = tiny.config(place_factors=1, chunk_size=6, decoder_separate_blocks=separate, **changes)
    config.validate()
    networks = build_networks(config)
    assert isinstance(networks.encoder, PlaceEncoder)
    assert isinstance(networks.decoder, PlaceDecoder)
    images = tiny.random_batch(2)["reference"]
    codes = networks.encoder(images)
    assert codes.shape == (2, 2, 2, 6)
    assert networks.decoder(codes).shape == (2, 32, 32, 3)


def test_a_model_with_places_is_served_as_it_computes(tmp_path):
    model = Lorbms(tiny.config(place_factors=1, chunk_size=6, **STRIDED), seed=2)
    assert saved_model.write(model, tmp_path / "1", "a model with places") < 1e-4


def test_places_move_with_their_chunks_when_scenes_are_mixed():
    model, batch = Lorbms(tiny.config(place_factors=1, chunk_size=6), seed=2), tiny.random_batch(1)
    mask = np.array([[True, False, False, True]])
    codes, mixed = model.mix_codes(batch["reference"], batch["candidates"], mask)
    other = model.encode(batch["candidates"][:, 3])
    np.testing.assert_allclose(mixed[0, 1, 1, -2:], other[0, 1, 1, -2:], atol=1e-6)
    np.testing.assert_allclose(mixed[0, 0, 1, -2:], codes[0, 0, 1, -2:], atol=1e-6)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"attribute_parts": 0}, "--attribute_parts=0"),
        ({"attribute_parts": 3}, "--attribute_parts=3 does not divide --chunk_size=4"),
        (
            {"attribute_parts": 4, "place_factors": 1, "chunk_size": 8},
            "does not divide --chunk_size=8 less 2 of --place_factors",
        ),
        ({"attribute_parts": 2, "mixing": "batch"}, "--mixing=candidates, not batch"),
        ({"lambda_parts": -1.0}, "--lambda_parts"),
        ({"place_factors": -1}, "--place_factors=-1"),
        ({"place_factors": 2}, "leaves nothing of --chunk_size=4: at most 1"),
        ({"place_factors": 1, "mixing": "tiles"}, "neither --mixing=tiles"),
        ({"place_factors": 1, "decoder": "broadcast"}, "nor --decoder=broadcast"),
        ({"place_factors": 1, "decoder_attention": 1}, "--decoder_attention"),
        ({"place_factors": 1, "decoder_separate_blocks": 3}, "--decoder_separate_blocks=3"),
    ],
)
def test_settings_that_do_not_fit_name_their_flag(changes, message):
    with pytest.raises(UserError, match=message):
        tiny.config(**changes).validate()
