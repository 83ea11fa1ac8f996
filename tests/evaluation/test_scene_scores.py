import weakref

import numpy as np
import pytest

from lorbms_tf.evaluation import scene_scores
from lorbms_tf.evaluation.classifier_score import classifier_score
from lorbms_tf.evaluation.frechet import frechet_distance


class Colours:
    """An extractor whose features are the mean colours, and which counts its passes."""

    def __init__(self):
        self.passes = 0

    def __call__(self, images, batch_size):
        self.passes += 1
        colours = images.mean(axis=(1, 2))
        return colours, 10 * colours


def images(seed, count=40, shift=0.0):
    rng = np.random.default_rng(seed)
    colours = rng.uniform(-0.5, 0.5, (count, 1, 1, 3)) + shift
    noise = rng.uniform(-0.1, 0.1, (count, 16, 16, 3))
    return (colours + noise).astype(np.float32)


@pytest.fixture
def sets():
    made = {"real": images(0), "mix": images(1, shift=0.4), "reconstruction": images(0)}
    made["reference"] = made["real"]
    return scene_scores.Sets(made, Colours())


def test_all_scores_share_one_pass_over_each_set(sets):
    values = {name: scene_scores.SCORES[name].of(sets) for name in scene_scores.SCORES}
    assert sets._extractor.passes == 3
    assert all(np.isfinite(value) for value in values.values())
    colours = {name: batch.mean(axis=(1, 2)) for name, batch in sets.images.items()}
    expected = frechet_distance(colours["real"], colours["mix"])
    assert values["frechet_mix"] == pytest.approx(expected, rel=1e-6)


def test_a_perfect_set_against_a_shifted_one(sets):
    def value(name):
        return scene_scores.SCORES[name].of(sets)

    assert value("frechet_reconstruction") == pytest.approx(0.0, abs=1e-6)
    assert value("frechet_mix") > 0.3
    assert value("kernel_mix") > value("kernel_reconstruction")
    assert value("precision_reconstruction") == value("recall_reconstruction") == 1.0
    assert value("precision_mix") < 0.8
    assert value("swd_paired_reconstruction") == 0.0
    assert value("swd_mix") > value("swd_reconstruction") > 0.0


def test_the_order_is_shuffled_but_fixed():
    made = {"real": images(0), "mix": np.sort(images(1), axis=0), "reconstruction": images(0)}
    first, again = (scene_scores.Sets(made, Colours(), seed=3) for _ in range(2))
    np.testing.assert_array_equal(first["mix_features"], again["mix_features"])
    assert not np.array_equal(first["mix_features"], made["mix"].mean(axis=(1, 2)))
    assert not np.array_equal(first["real_features"], first["reconstruction_features"])


@pytest.mark.parametrize(("count", "splits"), [(40, 1), (1000, 10)])
def test_a_classifier_score_of_few_images_is_not_cut_into_parts(count, splits):
    sets = scene_scores.Sets({"mix": images(1, count)}, Colours())
    score = scene_scores.SCORES["classifier_score_mix"].of(sets)
    assert score == pytest.approx(classifier_score(sets["mix_logits"], splits).value)


def test_scored_images_are_let_go():
    sets = scene_scores.Sets({"real": images(0), "mix": images(1)}, Colours())
    assert scene_scores.SCORES["precision_mix"].of(sets) >= 0
    kept = weakref.ref(sets)
    del sets
    assert kept() is None


def test_too_few_images_are_named():
    made = {"real": images(0, 40), "mix": images(1, 3), "reconstruction": images(1, 3)}
    with pytest.raises(ValueError, match="3 generated"):
        scene_scores.SCORES["precision_mix"].of(scene_scores.Sets(made, Colours()))


def test_a_frechet_distance_of_few_images_carries_a_caution():
    few, many = (
        scene_scores.Sets({"real": images(0), "mix": images(1, count)}, Colours())
        for count in (3, 4)
    )
    assert "of 3 images with features of 3 numbers" in scene_scores.caution("frechet_mix", few)
    assert scene_scores.caution("frechet_mix", many) == ""
    assert scene_scores.caution("swd_mix", few) == ""


def test_pairs_are_the_references_also_beside_other_real_images():
    made = {"real": images(5), "reference": images(0), "reconstruction": images(0)}
    assert scene_scores.SCORES["swd_paired_reconstruction"].of(scene_scores.Sets(made)) == 0.0
