"""Scores of enlarged photos, as super-resolution takes them: of the luma, without the border."""

import numpy as np

from lorbms_tf.evaluation import luma, psnr, ssim
from lorbms_tf.evaluation.scores import Score
from lorbms_tf.evaluation.sliced_wasserstein import paired_distance
from lorbms_tf.perceptual.config import FACTOR


def luma_psnr(image: np.ndarray, upscaled: np.ndarray) -> np.ndarray:
    """PSNR of the luma in dB, a border of 4 pixels left out: [B, H, W, 3] twice -> [B].

    Raises ValueError as `psnr.psnr` does, and where pictures have no inside.
    """
    return psnr.psnr(_compared(image), _compared(upscaled))


def luma_ssim(image: np.ndarray, upscaled: np.ndarray) -> np.ndarray:
    """SSIM of the luma, likewise. Raises ValueError as `ssim.ssim` does."""
    return ssim.ssim(_compared(image), _compared(upscaled))


def paired_swd(image: np.ndarray, upscaled: np.ndarray) -> float:
    """Sliced Wasserstein distance of patches at the same places, mean over levels.

    Raises ValueError where sides are not 16, 32, 64, ... pixels.
    """
    return paired_distance(image, upscaled)


def _compared(images: np.ndarray) -> np.ndarray:
    return luma.shaved(luma.luma(images), FACTOR)


def _mean(score):
    return lambda image, upscaled: float(np.mean(score(image, upscaled)))


def _of_bicubic(score):
    return lambda image, bicubic: float(np.mean(score(image, bicubic)))


# By name, those that are taken of held-out batches, also while training.
SCORES = {
    "psnr": Score(_mean(luma_psnr), ("image", "upscaled"), unit="dB", may_be_infinite=True),
    "ssim": Score(_mean(luma_ssim), ("image", "upscaled")),
    "swd_paired": Score(paired_swd, ("image", "upscaled"), higher_is_better=False),
    "psnr_bicubic": Score(
        _of_bicubic(luma_psnr), ("image", "bicubic"), None, unit="dB", may_be_infinite=True
    ),
    "ssim_bicubic": Score(_of_bicubic(luma_ssim), ("image", "bicubic"), higher_is_better=None),
}
