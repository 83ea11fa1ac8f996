"""Pictures of what super-resolution makes."""

from collections.abc import Mapping

import numpy as np
from PIL import Image

from lorbms_tf.data.images import to_uint8
from lorbms_tf.pages import pictures
from lorbms_tf.perceptual.scores import luma_psnr


def enlargements(
    images: np.ndarray, small: np.ndarray, enlarged: Mapping[str, np.ndarray], cell: int = 192
) -> Image.Image:
    """A row a photo: the small one, each enlargement with its PSNR, the photo itself.

    Args:
      images: [N, H, W, 3] in [-1, 1]; small: [N, H / 4, W / 4, 3].
      enlarged: by name, [N, H, W, 3].
      cell: pixels a side of a picture.
    """
    images, small = np.asarray(images), np.asarray(small)
    columns = {name: np.asarray(made) for name, made in enlarged.items()}
    rows, captions = [], []
    for n, image in enumerate(images):
        made = [found[n] for found in columns.values()]
        rows.append([to_uint8(picture) for picture in (small[n], *made, image)])
        captions.append([None, *(_psnr(image, picture) for picture in made), None])
    titles = ["small", *columns, "photo"]
    return pictures.sheet(rows, column_titles=titles, captions=captions, cell=cell)


def _psnr(image: np.ndarray, made: np.ndarray) -> str:
    try:
        return f"{luma_psnr(image[None], made[None])[0]:.1f} dB"
    except ValueError:  # of a broken model, whose pictures are drawn all the same
        return "no PSNR"
