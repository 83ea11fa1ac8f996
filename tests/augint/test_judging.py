import numpy as np
import pytest

from lorbms_tf.augint import judging, score_config, scores
from lorbms_tf.augint.classifiers import Classifier
from lorbms_tf.augint.trained import PixelFade
from tests import tiny


def random():
    return np.random.default_rng(0)


def test_pairs_are_of_two():
    places = judging.pairs(500, 3, random())
    assert (places[:, 0] != places[:, 1]).all()
    assert set(map(tuple, places)) == {(a, b) for a in range(3) for b in range(3) if a != b}
    with pytest.raises(ValueError, match="at least 2 images, here are 1"):
        judging.pairs(1, 1, random())


def test_groups_are_of_one_class():
    labels = np.array([0, 0, 0, 1, 2, 2, -1, -1, -1])
    places = judging.groups(labels, 2, 50, random())
    assert set(labels[places].ravel()) == {0, 2}  # 1 is alone, -1 is no class
    assert (labels[places[:, 0]] == labels[places[:, 1]]).all()
    assert (places[:, 0] != places[:, 1]).all()
    with pytest.raises(ValueError, match="no class of the photos has 4 images"):
        judging.groups(labels, 4, 1, random())


def test_pixels_fade():
    black, white = np.full((2, 4, 4, 1), -1.0), np.full((2, 4, 4, 1), 1.0)
    shares = np.array([[0.0, 0.25], [0.5, 1.0]])
    paths = PixelFade().paths(black, white, shares)
    np.testing.assert_allclose(paths[:, :, 0, 0, 0], [[-1, -0.5], [0, 1]])
    both = np.stack([black, white], axis=1)
    blends = PixelFade().blends(both, np.array([[0.5, 0.5], [1.0, 0.0]]))
    np.testing.assert_allclose(blends[:, 0, 0, 0], [0, -1])


def test_a_classifier_tells_dark_from_bright():
    labels = np.arange(40) % 2
    noise = random().normal(0, 0.1, (40, 12, 12, 1))
    images = (noise + np.where(labels, 0.5, -0.5)[:, None, None, None]).astype(np.float32)
    classifier = Classifier(tiny.augint_config(widths=(4, 4), dense=8), images, labels, 2, steps=60)
    assert (classifier(images) == labels).all()
    assert classifier.features(images).shape == (40, 8)
    images[3:5] = np.nan
    with pytest.raises(ValueError, match="2 of 40 judged images are not finite"):
        classifier(images)


def test_scores_by_hand():
    black, grey = np.full((2, 12, 12, 1), -1.0), np.zeros((2, 12, 12, 1))
    assert scores.SCORES["reconstruction_error"].of(
        {"image": black, "reconstruction": grey}
    ) == pytest.approx(0.25)
    assert scores.SCORES["domain_fidelity"].of({"novel": np.array([True, False])}) == 0.5
    with pytest.raises(ValueError, match="no such pictures"):
        scores.SCORES["domain_fidelity"].of({"novel": np.array([], bool)})


def strokes():
    """Two upright white strokes that do not meet, and the same half drawn: [1, 4, 4, 1] each."""
    left, right = np.full((2, 1, 4, 4, 1), -1.0)
    left[:, :, 0], right[:, :, 3] = 1.0, 1.0
    return left, right


def test_ink_that_fades_is_grey_and_ink_that_moves_is_not():
    left, right = strokes()
    fading = scores.SCORES["fading"].compute
    ends = np.concatenate([left, right])
    assert fading(ends, (left + right) / 2) == pytest.approx(0.5)  # both strokes as ghosts
    between = np.roll(left, 1, axis=2)
    assert fading(ends, between) == 0.0  # a stroke in between
    assert fading(ends, left) == 0.0  # a jump does not fade either
    grey = np.where(ends > 0, 0.0, ends)
    assert fading(grey, grey[:1]) == 0.0  # what was grey before has not faded
    assert fading(ends, np.full_like(left, -1.0)) == 1.0  # no ink is left


def test_the_greyness_of_ink_does_not_depend_on_how_much_there_is():
    left, right = strokes()
    half = np.where(left > 0, 0.5, -1.0)  # three quarters of white
    both = np.where(right > 0, 0.5, half)
    assert scores.ink_greyness(np.concatenate([left, half, both])) == pytest.approx([0, 0.25, 0.25])
    with pytest.raises(ValueError, match="have colours"):
        scores.ink_greyness(np.zeros((1, 4, 4, 3)))


def test_ends_and_middles_are_of_the_paths_that_are_judged():
    arrays = object.__new__(judging.Arrays)
    arrays._config = score_config.AugintScoringConfig(run_dir="R", photos="P", paths=6)
    arrays._maker = PixelFade()
    arrays._judged = random().uniform(-1, 1, (5, 4, 4, 1))
    assert arrays.ends.shape == (12, 4, 4, 1)
    np.testing.assert_allclose(arrays.middle, (arrays.ends[:6] + arrays.ends[6:]) / 2)
    assert scores.SCORES["fading"].of(arrays) > 0


def test_each_judged_picture_is_encoded_once():
    class Counting(PixelFade):
        encoded = 0

        def encode(self, images):
            self.encoded += len(images)
            return images

        def reconstructions(self, images):
            return self.decode(self.encode(images))

    arrays = object.__new__(judging.Arrays)
    arrays._config = score_config.AugintScoringConfig(run_dir="R", photos="P", paths=6)
    arrays._maker = Counting()
    arrays.image = random().uniform(-1, 1, (9, 4, 4, 1))
    arrays._judged = arrays.image[::2]
    assert arrays.path.shape == (18, 4, 4, 1)
    assert arrays.middle.shape == (6, 4, 4, 1)
    np.testing.assert_array_equal(arrays.reconstruction, arrays.image)
    assert arrays._maker.encoded == 9
