"""The scores by name, and one pass over held-out records that feeds them all."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from lorbms_tf import mixing
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.mix_fidelity import faithful_quadrants
from lorbms_tf.evaluation.psnr import psnr
from lorbms_tf.evaluation.seams import seam_auc
from lorbms_tf.evaluation.ssim import ssim
from lorbms_tf.evaluation.swap_matrix import SwapMatrix


class Rendered(NamedTuple):
    """What a model makes of a set of records; N references, images float in [-1, 1]."""

    reference: np.ndarray  # [N, H, W, 3]
    candidates: np.ndarray  # [N, 4, H, W, 3]
    mask: np.ndarray  # bool [N, 4]
    reconstruction: np.ndarray  # [N, H, W, 3]
    mix: np.ndarray  # [N, H, W, 3]


def _psnr(rendered: Rendered) -> float:
    return float(np.mean(psnr(rendered.reference, rendered.reconstruction)))


def _ssim(rendered: Rendered) -> float:
    return float(np.mean(ssim(rendered.reference, rendered.reconstruction)))


def _mix_fidelity(rendered: Rendered) -> float:
    return float(np.mean(faithful_quadrants(
        rendered.mix, rendered.reference, rendered.candidates, rendered.mask
    )))  # fmt: skip


# Of each, more is better; these are cheap enough to be looked at in training.
METRICS: dict[str, Callable[[Rendered], float]] = {
    "psnr": _psnr,
    "ssim": _ssim,
    "mix_fidelity": _mix_fidelity,
}


def _seams(images: Callable[[Rendered], np.ndarray]) -> Callable[[Rendered], float]:
    def score(rendered: Rendered) -> float:
        try:
            return seam_auc(images(rendered), rendered.mask)
        except ValueError as error:
            raise UserError(f"--metrics: seams cannot be judged: {error}") from error

    return score


# Each trains a probe, which wants some thousand records.
SEAMS = {
    "seams_mix": _seams(lambda made: made.mix),
    "seams_reconstruction": _seams(lambda made: made.reconstruction),
    "seams_pasted": _seams(
        lambda made: np.asarray(mixing.paste_quadrants(made.reference, made.candidates, made.mask))
    ),
}


class SwapMetric(NamedTuple):
    """A score of swapping single chunks, and what the quadrants are compared by in its matrix."""

    compared_by: str
    of: Callable[[SwapMatrix], float]


def _locality(found: SwapMatrix) -> float:
    return found.locality


def _cycle_error(found: SwapMatrix) -> float:
    return float(found.cycle_error.mean())


# Of the model itself.
SWAP_METRICS = {
    "swap_locality": SwapMetric("pixels", _locality),
    "swap_cycle_error": SwapMetric("pixels", _cycle_error),
    "swap_locality_features": SwapMetric("features", _locality),
}


def check_names(
    names: Iterable[str], flag: str = "metrics", valid: Iterable[str] = tuple(METRICS)
) -> None:
    """Raises UserError for a metric that does not exist, listing those that do."""
    for name in names:
        if name not in valid:
            raise UserError(f"--{flag}: no metric {name!r}; valid names: {', '.join(valid)}")


def render_all(
    mixer: Callable[[Any, Any, Any], tuple[Any, Any]], batches: Iterable[dict]
) -> Rendered:
    """Runs `mixer` over batches and gathers everything that the metrics look at.

    Args:
      mixer: (reference, candidates, distances) -> (mask, reconstruction, mix).
      batches: dicts as `data.pipeline.evaluation_batches` gives.
    """
    parts = []
    for batch in batches:
        made = mixer(batch["reference"], batch["candidates"], batch["distances"])
        mask, reconstruction, mix = (np.asarray(value) for value in made)
        parts.append(Rendered(
            np.asarray(batch["reference"]), np.asarray(batch["candidates"]),
            mask, reconstruction, mix,
        ))  # fmt: skip
    if not parts:
        raise UserError("there are no records to evaluate")
    return Rendered(*(np.concatenate(values) for values in zip(*parts, strict=True)))
