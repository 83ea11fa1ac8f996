"""The three Adams of section 3.6, with their rates over the run."""

from lorbms_tf.lorbms.config import ModelConfig
from lorbms_tf.training import optimizers


def adams(
    config: ModelConfig, precision: str, total_steps: int, schedule: str, warmup_steps: int
) -> dict[str, optimizers.Adam]:
    """Optimizers by the argument of `Lorbms.compile`.

    Args:
      config: rates and moments.
      precision: "mixed_float16" scales the losses.
      total_steps, schedule, warmup_steps: as `Lorbms.compile_optimizers`.
    """
    steps = max(1, total_steps - config.autoencoder_steps)  # those of all four networks

    def adam(rate: float, updates: int, alone: int = 0) -> optimizers.Adam:
        warmup = warmup_steps * (1 if alone else updates)
        return optimizers.Adam(
            optimizers.rate_over_run(rate, alone + steps * updates, warmup, schedule, alone),
            clip_norm=config.clip_norm,
            scale_loss=precision == "mixed_float16",
            beta_1=config.adam_beta_1,
            beta_2=config.adam_beta_2,
            epsilon=config.adam_epsilon,
        )

    return {
        "generator_optimizer": adam(
            config.generator_learning_rate, config.generator_updates, config.autoencoder_steps
        ),
        "discriminator_optimizer": adam(config.discriminator_learning_rate, 1),
        "classifier_optimizer": adam(config.classifier_learning_rate, 1),
    }
