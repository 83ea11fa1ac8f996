"""An independent look at quadrants: colour and edges, which no feature network had a part in.

Both are histograms compared by the Hellinger distance, which is 0 for equal and 1 for disjoint
ones. They tell whether candidates look alike; not whether they mean the same.
"""

from collections.abc import Mapping

import numpy as np

from lorbms_tf.data.images import decode_jpeg
from lorbms_tf.data.quadrants import NUM_QUADRANTS, quadrant
from lorbms_tf.progress import track

COLOUR_BINS = 4  # of each channel: 64 colours
ORIENTATIONS = 8  # over half a turn
CELLS = 2  # a side; edges are counted in each cell of a quadrant apart


def colours(image: np.ndarray) -> np.ndarray:
    """Share of the pixels in each of 64 colours: uint8 [h, w, 3] -> float32 [64], sum 1."""
    coarse = image.astype(np.int64) * COLOUR_BINS // 256
    codes = (coarse[..., 0] * COLOUR_BINS + coarse[..., 1]) * COLOUR_BINS + coarse[..., 2]
    counts = np.bincount(codes.reshape(-1), minlength=COLOUR_BINS**3)
    return (counts / counts.sum()).astype(np.float32)


def edges(image: np.ndarray) -> np.ndarray:
    """Where edges of which direction are: uint8 [h, w, 3] -> float32 [2 * 2 * 8], sum 1.

    Gradient magnitudes of the grey image by direction (without sign) in 2 x 2 cells. An image
    without any edge gives the even histogram.
    """
    grey = image.astype(np.float32).mean(axis=-1)
    down, right = np.gradient(grey)
    strength = np.hypot(down, right)
    turn = np.mod(np.arctan2(down, right), np.pi) / np.pi  # [0, 1]
    direction = np.minimum((turn * ORIENTATIONS).astype(np.int64), ORIENTATIONS - 1)
    rows = np.arange(grey.shape[0])[:, None] * CELLS // grey.shape[0]
    columns = np.arange(grey.shape[1])[None, :] * CELLS // grey.shape[1]
    codes = (rows * CELLS + columns) * ORIENTATIONS + direction
    sums = np.bincount(codes.reshape(-1), strength.reshape(-1), minlength=CELLS**2 * ORIENTATIONS)
    total = sums.sum()
    return (sums / total if total else np.full(len(sums), 1 / len(sums))).astype(np.float32)


def hellinger(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distance in [0, 1] between histograms [..., bins] that sum to 1."""
    return np.sqrt(np.maximum(0.0, 1.0 - np.sqrt(a * b).sum(axis=-1)))


KINDS = {"colour": colours, "edges": edges}


def describe(pictures: Mapping[int, bytes], num_images: int) -> dict[str, np.ndarray]:
    """Histograms of all quadrants of some of M images.

    Args:
      pictures: JPEG by image.
      num_images: M.

    Returns {"colour": float32 [S, 4, 64], "edges": ..., "row": int [M]}, where "row" tells where
    an image stands, -1 for those that have no picture.
    """
    rows = np.full(num_images, -1, np.int64)
    found: dict[str, list] = {kind: [] for kind in KINDS}
    for row, (image, jpeg) in enumerate(track(pictures.items(), len(pictures), "appearance")):
        rows[image] = row
        pixels = decode_jpeg(jpeg)
        quads = [quadrant(pixels, q) for q in range(NUM_QUADRANTS)]
        for kind, function in KINDS.items():
            found[kind].append([function(quad) for quad in quads])
    return {**{kind: np.array(values, np.float32) for kind, values in found.items()}, "row": rows}


def distances(
    histograms: dict[str, np.ndarray], kind: str, references: np.ndarray, others: np.ndarray
) -> np.ndarray:
    """Distances of images int [R] to others int [R, 4, k], quadrant by quadrant -> [R, 4, k]."""
    values, row = histograms[kind], histograms["row"]
    result = np.empty(others.shape, np.float64)
    for q in range(NUM_QUADRANTS):
        for c in range(others.shape[2]):
            result[:, q, c] = hellinger(values[row[references], q], values[row[others[:, q, c]], q])
    return result
