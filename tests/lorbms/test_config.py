import pytest

from lorbms_tf.cli.settings import from_dict, to_dict
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.config import LorbmsConfig, ModelConfig


def config(**changes):
    return LorbmsConfig(**{"records": "r", "run_dir": "d", **changes})


def test_defaults_are_the_thesis():
    defaults = config()
    defaults.validate()
    assert (defaults.lambda_rec, defaults.lambda_adv, defaults.lambda_cls) == (0.904, 0.052, 0.044)
    assert (defaults.batch_size, defaults.generator_updates, defaults.tau) == (12, 2, 16000.0)
    assert defaults.generator_learning_rate == defaults.classifier_learning_rate == 2e-4
    assert defaults.discriminator_learning_rate == 4e-4
    assert defaults.clip_norm == defaults.ema_decay == defaults.warmup_steps == 0


@pytest.mark.parametrize(
    "changes, flag",
    [
        ({"image_size": 60}, "image_size"),
        ({"image_size": 0}, "image_size"),
        ({"encoder_layers": (4, 5, 7)}, "encoder_layers"),
        ({"encoder_layers": (4, 5, 7, 10, -1)}, "encoder_layers"),
        ({"strided_widths": (8, 8, 8)}, "strided_widths has 3 entries.*needs 4"),
        ({"strided_widths": (8, 8, 8, 0)}, "strided_widths"),
        ({"decoder_layers": (12, 10, 7, 5, 0)}, "decoder_layers"),
        ({"decoder_widths": (8, 8, 8, 8, 0)}, "decoder_widths"),
        ({"classifier_widths": (3, 2, 2, 2, 2)}, "classifier_widths"),
        ({"classifier_dense": (8,)}, "classifier_dense"),
        ({"discriminator_widths": ()}, "discriminator_widths"),
        ({"encoder_receptive_field": 33}, "encoder_receptive_field"),
        ({"tau": -1.0}, "tau"),
        ({"tau": float("nan")}, "tau"),
        ({"lambda_cls": -0.1}, "lambda_cls"),
        ({"adam_beta_1": 1.0}, "adam_beta_1"),
        ({"adam_epsilon": 0.0}, "adam_epsilon=0.0"),
        ({"batch_size": 0}, "batch_size"),
        ({"tau_quantile": 1.5}, "tau_quantile"),
        ({"seed": -1}, "seed"),
        ({"image_size": 16}, "image_size"),
        ({"max_steps": -1}, "max_steps"),
        ({"evaluate_records": -1}, "evaluate_records"),
        ({"evaluate_every_steps": 5}, "evaluate_every_steps"),
        ({"warmup_steps": -1}, "warmup_steps"),
        ({"collapse_steps": -1}, "collapse_steps"),
        ({"clip_norm": -1.0}, "clip_norm"),
        ({"ema_decay": 1.0}, "ema_decay"),
        ({"lambda_perceptual": 0.5}, "perceptual=NAME"),
        ({"lambda_perceptual": -0.5, "perceptual": "mmd++"}, "lambda_perceptual"),
        ({"perceptual": "mmd++"}, "lambda_perceptual above 0"),
        (
            {"perceptual": "mmd+", "lambda_perceptual": 0.5},
            "perceptual: no distance 'mmd\\+'; valid",
        ),
        ({"augint_share": 0.5}, "augint_share needs --autoencoder_steps"),
        ({"augint_share": 1.5, "autoencoder_steps": 5}, "augint_share"),
        ({"augint_share": float("nan"), "autoencoder_steps": 5}, "augint_share"),
        ({"perceptual_autoencoder": True}, "autoencoder_steps"),
        ({"mmd_window": 0}, "mmd_window"),
    ],
)
def test_each_bad_value_names_its_flag(changes, flag):
    with pytest.raises(UserError, match=f"--{flag}"):
        config(**changes).validate()


def test_smaller_images_need_fewer_blocks():
    blocks = {
        "encoder_layers": (1, 2, 3, 4),
        "decoder_layers": (4, 3, 2, 1),
        "decoder_widths": (32, 24, 16, 8),
    }
    assert config(image_size=32, **blocks).validate() is None
    with pytest.raises(UserError, match="--image_size=64 needs 5"):
        config(image_size=64, **blocks).validate()


def test_json_round_trip():
    made = config(encoder_layers=(1, 1, 1, 1, 1), tau=3.5)
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in to_dict(made).items()}
    assert from_dict(LorbmsConfig, plain) == made


def test_unknown_names_and_wrong_types_are_errors():
    with pytest.raises(UserError, match="config.json has unknown settings: colour"):
        from_dict(ModelConfig, {"colour": 1}, "config.json")
    with pytest.raises(UserError, match="chunk_size has the wrong type"):
        from_dict(ModelConfig, {"chunk_size": "192"})


def test_settings_that_are_none_any_more_are_passed_over():
    stored = {**to_dict(LorbmsConfig()), "shuffle_buffer": 2048}
    assert from_dict(LorbmsConfig, stored) == LorbmsConfig()
