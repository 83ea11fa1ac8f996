"""The scores by name, and one pass over held-out records that feeds them all."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from lorbms_tf.data.images import to_float
from lorbms_tf.evaluation import scene_scores
from lorbms_tf.evaluation.batches import in_batches
from lorbms_tf.evaluation.finite import check_finite
from lorbms_tf.evaluation.psnr import psnr
from lorbms_tf.evaluation.scene_scores import FEATURES
from lorbms_tf.evaluation.scores import Score, gathered
from lorbms_tf.evaluation.seams import LEAST, seam_auc
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
    "psnr": Score(
        _psnr,
        ("reference", "reconstruction"),
        unit="dB",
        says="reconstructions of held-out references, dB; higher is better",
        may_be_infinite=True,  # where all is reproduced exactly
    ),
    "ssim": Score(
        _ssim,
        ("reference", "reconstruction"),
        says="structural similarity of reconstructions, at most 1",
    ),
    "mix_fidelity": Score(
        _mix_fidelity,
        ("mix", "reference", "candidates", "mask"),
        compact=("candidates",),
        unit="%",
        says="share of the mixes' quadrants that are nearer to the source that the mask says than "
        "to the other one",
    ),
}

_PASTED = ("reference", "candidates", "mask")
# Each trains a probe, which wants some thousand records. Reconstructions are the floor of
# seams_mix, pasted quadrants its ceiling.
SEAMS = {
    "seams_mix": Score(_seams_mix, ("mix", "mask"), higher_is_better=False, least=LEAST),
    "seams_reconstruction": Score(
        _seams_reconstruction, ("reconstruction", "mask"), higher_is_better=None, least=LEAST
    ),
    "seams_pasted": Score(
        _seams_pasted, _PASTED, higher_is_better=None, compact=("candidates",), least=LEAST
    ),
}


def _locality(swaps: SwapMatrix) -> float:
    return swaps.locality


def _locality_features(feature_swaps: SwapMatrix) -> float:
    return feature_swaps.locality


def _cycle_error(swaps: SwapMatrix) -> float:
    return float(swaps.cycle_error.mean())


_LOCALITY = {
    "least": 2,
    "says": "1: each chunk rules its own quadrant alone; 0: chunks say nothing of places",
}
# Of the model itself: of the matrix of swapping single chunks, whose quadrants are compared by
# their pixels ("swaps") or by features of them ("feature_swaps").
SWAPS = {
    "swap_locality": Score(_locality, ("swaps",), **_LOCALITY),
    "swap_cycle_error": Score(
        _cycle_error,
        ("swaps",),
        higher_is_better=False,
        least=2,
        says="encode the swapped picture again: distance to what was decoded, in units of the "
        "distance between two photos; 0 is ideal",
    ),
    "swap_locality_features": Score(
        _locality_features, ("feature_swaps",), protocol=(FEATURES,), **_LOCALITY
    ),
}
# All that `lorbms_tf.evaluate` takes.
SCORES = {**METRICS, **SEAMS, **scene_scores.SCORES, **SWAPS}


def needs_extractor(names: Iterable[str]) -> bool:
    """Whether any of these scores is one of features."""
    return any(FEATURES in SCORES[name].protocol for name in names)


def shown_name(name: str, extractor: str) -> str:
    """The name of a score in a line, with its extractor: frechet_mix -> frechet_vgg16_mix."""
    if not needs_extractor([name]):
        return name
    if name in SWAPS:
        return name.replace("features", extractor)
    kind, _, of = name.rpartition("_")
    return f"{kind}_{extractor}_{of}"


def shown_score(shown: str) -> Score | None:
    """The score that has a name in a line, by any extractor; None for an unknown one."""
    known = {**SCORES, **scene_scores.FORMER}
    if shown in known:
        return known[shown]
    for name, score in SCORES.items():
        start, end = shown_name(name, "\0").split("\0") if needs_extractor([name]) else (name, name)
        if start != end and shown.startswith(start) and shown.endswith(end):
            return score
    return None


def render_all(infer: Callable[[dict], Mapping[str, Any]], batches: Iterable[dict]) -> Rendered:
    """Runs a model over batches and gathers everything that the scores look at.

    Args:
      infer: a batch -> mask, reconstruction and mix, by name (`Lorbms.infer`).
      batches: dicts as `data.pipeline.evaluation_batches` gives.
    """
    return Rendered(**gathered(infer, batches, Rendered._fields, compact=("candidates",)))
