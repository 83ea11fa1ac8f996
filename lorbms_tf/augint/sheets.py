"""Pictures of what models make of images: paths, reconstructions, noise, few-shot samples.

Images are float [N, S, S, C] in [-1, 1]; grey ones are shown as grey.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from lorbms_tf.data.images import to_uint8
from lorbms_tf.pages import pictures

CELL = 56  # pixels of an image in a sheet: characters are small


def shown(image: np.ndarray) -> np.ndarray:
    """[S, S, 1] or [S, S, 3] in [-1, 1] as uint8 [S, S, 3]."""
    return np.repeat(to_uint8(np.asarray(image)), 3 // image.shape[-1], axis=-1)


def held_out_sheet(images, reconstructions, paths, partners, cell: int = CELL) -> Image.Image:
    """A row for each image: it, its reconstruction, the way [N, T, S, S, C] to another, that."""
    rows = [
        [shown(np.asarray(one)) for one in (image, reconstruction, *path, partner)]
        for image, reconstruction, path, partner in zip(
            images, reconstructions, np.asarray(paths), partners, strict=True
        )
    ]
    titles = ["image", "decoded", *[""] * (len(rows[0]) - 3), "next image"]
    return pictures.sheet(rows, column_titles=titles, cell=cell)


def paths_sheet(
    paths: dict[str, np.ndarray], start: np.ndarray, end: np.ndarray, cell: int = CELL
) -> Image.Image:
    """For each pair a row of every model, as figures 5 to 12: the ends, and the way between.

    Args:
      paths: by the name of the model, [N, T, S, S, C].
      start: [N, S, S, C].
      end: the same.
      cell: pixels.
    """
    rows, titles, captions = [], [], []
    for pair in range(len(start)):
        for name, images in paths.items():
            rows.append([shown(one) for one in (start[pair], *images[pair], end[pair])])
            titles.append(name)
            # A line without words lies between two pairs.
            last = name == list(paths)[-1]
            captions.append([" " if last else None] * len(rows[-1]))
    return pictures.sheet(rows, row_titles=titles, captions=captions, cell=cell)


def columns_sheet(
    rows: dict[str, Sequence[np.ndarray]], titles: Sequence[str] | None = None, cell: int = CELL
) -> Image.Image:
    """Rows of images by name, one below the other: an image and what each model makes of it."""
    shown_rows = [[shown(one) for one in images] for images in rows.values()]
    return pictures.sheet(shown_rows, titles, list(rows), cell=cell)


def few_shot_sheet(
    seeds: np.ndarray, samples: np.ndarray, names: Sequence[str], cell: int = CELL
) -> Image.Image:
    """A row for each class: K seeds as negatives, then samples out of their simplex (figure 4).

    Args:
      seeds: [N, K, S, S, C].
      samples: [N, M, S, S, C].
      names: of the classes.
      cell: pixels.
    """
    rows = [
        [*(255 - shown(one) for one in own), *(shown(one) for one in made)]
        for own, made in zip(seeds, samples, strict=True)
    ]
    titles = ["seed"] * seeds.shape[1] + ["sample"] * samples.shape[1]
    return pictures.sheet(rows, titles, list(names), cell=cell)
