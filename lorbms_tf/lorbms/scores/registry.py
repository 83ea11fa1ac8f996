"""The scores by name, and one pass over held-out records that feeds them all."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from lorbms_tf.data.images import to_float
from lorbms_tf.evaluation.batches import in_batches
from lorbms_tf.evaluation.finite import check_finite
from lorbms_tf.evaluation.psnr import psnr
from lorbms_tf.evaluation.scores import Score, gathered
from lorbms_tf.evaluation.seams import seam_auc
from lorbms_tf.evaluation.ssim import ssim
from lorbms_tf.evaluation.swap_matrix import SwapMatrix
from lorbms_tf.lorbms import mixing
from lorbms_tf.lorbms.scores.mix_fidelity import faithful_quadrants

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
def _psnr(reference: np.ndarray, reconstruction: np.ndarray) -> float:
    check_finite(reconstruction, "reconstructions")  # of all, not of one block
    return float(np.mean(in_batches(psnr, _BLOCK, reference, reconstruction)))


def _ssim(reference: np.ndarray, reconstruction: np.ndarray) -> float:
    check_finite(reconstruction, "reconstructions")
    return float(np.mean(in_batches(ssim, _BLOCK, reference, reconstruction)))


def _mix_fidelity(
    mix: np.ndarray, reference: np.ndarray, candidates: np.ndarray, mask: np.ndarray
) -> float:
    check_finite(mix, "mixes")

    def faithful(mix, reference, candidates, mask):
        return faithful_quadrants(mix, reference, to_float(candidates), mask)

    return float(np.mean(in_batches(faithful, _BLOCK, mix, reference, candidates, mask)))


def pasted(reference: np.ndarray, candidates: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """References with the masked quadrants of their candidates (uint8) pasted in: [N, H, W, 3]."""

    def paste(reference, candidates, mask):
        return np.asarray(mixing.paste_quadrants(reference, to_float(candidates), mask))

    return in_batches(paste, _BLOCK, reference, candidates, mask)


def _seams_pasted(reference: np.ndarray, candidates: np.ndarray, mask: np.ndarray) -> float:
    return seam_auc(pasted(reference, candidates, mask), mask)


def _seams_mix(mix: np.ndarray, mask: np.ndarray) -> float:
    return seam_auc(mix, mask)


def _seams_reconstruction(reconstruction: np.ndarray, mask: np.ndarray) -> float:
    return seam_auc(reconstruction, mask)


# Cheap enough to be looked at in training. They read the fields of `Rendered`.
METRICS = {
    "psnr": Score(_psnr, ("reference", "reconstruction")),
    "ssim": Score(_ssim, ("reference", "reconstruction")),
    "mix_fidelity": Score(
        _mix_fidelity, ("mix", "reference", "candidates", "mask"), compact=("candidates",)
    ),
}


_PASTED = ("reference", "candidates", "mask")
# Each trains a probe, which wants some thousand records. Reconstructions are the floor of
# seams_mix, pasted quadrants its ceiling.
SEAMS = {
    "seams_mix": Score(_seams_mix, ("mix", "mask"), higher_is_better=False),
    "seams_reconstruction": Score(
        _seams_reconstruction, ("reconstruction", "mask"), higher_is_better=None
    ),
    "seams_pasted": Score(_seams_pasted, _PASTED, higher_is_better=None, compact=("candidates",)),
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


def render_all(infer: Callable[[dict], Mapping[str, Any]], batches: Iterable[dict]) -> Rendered:
    """Runs a model over batches and gathers everything that the scores look at.

    Args:
      infer: a batch -> mask, reconstruction and mix, by name (`Lorbms.infer`).
      batches: dicts as `data.pipeline.evaluation_batches` gives.
    """
    return Rendered(**gathered(infer, batches, Rendered._fields, compact=("candidates",)))
