"""Looks at the values of every step: stops a run that has diverged, warns of one that collapses."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from lorbms_tf.errors import UserError


class Watch:
    """Sees the values of all steps in their order.

    Args:
      folder: of the run's checkpoints, to name the last one.
      collapse_steps: how many steps in a row are a collapse; 0: never.
      signs: what collapse looks like (`method.Method`).
      judged: names of values; steps that lack one have nothing that could collapse.
    """

    def __init__(
        self,
        folder: Path,
        collapse_steps: int,
        signs: Mapping[str, Callable[[dict], np.ndarray]],
        judged: Sequence[str],
    ):
        self._folder, self._collapse_steps = folder, collapse_steps
        self._signs, self._judged = signs, set(judged)
        self._lengths = dict.fromkeys(signs, 0)

    def look(self, first: int, values: dict[str, np.ndarray]) -> list[str]:
        """Takes the values of the steps since the last look; gives warnings, seldom any.

        A warning is given once for each unbroken row of steps that deserves it.

        Args:
          first: number of the first of these steps.
          values: float [steps] by name.

        Raises:
          UserError: one is not finite; names it, its step, the steps since the last look, the
            losses there and the last checkpoint, which is from before.
        """
        self._refuse_non_finite(first, values)
        judged = self._collapse_steps and self._judged <= set(values)
        return self._warnings(first, values) if judged else []

    def _warnings(self, first: int, values: dict[str, np.ndarray]) -> list[str]:
        found = []
        for sign, holds in self._signs.items():
            for offset, here in enumerate(holds(values)):
                self._lengths[sign] = self._lengths[sign] + 1 if here else 0
                if self._lengths[sign] == self._collapse_steps:
                    steps = f"at step {first + offset}, for {self._collapse_steps} steps"
                    found.append(f"warning: {steps}: {sign}")
        return found

    def _refuse_non_finite(self, first: int, values: dict[str, np.ndarray]) -> None:
        good = {name: np.isfinite(column) for name, column in values.items()}
        bad_steps = np.flatnonzero(~np.all(list(good.values()), axis=0))
        if not len(bad_steps):
            return
        at = int(bad_steps[0])
        last = first + len(next(iter(values.values()))) - 1
        names = sorted(name for name, finite in good.items() if not finite[at])
        losses = [f"{n} {c[at]:.4g}" for n, c in values.items() if n.startswith("loss/")]
        raise UserError(
            f"{', '.join(names)} not finite at step {first + at} (looked at steps {first} to "
            f"{last}). Losses there: {', '.join(losses)}. {self._last_good()}. Lower the learning "
            "rates, or set --clip_norm"
        )

    def _last_good(self) -> str:
        names = [path.stem for path in self._folder.glob("step-*.index")]
        steps = [int(name.removeprefix("step-")) for name in names]
        if not steps:
            return "No checkpoint was written before"
        return f"The last good checkpoint is that of step {max(steps)} in {self._folder}"
