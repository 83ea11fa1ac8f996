"""pretrained:characters28: small, described, draws what it knows and what lies between."""

from pathlib import Path

import numpy as np
import pytest

from lorbms_tf.augint.noise import noise
from lorbms_tf.augint.scores import squared_errors
from lorbms_tf.augint.trained import PixelFade, Trained
from lorbms_tf.data.images import to_float
from lorbms_tf.training import run_directory
from tfrecords_tools.characters.pen import draw
from tfrecords_tools.characters.strokes import SETS

NAME = "pretrained:characters28"
CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "augint"
OWN = {"dense": "64", "max_steps": "3000"}


@pytest.fixture(scope="module")
def shipped():
    return Trained(NAME)


def characters(kind, count):
    """Of a seed that nothing was trained on, [count, 28, 28, 1] in [-1, 1]."""
    ways = list(SETS[kind].values())
    drawn = [draw(ways[i % len(ways)], 28, np.random.default_rng((91, i))) for i in range(count)]
    return to_float(np.stack(drawn))[..., None]


def test_it_is_small_and_says_how_it_was_made():
    folder = run_directory.resolve(NAME)
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) < 1e6
    text = (folder / "README.md").read_text()
    assert "--flagfile=configs/augint/small28.cfg" in text
    for name, value in OWN.items():
        assert f"--{name}={value}" in text
    note = text.split("\n\n")[1]
    assert "digits" in note and len(note) < 140


def test_its_configuration_is_that_of_its_flagfile(shipped):
    wanted = {}
    for name in ("characters28", "small28"):  # the second includes the first
        lines = (CONFIGS / f"{name}.cfg").read_text().splitlines()
        wanted |= dict(line[2:].split("=") for line in lines if line.startswith("--"))
    del wanted["flagfile"]
    for name, value in {**wanted, **OWN}.items():
        kept = getattr(shipped.config, name)
        assert value == (",".join(map(str, kept)) if isinstance(kept, tuple) else str(kept)), name


def test_it_reconstructs_digits_best_then_letters_then_noise(shipped):
    grains = np.concatenate([noise(f, 20, 28, 1, seed=0) for f in (1, 4, 14)])
    digits, letters, grains = (
        np.mean(squared_errors(images, shipped.reconstructions(images)))
        for images in (characters("digits", 60), characters("letters", 52), grains)
    )
    assert digits < 0.025 < 0.06 < grains
    assert digits < letters < grains


def test_between_two_digits_there_is_ink_and_paper_where_pixel_fade_is_grey(shipped):
    digits = characters("digits", 40)
    shares = np.full((20, 1), 0.5)
    greys = [
        np.mean(1 - np.square(maker.paths(digits[:20], digits[20:], shares)))
        for maker in (shipped, PixelFade())
    ]
    assert greys[0] < 0.8 * greys[1]
    ends = shipped.paths(digits[:2], digits[2:4], np.array([[0.0, 1.0]] * 2))
    np.testing.assert_allclose(ends[:, 0], shipped.reconstructions(digits[:2]), atol=1e-4)
    np.testing.assert_allclose(ends[:, 1], shipped.reconstructions(digits[2:4]), atol=1e-4)
