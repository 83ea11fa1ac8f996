"""The classifier: table 3.6, moving statistics, stateless calls."""

import numpy as np
import pytest

from lorbms_tf.networks import Classifier

SMALL = {"image_size": 32, "conv_widths": (4, 6, 8, 8, 6), "dense_widths": (5, 7)}


def _pair(batch, size=32):
    rng = np.random.default_rng(0)
    return [rng.uniform(-1, 1, (batch, size, size, 3)).astype("float32") for _ in range(2)]


def test_default_classifier_has_the_parameters_of_table_3_6():
    classifier = Classifier()
    assert sum(int(np.prod(v.shape)) for v in classifier.trainable_variables) == 45_355_044
    assert classifier(*_pair(1, 64)).shape == (1, 4)
    dense = classifier.alexnet.hidden[1].kernel.numpy()
    assert np.std(dense) == pytest.approx(0.02, rel=0.01)


def test_both_images_and_their_order_matter():
    classifier = Classifier(**SMALL)
    mixes, candidates = _pair(2)
    logits = classifier(mixes, candidates).numpy()
    assert not np.allclose(logits, classifier(candidates, mixes))
    assert not np.allclose(logits, classifier(mixes, mixes))


def test_training_updates_moving_statistics_and_inference_does_not():
    classifier = Classifier(**SMALL)
    before = [v.numpy() for v in classifier.non_trainable_variables]
    assert len(before) == 10  # mean and variance of five norms
    classifier(*_pair(3), training=False)
    for old, variable in zip(before, classifier.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())
    classifier(*_pair(3), training=True)
    for old, variable in zip(before, classifier.non_trainable_variables, strict=True):
        assert not np.array_equal(old, variable.numpy())


def test_a_stateless_call_in_training_leaves_moving_statistics_alone():
    classifier = Classifier(**SMALL)
    trainable = [v.value for v in classifier.trainable_variables]
    moving = [v.value for v in classifier.non_trainable_variables]
    before = [v.numpy() for v in classifier.non_trainable_variables]
    logits, updated = classifier.stateless_call(trainable, moving, *_pair(3), training=True)
    for old, new, variable in zip(before, updated, classifier.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())
        assert not np.array_equal(old, np.asarray(new))
    np.testing.assert_allclose(logits, classifier(*_pair(3), training=True), atol=1e-6)


def test_an_image_that_is_too_small_is_an_error_naming_the_smallest_size():
    with pytest.raises(ValueError, match="smallest are 28 px"):
        Classifier(**{**SMALL, "image_size": 16})
