"""What a score is, and one pass over held-out batches that feeds all scores of a method."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from lorbms_tf.data.images import to_uint8
from lorbms_tf.errors import UserError


class Score(NamedTuple):
    """One number that says how good a model is.

    compute: what it reads, by keyword -> float. ValueError where it cannot be computed.
    reads: the names of that: what a batch holds, what the model makes of it, or what an evaluation
      makes of both, such as "mix_features".
    higher_is_better: None where neither end is.
    compact: those of `reads` that it takes as uint8 images, as records hold them.
    least: how many images it takes at least.
    protocol: what it depends on beside the data: parts of a line's "protocol" (`evaluation.lines`).
    unit: "dB", or "%" of a share; "": none.
    says: what it tells, in some words, for a page.
    may_be_infinite: whether infinity is a score, such as the PSNR of a copy.
    """

    compute: Callable[..., float]
    reads: tuple[str, ...]
    higher_is_better: bool | None = True
    compact: tuple[str, ...] = ()
    least: int = 1
    protocol: tuple[str, ...] = ()
    unit: str = ""
    says: str = ""
    may_be_infinite: bool = False

    def of(self, values: Mapping[str, Any]) -> float:
        """The score of values by name, which may hold others too."""
        return self.compute(**{name: values[name] for name in self.reads})

    def checked(self, values: Mapping[str, Any]) -> float:
        """As `of`; ValueError also where the score is not finite and may not be so."""
        value = self.of(values)
        if not math.isfinite(value) and not self.may_be_infinite:
            raise ValueError(f"it comes out as {value}")
        return value

    def shown(self, value: float) -> str:
        """A value of it with its unit."""
        if self.unit == "%":
            return f"{100 * value:.1f} %"
        return f"{value:.4g}{f' {self.unit}' if self.unit else ''}"


def check_names(names: Iterable[str], flag: str, valid: Iterable[str]) -> None:
    """Raises UserError for a score that does not exist, listing those that do."""
    valid = tuple(valid)
    for name in names:
        if name not in valid:
            raise UserError(f"--{flag}: no metric {name!r}; valid names: {', '.join(valid)}")


def gathered(
    infer: Callable[[dict], Mapping[str, Any]],
    batches: Iterable[dict],
    reads: Iterable[str],
    compact: Iterable[str] = (),
) -> dict[str, np.ndarray]:
    """Runs a model over batches and gathers arrays [N, ...] by name.

    Args:
      infer: a batch -> what the model makes of it, by name.
      batches: dicts of tensors [B, ...].
      reads: the names to gather, of the batch or of what is made of it.
      compact: those of them that are images in [-1, 1] and are kept as uint8, a quarter of the
        size.

    Raises UserError where there are no batches.
    """
    names, compact, parts = tuple(dict.fromkeys(reads)), set(compact), []
    for batch in batches:
        values = {**batch, **infer(batch)}
        row = {name: np.asarray(values[name]) for name in names}
        parts.append({k: to_uint8(v) if k in compact else v for k, v in row.items()})
    if not parts:
        raise UserError("there are no records to evaluate")
    arrays = {}
    for name in names:  # one after the other: at no time are there two copies of everything
        arrays[name] = np.concatenate([row.pop(name) for row in parts])
    return arrays
