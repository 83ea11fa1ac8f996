"""Photos with hard edges, for the tests of this paper."""

from pathlib import Path

import numpy as np
from PIL import Image


def photo(seed: int, height: int, width: int) -> np.ndarray:
    """Blocks of 2 x 2 pixels in black, white and colours: uint8 [height, width, 3]."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 2, (-(-height // 2), -(-width // 2), 3)) * 200 + 20
    return blocks.repeat(2, axis=0).repeat(2, axis=1)[:height, :width].astype(np.uint8)


def write_photos(folder: Path, count: int, height: int = 48, width: int = 56) -> str:
    """`count` such photos as PNG; returns the folder."""
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(photo(number, height, width)).save(folder / f"photo{number}.png")
    return str(folder)
