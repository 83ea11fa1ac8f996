"""Images a second of a training step, and of the same step in PyTorch beside it."""

from collections.abc import Callable

import numpy as np

from lorbms_tf import progress
from lorbms_tf.benchmarks import machine

OURS, THEIRS = "images_per_s", "images_per_s_pytorch"


def step_rates(
    images: int, steps: int, ours: Callable, theirs: Callable | None = None
) -> dict[str, float]:
    """The fields of a JSON line, by the fastest of `steps` steps each.

    The steps take turns, so that a busy moment of the machine meets both.

    Args:
      images: in a step.
      steps: that are timed, after the first, which makes graphs.
      ours: () -> the tensors of a step.
      theirs: the same in PyTorch; None where it cannot be made.
    """
    forms = {OURS: ours} if theirs is None else {OURS: ours, THEIRS: theirs}
    seconds = dict.fromkeys(forms, np.inf)
    for number in range(steps + 1):
        for name, form in forms.items():
            progress.say(f"step {number} of {steps}: {name}")
            taken = machine.seconds_of(form)
            if number:
                seconds[name] = min(taken, seconds[name])
    rates = {name: images / value for name, value in seconds.items()}
    ratio = {"times_pytorch": rates[OURS] / rates[THEIRS]} if theirs else {}
    return {**rates, **ratio}
