import numpy as np
import pytest

from lorbms_tf.lorbms.scores import transfer_truth
from tests import tiny


@pytest.fixture(scope="module", autouse=True)
def eagerly():
    with tiny.eagerly():
        yield


def scenes(count, seed):
    """Quadrants of three brightnesses: images [N, 16, 16, 3] and their levels [N, 4]."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 3, (count, 4))
    shades = np.repeat(np.repeat(levels.reshape(-1, 2, 2) - 1.0, 8, axis=1), 8, axis=2)
    noisy = 0.5 * shades[..., None] + rng.normal(0, 0.05, (count, 16, 16, 3))
    return noisy.astype(np.float32), {"level": levels}


def pasted(images, objects, mask):
    spread = np.repeat(np.repeat(mask.reshape(-1, 2, 2), 8, axis=1), 8, axis=2)
    return np.where(spread[..., None], objects, images)


@pytest.fixture(scope="module")
def guess(eagerly):
    return transfer_truth.train_probe(*scenes(100, 0))


def table(guess, mix, count=80):
    images, factors = scenes(count, 1)

    def mix_numbered(partners, mask):
        return mix(images, images[partners], mask)

    found = transfer_truth.accuracies(guess, mix_numbered, images, factors)
    return {row: values["level"] for row, values in found.items()}


def test_pasted_quadrants_are_what_they_were(guess):
    found = table(guess, pasted)
    for row in ("real", "reconstruction", "kept", "replaced"):
        assert found[row] > 0.95
    assert 0.3 < found["chance"] < 0.45
    assert found["former"] < 0.55  # about one of three has by chance the same level


def test_a_transfer_that_does_nothing_leaves_the_former_object(guess):
    found = table(guess, lambda images, objects, mask: images)
    assert found["former"] > 0.95 and found["replaced"] < 0.55


def test_a_blank_mix_shows_nothing(guess):
    found = table(guess, lambda images, objects, mask: np.zeros_like(images))
    assert found["real"] > 0.95
    for row in ("reconstruction", "kept", "replaced", "former"):
        assert found[row] < 0.55


def test_one_scene_has_no_partner(guess):
    with pytest.raises(ValueError, match="at least two scenes, not 1"):
        table(guess, pasted, count=1)
