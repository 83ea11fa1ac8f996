"""The scores by name, and one pass over held-out records that feeds them all."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from lorbms_tf.data.images import to_float, to_uint8
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.batches import in_batches
from lorbms_tf.evaluation.finite import check_finite
from lorbms_tf.evaluation.psnr import psnr
from lorbms_tf.evaluation.ssim import ssim
from lorbms_tf.lorbms import mixing
from lorbms_tf.lorbms.scores.mix_fidelity import faithful_quadrants
from lorbms_tf.lorbms.scores.seams import seam_auc
from lorbms_tf.lorbms.scores.swap_matrix import SwapMatrix

_BLOCK = 256  # records looked at together: scores need no copy of a whole set


class Rendered(NamedTuple):
    """What a model makes of a set of records; N references, images float in [-1, 1] but where said.

    Of ten thousand records at 128 pixels it takes 8 GB.
    """

    reference: np.ndarray  # [N, H, W, 3]
    candidates: np.ndarray  # uint8 [N, 4, H, W, 3], as the records hold them: a quarter of the size
    mask: np.ndarray  # bool [N, 4]
    reconstruction: np.ndarray  # [N, H, W, 3]
    mix: np.ndarray  # [N, H, W, 3]


# ValueError, of these and of all below, where a score cannot be computed.
def _psnr(made: Rendered) -> float:
    check_finite(made.reconstruction, "reconstructions")  # of all, not of one block
    return float(np.mean(in_batches(psnr, _BLOCK, made.reference, made.reconstruction)))


def _ssim(made: Rendered) -> float:
    check_finite(made.reconstruction, "reconstructions")
    return float(np.mean(in_batches(ssim, _BLOCK, made.reference, made.reconstruction)))


def _mix_fidelity(made: Rendered) -> float:
    check_finite(made.mix, "mixes")

    def faithful(mix, reference, candidates, mask):
        return faithful_quadrants(mix, reference, to_float(candidates), mask)

    return float(np.mean(
        in_batches(faithful, _BLOCK, made.mix, made.reference, made.candidates, made.mask)
    ))  # fmt: skip


def _pasted(made: Rendered) -> np.ndarray:
    def paste(reference, candidates, mask):
        return np.asarray(mixing.paste_quadrants(reference, to_float(candidates), mask))

    return in_batches(paste, _BLOCK, made.reference, made.candidates, made.mask)


# Of each, more is better; these are cheap enough to be looked at in training.
METRICS: dict[str, Callable[[Rendered], float]] = {
    "psnr": _psnr,
    "ssim": _ssim,
    "mix_fidelity": _mix_fidelity,
}


def _seams(images: Callable[[Rendered], np.ndarray]) -> Callable[[Rendered], float]:
    return lambda made: seam_auc(images(made), made.mask)


# Each trains a probe, which wants some thousand records.
SEAMS = {
    "seams_mix": _seams(lambda made: made.mix),
    "seams_reconstruction": _seams(lambda made: made.reconstruction),
    "seams_pasted": _seams(_pasted),
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
    parts: list[tuple] = []
    for batch in batches:
        made = mixer(batch["reference"], batch["candidates"], batch["distances"])
        mask, reconstruction, mix = (np.asarray(value) for value in made)
        candidates = to_uint8(np.asarray(batch["candidates"]))
        parts.append((np.asarray(batch["reference"]), candidates, mask, reconstruction, mix))
    if not parts:
        raise UserError("there are no records to evaluate")
    columns = list(zip(*parts, strict=True))
    parts.clear()
    # One after the other: at no time are there two copies of everything.
    return Rendered(*(np.concatenate(columns.pop(0)) for _ in Rendered._fields))
