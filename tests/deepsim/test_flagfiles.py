"""The flagfiles of configs/deepsim: each parses, is valid, and says how it is used."""

import json
from pathlib import Path

import pytest

from lorbms_tf.deepsim.config import DeepsimConfig
from lorbms_tf.deepsim.method import METHOD
from lorbms_tf.errors import UserError
from tests import copies

ROOT = Path(__file__).resolve().parents[2]
FLAGFILES = sorted((ROOT / "configs" / "deepsim").glob("*.cfg"))
OTHERS = {"autoencoder", "vae"}  # beside the ablation
SMALL, PARTS = "small32", sorted((ROOT / "configs" / "deepsim" / "losses").glob("*.cfg"))
PUBLISHED = {"conv5": "pool5", "fc6": "fc6", "fc7": "fc7", "fc8": "fc8"}

# In a process of its own: absl's flags are global.
PARSE = """
import json, sys
from absl.flags import FLAGS
from lorbms_tf.cli import flags, settings
from lorbms_tf.deepsim.config import DeepsimConfig

done = {}
flags.define(DeepsimConfig)
for path in sys.argv[1:]:
    FLAGS.unparse_flags()
    for name in FLAGS:
        FLAGS[name].unparse()
    assert FLAGS(["train", *flags.flagfile_lines(path)]) == ["train"], path
    done[path] = settings.to_dict(flags.read(DeepsimConfig))
print(json.dumps(done))
"""


@pytest.fixture(scope="module")
def parsed():
    words = [str(path.relative_to(ROOT)) for path in FLAGFILES]
    done = copies.run(["-c", PARSE, *words])
    assert done.returncode == 0, done.stderr
    return {Path(name).stem: values for name, values in json.loads(done.stdout).items()}


@pytest.mark.parametrize("path", FLAGFILES, ids=lambda path: path.stem)
def test_its_head_names_command_and_expectation(path):
    text = path.read_text()
    assert f"python -m lorbms_tf.train --flagfile={path.relative_to(ROOT)}" in text
    assert "# Expect: " in text


def test_the_published_ones_are_the_papers(parsed):
    for name, layer in PUBLISHED.items():
        values = parsed[name]
        assert values["layer"] == layer and values["comparator_layer"] == ["pool5"]
        weights = [values[f"{kind}_weight"] for kind in ("image", "feature", "adversarial")]
        assert weights == [2e-6, 0.01, 100] and values["image_size"] == 227
        assert values["halvings"] == [300_000, 500_000, 700_000, 900_000, 1_100_000]


def test_the_ablation_differs_in_the_losses_alone(parsed):
    ablation = set(parsed) - set(PUBLISHED) - OTHERS - {SMALL}
    assert set(METHOD.variants) == {f"configs/deepsim/{name}.cfg" for name in ablation}
    kinds = ("image_weight", "feature_weight", "adversarial_weight")
    used = {}
    for name in ablation:
        values = parsed[name]
        used[name] = tuple(bool(values[kind]) for kind in kinds)
        rest = {key: value for key, value in values.items() if key not in kinds}
        assert rest == {k: v for k, v in parsed["full"].items() if k not in kinds}
    assert used == {
        "full": (True, True, True),
        "no_image": (False, True, True),
        "no_feature": (True, False, True),
        "no_adversarial": (True, True, False),
        "image_only": (True, False, False),
    }


def test_the_small_ablation_has_the_same_five_losses_over_one_flagfile(parsed):
    assert {path.stem for path in PARTS} == {Path(name).stem for name in METHOD.variants}
    for path in PARTS:
        text = path.read_text()
        assert (
            f"--flagfile={path.relative_to(ROOT)}" in text and "configs/deepsim/small32.cfg" in text
        )
        lines = [line[2:].split("=") for line in text.splitlines() if line.startswith("--")]
        small = {name: float(value) for name, value in lines}
        large = {name: parsed[path.stem][name] for name in small}
        assert list(small) == ["image_weight", "feature_weight", "adversarial_weight"]
        assert {k: bool(v) for k, v in small.items()} == {k: bool(v) for k, v in large.items()}
        assert small == {name: large[name] for name in small}


def test_encoders_that_learn_are_those_modes_of_the_ablations_networks(parsed):
    own = {"mode", "latent_size", "kl_weight", "dense"}
    for name in OTHERS:
        assert parsed[name]["mode"] == name
        rest = {key: value for key, value in parsed[name].items() if key not in own}
        assert rest == {k: v for k, v in parsed["full"].items() if k not in own}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dense": 100}, "--dense=100 is not valid: a multiple of 16"),
        ({"channels": 1}, "--channels=1 is not valid"),
        ({"widths": (0,)}, "--widths=0 is not valid"),
        ({"comparator_layer": ()}, "--comparator_layer is required"),
        ({"image_weight": 0, "feature_weight": 0, "adversarial_weight": 0}, "must be above 0"),
        ({"evaluate_every_steps": 5}, "needs --eval_photos"),
    ],
)
def test_wrong_settings_are_named(changes, message):
    with pytest.raises(UserError, match=message):
        DeepsimConfig(**changes).validate()
