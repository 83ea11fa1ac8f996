"""Spectral norms over a training step: who moves, and how often."""

import numpy as np

from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.networks.spectral_norm import SpectralConv2D
from tests import tiny


def spectral_layers(model):
    """Every spectrally normalised layer of decoder and discriminator, which are all there are."""
    found = [
        [layer for layer in network._flatten_layers() if isinstance(layer, SpectralConv2D)]
        for network in model.networks
    ]
    encoder, decoder, discriminator, classifier = found
    assert decoder and discriminator and not encoder and not classifier
    return decoder + discriminator


def spectral_model(**changes):
    """A model whose singular vectors point anywhere, so that each power iteration moves them.

    Those of small layers have all but arrived when they are made.
    """
    made = Lorbms(tiny.config(**changes), seed=11)
    made.compile_optimizers()
    rng = np.random.default_rng(11)
    for layer in spectral_layers(made):
        for vector in (layer.u, layer.v):
            values = rng.normal(size=vector.shape)
            vector.assign(values / np.linalg.norm(values))
    return made


def singular_vectors(model):
    return [v.value.numpy() for layer in spectral_layers(model) for v in (layer.u, layer.v)]


def test_only_singular_vectors_move_when_norms_advance():
    model = spectral_model()
    before = {id(v): v.value.numpy() for network in model.networks for v in network.variables}
    model.advance_spectral_norms()
    moved = {
        id(v)
        for network in model.networks
        for v in network.variables
        if not np.array_equal(before[id(v)], v.value.numpy())
    }
    assert moved == {id(v) for layer in spectral_layers(model) for v in (layer.u, layer.v)}


def test_a_step_makes_one_power_iteration_however_many_generator_updates():
    still = {f"{name}_learning_rate": 0.0 for name in ("generator", "discriminator", "classifier")}
    model, by_hand = (spectral_model(generator_updates=2, **still) for _ in range(2))
    before = singular_vectors(model)
    model.train_step(tiny.random_batch())
    after = singular_vectors(model)
    for layer in spectral_layers(by_hand):
        layer.advance()
    once = singular_vectors(by_hand)
    for layer in spectral_layers(by_hand):
        layer.advance()
    twice = singular_vectors(by_hand)
    for old, new, expected in zip(before, after, once, strict=True):
        assert not np.allclose(old, new, atol=1e-3)
        np.testing.assert_allclose(new, expected, atol=1e-6)
    # A second iteration would be seen.
    assert any(not np.allclose(a, b, atol=1e-3) for a, b in zip(once, twice, strict=True))
