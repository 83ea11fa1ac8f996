import dataclasses

import pytest

from lorbms_tf.augint import config
from lorbms_tf.augint.config import AugintConfig
from lorbms_tf.errors import UserError
from lorbms_tf.gan import losses
from lorbms_tf.networks import strided
from tests import tiny


def test_the_defaults_are_the_papers_for_characters():
    default = AugintConfig()
    default.validate()
    assert (default.image_size, default.channels, default.code_size) == (28, 1, 32)
    assert (default.learning_rate, default.epochs, default.reconstruction_norm) == (1e-3, 100, 1)


def test_choices_are_what_there_is():
    assert tuple(losses.TARGETS) == config.TARGETS
    assert strided.NORMS == config.NORMS


@pytest.mark.parametrize(
    "changes, schedule",
    [
        ({"objective": "augint", "adversarial": False}, "steps"),
        ({"objective": "augint"}, "constant"),
        ({"objective": "intae"}, "constant"),
        ({"objective": "vae", "adversarial": False}, "steps"),
        ({"objective": "wgan_gp", "adversarial": False}, "constant"),
        ({"objective": "intae", "schedule": "cosine"}, "cosine"),
    ],
)
def test_rates_fall_only_without_an_adversary(changes, schedule):
    assert tiny.augint_config(**changes).run_schedule == schedule


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"image_size": 14}, "--image_size=14 is not valid: 2 --widths .* multiple of 4"),
        ({"widths": ()}, "--widths="),
        ({"code_size": 0}, "--code_size=0"),
        ({"objective": "ae"}, "--adversarial is for --objective=augint, not ae"),
        ({"adam_beta_1": 1.0}, "--adam_beta_1"),
        ({"kl_weight": float("nan")}, "--kl_weight"),
        ({"evaluate_every_steps": 5}, "--evaluate_every_steps needs --eval_photos"),
    ],
)
def test_wrong_settings_are_named(changes, message):
    wrong = dataclasses.replace(tiny.augint_config(), **changes)
    with pytest.raises(UserError, match=message):
        wrong.validate()
