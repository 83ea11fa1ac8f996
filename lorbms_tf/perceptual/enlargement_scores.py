"""Scores of super-resolution on whole photos of any size, beside those of bicubic resizing."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lorbms_tf.data.images import to_float
from lorbms_tf.distances import distance_config
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.scores import Score, check_names
from lorbms_tf.evaluation.sliced_wasserstein import LEAST_SIDE
from lorbms_tf.features import named_distances
from lorbms_tf.perceptual.scores import luma_psnr, luma_ssim, paired_swd
from lorbms_tf.perceptual.whole_photos import BICUBIC, Enlargement

SWD = "swd_paired"
_BY_PHOTO: dict[str, Callable] = {"psnr": luma_psnr, "ssim": luma_ssim}
OF_BICUBIC = f"_{BICUBIC}"  # what the names of bicubic's scores end in


def check(metrics: Sequence[str]) -> None:
    """Raises UserError for a score that there is not, listing those that there are."""
    known = (*_BY_PHOTO, SWD, *distance_config.NAMES)
    plain = [name.removesuffix(OF_BICUBIC) for name in metrics]
    named = [name for name in plain if name.startswith(distance_config.TAPS)]
    distance_config.check_names(named, "metrics")
    check_names([name for name in plain if name not in named], "metrics", known)


def score(name: str) -> Score | None:
    """Direction of a score by its name; None for an unknown one."""
    plain = name.removesuffix(OF_BICUBIC)
    try:
        check([plain])
    except UserError:
        return None
    unit = "dB" if plain == "psnr" else ""
    return Score(_unused, (), higher_is_better=plain in _BY_PHOTO, unit=unit)


def _unused() -> float:
    raise ValueError("scores of whole photos are taken of all of them together")


def scores(made: Sequence[Enlargement], metrics: Sequence[str], config: Any) -> dict[str, float]:
    """Scores by name, means over photos; of the column that is not bicubic's.

    Args:
      made: of one model.
      metrics: names (`check`).
      config: a `DistanceConfig`, for those of distances.

    Raises UserError where weights of a distance cannot be used.
    """
    column = next(name for name in made[0].made if name != BICUBIC)
    values = {}
    for metric in metrics:
        plain = metric.removesuffix(OF_BICUBIC)
        chosen = BICUBIC if metric != plain else column
        values[metric] = _score(plain, [(one.photo, one.made[chosen]) for one in made], config)
    return values


def _score(name: str, pairs: Sequence[tuple[np.ndarray, np.ndarray]], config: Any) -> float:
    if name == SWD:
        side = common_side([photo for photo, _ in pairs])
        squares = [np.stack([_middle(pair[i], side) for pair in pairs]) for i in (0, 1)]
        return paired_swd(*map(to_float, squares))
    compare = _BY_PHOTO.get(name) or _distance(name, config)
    values = [np.asarray(compare(*(to_float(image)[None] for image in pair)))[0] for pair in pairs]
    return float(np.mean(values, dtype=np.float64))


def _distance(name: str, config: Any) -> Callable:
    distance = named_distances.make(name, config, seed=0)
    return lambda photo, made: distance(photo, made)


def common_side(images: Sequence[np.ndarray]) -> int:
    """The largest power of two that fits in all pictures [H, W, 3]: side of the compared squares.

    Raises UserError where that is less than 16.
    """
    least = min(min(image.shape[:2]) for image in images)
    side = 1 << (least.bit_length() - 1)
    if side < LEAST_SIDE:
        raise UserError(f"--metrics: {SWD} needs photos of {LEAST_SIDE} pixels or more a side")
    return side


def _middle(image: np.ndarray, side: int) -> np.ndarray:
    top, left = ((extent - side) // 2 for extent in image.shape[:2])
    return image[top : top + side, left : left + side]
