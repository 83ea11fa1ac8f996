"""The decoder: table 3.6, tables 3.3 and 3.4 read literally, ranges."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.networks import Decoder
from lorbms_tf.networks.spectral_norm import SpectralConv2D, advance_spectral_norms

SMALL = {
    "image_size": 16,
    "chunk_size": 6,
    "block_layers": (2, 1, 3),
    "up_widths": (8, 6, 5),
    "growth": 3,
}


def _codes(batch, chunk_size=6, seed=0):
    return np.random.default_rng(seed).normal(size=(batch, 2, 2, chunk_size)).astype("float32")


def test_default_decoder_has_the_parameters_of_table_3_6():
    decoder = Decoder()
    assert sum(int(np.prod(v.shape)) for v in decoder.trainable_variables) == 5_300_339
    assert decoder(_codes(1, 192)).shape == (1, 64, 64, 3)
    assert decoder.head.kernel.shape == (1, 1, 176, 3)
    assert all(transition.bias is None for transition in decoder.transitions)


def test_decoder_equals_tables_3_3_and_3_4_read_literally():
    decoder = Decoder(**SMALL)
    codes = _codes(2)
    new = tf.constant(codes)
    for transition, block in zip(decoder.transitions, decoder.blocks, strict=True):
        size = 2 * new.shape[1]
        stack = transition(tf.image.resize(new, (size, size), method="nearest"))
        width = stack.shape[-1]
        for conv in block.convs:
            stack = tf.concat([stack, conv(tf.nn.relu(stack))], -1)
        new = stack[..., width:]
    np.testing.assert_allclose(decoder(codes), tf.tanh(decoder.head(stack)), atol=1e-5)


def test_images_stay_in_range_whatever_the_code():
    images = Decoder(**SMALL)(_codes(2) * 1e4).numpy()
    assert np.all(np.abs(images) <= 1)
    assert np.all(np.isfinite(images))


def test_every_convolution_is_spectral_normalised_and_advanced():
    decoder, rng = Decoder(**SMALL), np.random.default_rng(0)
    for vector in decoder.non_trainable_weights:  # anywhere, or some have arrived already
        values = rng.normal(size=vector.shape)
        vector.assign(values / np.linalg.norm(values))
    before = [w.numpy() for w in decoder.non_trainable_weights]
    assert len(before) == 2 * (3 + 6 + 1)  # u and v of 3 transitions, 6 dense layers, the head
    advance_spectral_norms(decoder)
    after = [w.numpy() for w in decoder.non_trainable_weights]
    assert not any(np.allclose(*pair, atol=1e-3) for pair in zip(before, after, strict=True))


def test_without_spectral_norm_plain_convolutions_do_the_same():
    decoder, plain = Decoder(**SMALL), Decoder(**SMALL, spectral_norm=False)
    assert not plain.non_trainable_weights  # no u, no v
    assert [v.shape for v in plain.trainable_variables] == [
        v.shape for v in decoder.trainable_variables
    ]
    normalised = [m for m in decoder._flatten_layers() if isinstance(m, SpectralConv2D)]
    convs = [m for m in plain._flatten_layers() if isinstance(m, keras.layers.Conv2D)]
    for source, target in zip(normalised, convs, strict=True):
        target.kernel.assign(source.normalised_kernel())
        if source.bias is not None:
            target.bias.assign(source.bias)
    np.testing.assert_allclose(plain(_codes(2)), decoder(_codes(2)), atol=1e-5)


def test_without_spectral_norm_images_keep_the_contrast_of_their_codes():
    images = Decoder(spectral_norm=False)(_codes(4, 192)).numpy()
    assert images.std() > 0.2  # He's weights; the normal weights of 0.02 would give about 1e-4


def _joined(quadrants):
    rows = [np.concatenate(quadrants[start : start + 2], axis=2) for start in (0, 2)]
    return np.concatenate(rows, axis=1)


@pytest.mark.parametrize("separate", [1, 2, 3])
def test_separate_blocks_decode_each_chunk_as_if_it_were_alone(separate):
    decoder = Decoder(**SMALL, separate_blocks=separate)
    codes = _codes(2)
    blocks = list(zip(decoder.transitions, decoder.blocks, strict=True))
    stacks, news = [], []
    for row, column in np.ndindex(2, 2):
        new = codes[:, row : row + 1, column : column + 1]
        for transition, block in blocks[:separate]:
            up = transition(np.repeat(np.repeat(new, 2, axis=1), 2, axis=2))
            new = block(up)
        news.append(new)
        stacks.append(np.concatenate([up, new], axis=-1))
    new, stack = _joined(news), _joined(stacks)
    for transition, block in blocks[separate:]:
        up = transition(np.repeat(np.repeat(new, 2, axis=1), 2, axis=2))
        new = block(up)
        stack = np.concatenate([up, new], axis=-1)
    np.testing.assert_allclose(decoder(codes), np.tanh(decoder.head(stack)), atol=1e-5)


def test_a_chunk_reaches_another_quadrant_only_after_the_separate_blocks():
    codes, changed = _codes(1), _codes(1)
    changed[:, 0, 0] += 1.0
    apart, seen = (Decoder(**SMALL, separate_blocks=n) for n in (3, 2))
    difference = np.abs(apart(changed) - apart(codes)).max(axis=(0, 3))  # [16, 16]
    assert difference[:8, :8].min() > 0
    difference[:8, :8] = 0
    assert difference.max() == 0
    assert np.abs(seen(changed) - seen(codes))[:, 8:, 8:].max() > 0


def test_same_seed_same_weights():
    first, again, other = Decoder(**SMALL), Decoder(**SMALL), Decoder(**SMALL, seed=1)
    for weight, same in zip(first.weights, again.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), same.numpy())
    assert not np.array_equal(first.head.kernel.numpy(), other.head.kernel.numpy())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"image_size": 64}, "3 dense blocks, but image_size 64 needs 5"),
        ({"up_widths": (8, 6)}, "up_widths has 2 entries, but block_layers has 3"),
        ({"chunk_size": 0}, "chunk_size"),
        ({"separate_blocks": 4}, "separate_blocks must be 0 to 3, not 4"),
    ],
)
def test_settings_that_do_not_fit_are_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        Decoder(**{**SMALL, **settings})
