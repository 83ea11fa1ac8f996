"""What collapse looks like in the values of training steps, and what to do about it."""

import numpy as np

DIVERSITY = "diversity/output"
JUDGED = (DIVERSITY,)
_ALIKE = 0.01  # of the spread of the images
_NONE = 1e-6


def _faded(values: dict) -> np.ndarray:
    k = values.get("balance/k")
    return np.zeros(len(values[DIVERSITY]), bool) if k is None else k < _NONE


# What to say -> (values by name, arrays over steps -> bool over steps).
SIGNS = {
    "all outputs of a batch look alike: the decoder has collapsed; lower --learning_rate": (
        lambda values: values[DIVERSITY] < _ALIKE
    ),
    "k has fallen to 0: the discriminator tells real images from others by less than 1, so the "
    "adversarial loss counts no more; try --discriminator_targets=pm1": _faded,
}
