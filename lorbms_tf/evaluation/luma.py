"""Pictures as super-resolution compares them: their luma, without the border."""

import numpy as np

# Of ITU-R BT.601 for components of 0 to 1 to luma of 16 to 235, as MATLAB's rgb2ycbcr has it.
_WEIGHTS = np.array([65.481, 128.553, 24.966])
_BLACK = 16.0
_PEAK = 255.0


def luma(images: np.ndarray) -> np.ndarray:
    """RGB in [-1, 1] [..., 3] -> luma, which lies within [-0.87, 0.85], of one channel [..., 1].

    The range [-1, 1] stands for 0 to 255, black being 16 and white 235.
    """
    components = (np.asarray(images, np.float64) + 1.0) / 2.0
    values = components @ _WEIGHTS + _BLACK
    return (values / (_PEAK / 2.0) - 1.0)[..., None]


def shaved(images: np.ndarray, border: int) -> np.ndarray:
    """Images [..., H, W, C] without `border` pixels at each side.

    Raises ValueError where nothing would be left.
    """
    height, width = images.shape[-3:-1]
    if min(height, width) <= 2 * border:
        raise ValueError(f"images of {width}x{height} pixels have no inside {border} px off")
    return images[..., border : height - border, border : width - border, :]
