import numpy as np
import pytest

from lorbms_tf.evaluation import image_probe
from lorbms_tf.evaluation.seams import LEAST, TEST_SHARE, auc, check_count, seam_auc
from tests import tiny


@pytest.fixture(scope="module", autouse=True)
def eagerly():
    with tiny.eagerly():
        yield


def pictures(count=180, seed=0):
    """Noise [N, 16, 16, 3] and which quadrants of them were replaced [N, 4], independent."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 0.1, (count, 16, 16, 3)).astype(np.float32)
    return noise, rng.random((count, 4)) < 0.4


def test_quadrants_of_another_brightness_are_found():
    images, mask = pictures()
    brighter = np.repeat(np.repeat(mask.reshape(-1, 2, 2), 8, axis=1), 8, axis=2)
    assert seam_auc(images + brighter[..., None], mask) > 0.95


def test_what_cannot_be_seen_is_not_found():
    assert 0.3 < seam_auc(*pictures()) < 0.7  # of 45 images: the deviation is about 0.045
    images, mask = pictures(100)
    # Rounding may tell equal pictures of a batch apart.
    assert seam_auc(np.zeros_like(images), mask) == pytest.approx(0.5, abs=0.1)


def test_a_quadrant_that_is_always_replaced_is_left_out():
    images, mask = pictures()
    brighter = np.repeat(np.repeat(mask.reshape(-1, 2, 2), 8, axis=1), 8, axis=2)
    mask[:, 0] = True
    assert seam_auc(images + brighter[..., None], mask) > 0.95
    with pytest.raises(ValueError, match="replaced in all or in none"):
        seam_auc(images, np.ones_like(mask))


def test_auc_known_by_hand():
    truth = np.array([True, True, False, False])
    assert auc(np.array([0.9, 0.8, 0.2, 0.1]), truth) == 1.0
    assert auc(np.array([0.1, 0.2, 0.8, 0.9]), truth) == 0.0
    assert auc(np.array([0.9, 0.3, 0.5, 0.1]), truth) == 0.75  # 3 of the 4 pairs are in order
    assert auc(np.full(4, 0.5), truth) == 0.5
    assert np.isnan(auc(np.zeros(4), np.ones(4, bool)))
    assert np.isnan(auc(np.array([np.nan, 1.0, 2.0, 3.0]), truth))


def test_the_fewest_images_leave_one_batch_to_learn_from():
    learned = [count - int(count * TEST_SHARE) for count in (LEAST - 1, LEAST)]
    assert learned == [image_probe.BATCH_SIZE - 1, image_probe.BATCH_SIZE]
    check_count(LEAST)
    images, mask = pictures(LEAST - 1)
    with pytest.raises(ValueError, match=f"at least {LEAST} images, here are {LEAST - 1}"):
        seam_auc(images, mask)


def test_images_that_are_not_finite():
    images, mask = pictures(100)
    images[5] = np.nan
    with pytest.raises(ValueError, match="1 of 100 images are not finite"):
        seam_auc(images, mask)
