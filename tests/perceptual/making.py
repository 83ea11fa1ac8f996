"""Photos with hard edges, for the tests of this paper."""

from pathlib import Path

import numpy as np
from PIL import Image


def photo(seed: int, height: int, width: int) -> np.ndarray:
    """Rectangles of all sizes over each other: uint8 [height, width, 3]."""
    rng = np.random.default_rng(seed)
    made = np.zeros((height, width, 3), np.uint8)
    for _ in range(height * width // 12):
        top, left = rng.integers(-8, height), rng.integers(-8, width)
        tall, wide = rng.integers(2, 14, 2)
        colour = rng.integers(0, 256, 3)
        made[max(0, top) : max(0, top + tall), max(0, left) : max(0, left + wide)] = colour
    return made


def write_photos(folder: Path, count: int, height: int = 48, width: int = 56) -> str:
    """`count` such photos as PNG; returns the folder."""
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(photo(number, height, width)).save(folder / f"photo{number}.png")
    return str(folder)
