"""Photos enlarged by several runs, side by side: `lorbms_tf.render upscale`."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lorbms_tf.data.images import to_float
from lorbms_tf.errors import UserError
from lorbms_tf.pages import pictures
from lorbms_tf.perceptual import whole_photos
from lorbms_tf.perceptual.model import Superres
from lorbms_tf.perceptual.scores import luma_psnr
from lorbms_tf.perceptual.upscale_sheet import UpscaleConfig
from lorbms_tf.perceptual.whole_photos import Enlargement
from lorbms_tf.training import run_directory
from lorbms_tf.training.photo_scores import named_photos


def draw(config: UpscaleConfig) -> Image.Image:
    """A row a photo: bicubic, each run, the photo; with the PSNR of the whole photo.

    Raises UserError for runs of another method and photos that cannot be used.
    """
    models: dict[str, Any] = {}
    first = None
    for run_dir in config.run_dirs:
        checkpoint = config.checkpoint if run_dir == config.run_dir else "latest"
        model, trained = run_directory.load_model(run_dir, checkpoint)
        if not isinstance(model, Superres):
            raise UserError(f"--other_runs: {run_dir} is no run of --method=superres")
        models[_title(run_dir, models)] = whole_photos.upscaler(model)
        first = first or trained
    given = whole_photos.photos(named_photos(config, first), config.rows)
    return sheet(list(whole_photos.enlargements(given, models)), config.side, config.cell)


def sheet(made: list[Enlargement], side: int = 0, cell: int = 256) -> Image.Image:
    """The sheet of enlargements by the same models.

    side: of the central square that is shown, pixels; 0: the whole photo.
    """
    rows, captions = [], []
    for one in made:
        shown = [*one.made.values(), one.photo]
        rows.append([_middle(image, side) for image in shown])
        captions.append([*(_psnr(one.photo, image) for image in one.made.values()), None])
    titles = [*made[0].made, "photo"]
    names = [Path(one.name).name for one in made]
    return pictures.sheet(rows, titles, row_titles=names, captions=captions, cell=cell)


def _title(run_dir: str, taken: dict[str, Any]) -> str:
    name = Path(run_dir).name
    return run_dir if name in taken else name


def _middle(image: np.ndarray, side: int) -> np.ndarray:
    corners = [max(0, (extent - side) // 2) for extent in image.shape[:2]]
    return image[corners[0] :, corners[1] :][:side, :side] if side else image


def _psnr(photo: np.ndarray, made: np.ndarray) -> str:
    return f"{luma_psnr(to_float(photo)[None], to_float(made)[None])[0]:.2f} dB"
