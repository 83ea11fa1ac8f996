"""Small pictures with structure, for tests of distances."""

import numpy as np


def photo(seed: int, side: int = 32, count: int = 1) -> np.ndarray:
    """Smooth random colours with some noise: float32 [count, side, side, 3] in [-1, 1]."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(-0.8, 0.8, (count, side // 4, side // 4, 3))
    smooth = coarse.repeat(4, axis=1).repeat(4, axis=2)
    noise = random.normal(scale=0.1, size=(count, side, side, 3))
    return np.clip(smooth + noise, -1, 1).astype(np.float32)


def patches(picture: np.ndarray, patch: int = 3, remove_dc: bool = False) -> np.ndarray:
    """The patch around every pixel of [H, W, 3], one by one: float64 [H, W, p * p * 3]."""
    half = patch // 2
    bordered = np.pad(picture.astype(np.float64), ((half, half), (half, half), (0, 0)), "reflect")
    height, width, _ = picture.shape
    rows = []
    for y in range(height):
        for x in range(width):
            found = bordered[y : y + patch, x : x + patch]
            rows.append((found - found.mean(axis=(0, 1)) if remove_dc else found).ravel())
    return np.array(rows).reshape(height, width, -1)
