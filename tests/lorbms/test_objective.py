"""The objective with networks made of plain arithmetic, whose every output is known by hand."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from lorbms_tf.data import quadrants
from lorbms_tf.lorbms import objective
from lorbms_tf.lorbms.building import Networks
from lorbms_tf.lorbms.config import ModelConfig


def mean_encoder(images, training):
    """Each chunk is the mean colour of its quadrant: an oracle that keeps quadrants apart."""
    return quadrants.from_chunks(ops.mean(quadrants.split(images), axis=(2, 3)))


def flat_decoder(codes, training):
    """Each quadrant is filled with the colour that its chunk says (4x4 images)."""
    chunked = quadrants.chunks(codes)[:, :, None, None, :]  # [B, 4, 1, 1, 3]
    return quadrants.join(ops.tile(chunked, (1, 1, 2, 2, 1)))


def shifted_decoder(codes, training):
    return flat_decoder(codes, training) + 0.25


def zero_discriminator(images, training):
    return ops.zeros((images.shape[0], 2, 2, 1))


def recording_classifier(calls):
    def classifier(mixes, candidates, training):
        calls.append((np.asarray(mixes), np.asarray(candidates)))
        return ops.zeros((mixes.shape[0], 4))

    return classifier


def flat_scene(values):
    """An image of four flat quadrants, [1, 4, 4, 3]."""
    return np.asarray(
        flat_decoder(np.repeat(np.array(values, np.float32).reshape(1, 2, 2, 1), 3, -1), False)
    )


REFERENCE = flat_scene([0.1, 0.2, 0.3, 0.4])
CANDIDATES = np.stack([flat_scene([-0.1 * i - 0.1] * 4)[0] for i in range(4)])[None]
MASK = np.array([quadrants.parse_mask("0110")])


def networks(decoder=flat_decoder, calls=None):
    classifier = recording_classifier([] if calls is None else calls)
    return Networks(mean_encoder, decoder, zero_discriminator, classifier)


def test_an_oracle_reconstructs_mixes_and_closes_the_cycle():
    scene = objective.forward(networks(), REFERENCE, CANDIDATES, MASK)
    np.testing.assert_allclose(scene.reconstruction, REFERENCE, atol=1e-6)
    np.testing.assert_allclose(scene.cycle, REFERENCE, atol=1e-6)
    np.testing.assert_allclose(scene.mix, flat_scene([0.1, -0.2, -0.3, 0.4]), atol=1e-6)


def test_cycle_sees_the_mix_again_only_where_it_was_kept():
    scene = objective.forward(networks(shifted_decoder), REFERENCE, CANDIDATES, MASK)
    # Kept quadrants pass the decoder twice, replaced ones come from f_ref and pass it once.
    expected = flat_scene([0.1 + 0.5, 0.2 + 0.25, 0.3 + 0.25, 0.4 + 0.5])
    np.testing.assert_allclose(scene.cycle, expected, atol=1e-6)


def test_losses_of_the_oracle_are_known():
    made, config = networks(), ModelConfig()
    scene = objective.forward(made, REFERENCE, CANDIDATES, MASK)
    loss = objective.generator_loss(made, scene, config)
    log2 = np.log(2.0)
    assert float(loss.reconstruction) == pytest.approx(0.0, abs=1e-6)
    assert float(loss.adversarial) == pytest.approx(log2)
    assert float(loss.classifier) == pytest.approx(4 * log2)
    assert float(loss.total) == pytest.approx((0.052 + 0.044 * 4) * log2, rel=1e-5)
    assert float(objective.discriminator_loss(made, scene)[0]) == pytest.approx(2 * log2)
    assert float(objective.classifier_loss(made, scene, config)[0]) == pytest.approx(4 * log2)


def test_every_weight_of_the_configuration_reaches_its_loss():
    def sure_discriminator(images, training):
        return ops.full((images.shape[0], 2, 2, 1), 2.0)

    made = networks(shifted_decoder)._replace(discriminator=sure_discriminator)
    config = ModelConfig(
        reconstruction_norm=2, lambda_rec=2.0, lambda_adv=3.0, lambda_cls=5.0, lambda_pair=0.25
    )
    scene = objective.forward(made, REFERENCE, CANDIDATES, MASK)
    loss = objective.generator_loss(made, scene, config)
    # The reconstruction is off by 0.25 everywhere: 0.0625. The cycle is off by 0.5 in the two kept
    # quadrants and by 0.25 in the two replaced: (2 * 0.25 + 2 * 0.0625) / 4 = 0.15625.
    assert float(loss.reconstruction) == pytest.approx(0.21875)
    # log(1 + exp(-2)) = 0.126928; 0.25 * 4 pairs * log 2 = 0.693147.
    assert float(loss.adversarial) == pytest.approx(0.126928, rel=1e-5)
    assert float(loss.classifier) == pytest.approx(0.693147, rel=1e-5)
    # 2 * 0.21875 + 3 * 0.126928 + 5 * 0.693147
    assert float(loss.total) == pytest.approx(4.284020, rel=1e-5)
    # log(1 + exp(-2)) for the real and log(1 + exp(2)) = 2.126928 for the mix.
    assert float(objective.discriminator_loss(made, scene)[0]) == pytest.approx(2.253856, rel=1e-5)
    assert float(objective.classifier_loss(made, scene, config)[0]) == pytest.approx(
        0.693147, rel=1e-5
    )


def test_a_perceptual_distance_is_added_to_both_reconstructions():
    def darkest(images, others):  # [N] known by hand
        assert images.dtype == others.dtype == "float32"
        return ops.max(ops.abs(images - others), axis=(1, 2, 3))

    made = networks(shifted_decoder)
    config = ModelConfig(perceptual="l1", lambda_perceptual=0.5)
    scene = objective.forward(made, REFERENCE, CANDIDATES, MASK)
    thesis = objective.generator_loss(made, scene, config)
    assert thesis.perceptual is None
    loss = objective.generator_loss(made, scene, config, darkest)
    assert float(loss.perceptual) == pytest.approx(0.25 + 0.5)
    assert float(loss.total) == pytest.approx(float(thesis.total) + 0.5 * 0.75)
    assert loss[1:4] == thesis[1:4]


def test_the_four_pairs_are_one_call_in_reference_major_order():
    calls = []
    reference = np.concatenate([REFERENCE, REFERENCE + 0.01])
    candidates = np.concatenate([CANDIDATES, CANDIDATES - 0.01])
    logits = objective.classify(recording_classifier(calls), reference, candidates)
    assert logits.shape == (2, 4, 4) and len(calls) == 1
    mixes, flat = calls[0]
    for n in range(2):
        for j in range(4):
            np.testing.assert_array_equal(mixes[4 * n + j], reference[n])
            np.testing.assert_array_equal(flat[4 * n + j], candidates[n, j])


def test_discriminator_and_classifier_send_no_gradient_into_the_mix():
    import tensorflow as tf

    mix = tf.Variable(REFERENCE)
    made = Networks(
        mean_encoder,
        flat_decoder,
        lambda images, training: ops.mean(images, axis=(1, 2, 3), keepdims=True),
        lambda mixes, candidates, training: ops.mean(mixes, axis=(1, 2, 3))[:, None] * ops.ones(4),
    )
    with tf.GradientTape(persistent=True) as tape:
        scene = objective.Scene(REFERENCE, CANDIDATES, MASK, REFERENCE, mix, REFERENCE)
        dis = objective.discriminator_loss(made, scene)[0]
        cls = objective.classifier_loss(made, scene, ModelConfig())[0]
        gen = objective.generator_loss(made, scene, ModelConfig()).total
    assert tape.gradient(dis, mix) is None and tape.gradient(cls, mix) is None
    assert np.abs(tape.gradient(gen, mix)).max() > 0


@pytest.mark.parametrize("bits", [["0110", "1000"], ["1110", "0111"], ["0001", "0001"]])
def test_encoding_only_the_replaced_gives_the_same_scene(bits):
    rng = np.random.default_rng(0)
    reference = rng.uniform(-1, 1, (2, 4, 4, 3)).astype(np.float32)
    candidates = rng.uniform(-1, 1, (2, 4, 4, 4, 3)).astype(np.float32)
    mask = np.array([quadrants.parse_mask(text) for text in bits])
    encoded = []

    def encoder(images, training):
        encoded.append(len(images))
        return mean_encoder(images, training)

    made = [
        objective.forward(
            networks()._replace(encoder=encoder), reference, candidates, mask, dynamic=dynamic
        )
        for dynamic in (True, False)
    ]
    assert [scene.parts for scene in made] == [None, None]
    for ours, plain in zip(*(scene[:-1] for scene in made), strict=True):
        np.testing.assert_allclose(ours, plain, atol=1e-6)
    assert encoded[::2] == [2 + mask.sum(), 10]  # every other call encodes the mixes


def test_encoding_only_the_replaced_gives_the_same_gradients():
    rng = np.random.default_rng(1)
    reference = tf.constant(rng.uniform(-1, 1, (2, 4, 4, 3)), tf.float32)
    candidates = tf.constant(rng.uniform(-1, 1, (2, 4, 4, 4, 3)), tf.float32)
    mask = np.array([quadrants.parse_mask(text) for text in ("0110", "1000")])
    gradients = []
    for dynamic in (True, False):
        with tf.GradientTape() as tape:
            tape.watch([reference, candidates])
            scene = objective.forward(networks(), reference, candidates, mask, dynamic=dynamic)
            loss = tf.reduce_sum(tf.square(scene.mix) + tf.square(scene.cycle))
        gradients.append(tape.gradient(loss, [reference, candidates]))
    for ours, plain in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours, plain, atol=1e-5)
    per_candidate = np.abs(gradients[0][1]).sum(axis=(2, 3, 4))  # [B, 4]
    np.testing.assert_array_equal(per_candidate > 0, mask)
