"""What collapse looks like in the values of training steps, and what to do about it."""

from lorbms_tf.lorbms.config import LorbmsConfig

# Names of scalars of a step (`lorbms_tf.lorbms.scalars`).
REAL = "accuracy/discriminator_real"
FAKE = "accuracy/discriminator_fake"
DIVERSITY = "diversity/mix"
JUDGED = (REAL, FAKE, DIVERSITY)  # steps without mixing have none of these
_ALIKE = 0.01  # of the spread of the references
_HALF = 0.5e-6  # less than one judgement in a million


def _right(accuracy):
    return accuracy > 1.0 - _HALF


def _wrong(accuracy):
    return accuracy < _HALF


# What to say -> (values by name, arrays over steps -> bool over steps).
SIGNS = {
    "the discriminator tells every reference from every mix (accuracy 1): the generator learns "
    "little from it; lower --discriminator_learning_rate": (
        lambda values: _right(values[REAL]) & _right(values[FAKE])
    ),
    "the discriminator is always wrong (accuracy 0); lower --lambda_adv or the learning rates": (
        lambda values: _wrong(values[REAL]) & _wrong(values[FAKE])
    ),
    "the discriminator calls every image real, or every image a mix: it has stopped judging; "
    "raise --discriminator_learning_rate or lower --lambda_adv": (
        lambda values: (
            (_right(values[REAL]) & _wrong(values[FAKE]))
            | (_wrong(values[REAL]) & _right(values[FAKE]))
        )
    ),
    "all mixes of a batch look alike: the generator has collapsed; lower --lambda_adv and "
    "--lambda_cls or the learning rates": lambda values: values[DIVERSITY] < _ALIKE,
}


def never_mixed(config: LorbmsConfig, step: int) -> str:
    """A caution where a model after so many steps has not begun to learn to mix; else ""."""
    if not config.autoencoder_steps or step > config.autoencoder_steps:
        return ""
    return (
        f"caution: all {step} steps of this model were of its --autoencoder_steps="
        f"{config.autoencoder_steps}: it has never learned to mix, and the scores of its mixes, "
        "also high ones, are those of an autoencoder"
    )
