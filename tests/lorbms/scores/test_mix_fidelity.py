import numpy as np
import pytest

from lorbms_tf.lorbms import mixing
from lorbms_tf.lorbms.scores.mix_fidelity import faithful_quadrants


def scenes(count=20):
    rng = np.random.default_rng(0)
    reference = rng.uniform(-1, 1, (count, 8, 8, 3)).astype(np.float32)
    candidates = rng.uniform(-1, 1, (count, 4, 8, 8, 3)).astype(np.float32)
    mask = np.asarray(mixing.replacement_mask(rng.uniform(0, 1, (count, 4)), 0.5))
    return reference, candidates, mask


def test_pasting_pixels_is_wholly_faithful():
    reference, candidates, mask = scenes()
    pasted = np.asarray(mixing.paste_quadrants(reference, candidates, mask))
    assert faithful_quadrants(pasted, reference, candidates, mask).all()


def test_pasting_the_opposite_is_never_faithful():
    reference, candidates, mask = scenes()
    opposite = np.asarray(mixing.paste_quadrants(reference, candidates, ~mask))
    assert not faithful_quadrants(opposite, reference, candidates, mask).any()


def test_ignoring_the_mask_is_faithful_where_kept_only():
    reference, candidates, mask = scenes()
    np.testing.assert_array_equal(faithful_quadrants(reference, reference, candidates, mask), ~mask)


def test_equal_sources_do_not_count():
    reference, candidates, mask = scenes()
    same = np.repeat(reference[:, None], 4, axis=1)
    assert not faithful_quadrants(reference, reference, same, mask).any()


def test_a_constant_image_is_about_half_faithful():
    reference, candidates, mask = scenes(200)
    share = faithful_quadrants(np.zeros_like(reference), reference, candidates, mask).mean()
    assert 0.42 < share < 0.58


@pytest.mark.parametrize("place", range(3))
def test_images_that_are_not_finite(place):
    *images, mask = scenes()
    images.insert(0, images[0].copy())
    images[place][4] = np.nan
    what = ("mixes", "references", "candidates")[place]
    with pytest.raises(ValueError, match=f"1 of 20 {what} are not finite"):
        faithful_quadrants(*images, mask)
