"""Sheets of small images with titles and captions, and masks drawn on images.

Pillow only: this file knows pixels and text, nothing of models, records or metrics.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_path

PAPER = (255, 255, 255)
INK = (24, 24, 28)
FAINT_INK = (92, 92, 100)
# Magenta: strong, and rare in photos, so that the outline is seen on sky, grass, sand and skin.
REPLACED = (255, 0, 144)
GRID = (255, 255, 255)

_SMALLEST_TEXT = 8  # px; below this the built-in font is no longer legible


def sheet(
    rows: Sequence[Sequence[np.ndarray | None]],
    column_titles: Sequence[str] | None = None,
    row_titles: Sequence[str] | None = None,
    captions: Sequence[Sequence[str | None]] | None = None,
    cell: int = 96,
    margin: int = 6,
) -> Image.Image:
    """Lays images out in a table.

    Args:
      rows: one list a row of uint8 images [H, W, 3] of any size, or None for a blank cell. Rows may
        differ in length.
      column_titles: text above each column.
      row_titles: text left of each row.
      captions: text under each cell, in the shape of `rows`; None where there is none.
      cell: side of a cell, pixels. Images keep their proportions and fill it: see `fit`.
      margin: space between cells and around the sheet, pixels.

    Returns:
      An RGB picture. Text that is too wide is set smaller, then cut with an ellipsis; a newline
      starts another line.

    Raises:
      ValueError: no rows, an image that is not uint8 [H, W, 3], or titles or captions that do not
        match the rows.
    """
    columns = _check_table(rows, column_titles, row_titles, captions)
    captions = captions or [[None] * len(row) for row in rows]
    size = max(11, min(18, cell // 8))
    line = size + 3
    left = margin + _row_title_width(row_titles, size, 2 * cell, margin)
    top = margin + (line * _most_lines(column_titles) + margin if column_titles else 0)
    caption_heights = [line * _most_lines(texts) for texts in captions]
    width = left + columns * (cell + margin)
    height = top + sum(cell + under + margin for under in caption_heights)

    picture = Image.new("RGB", (max(width, 1), height), PAPER)
    draw = ImageDraw.Draw(picture)
    for column, title in enumerate(column_titles or []):
        x = left + column * (cell + margin) + cell / 2
        _write(draw, title, (x, margin), size, cell + margin // 2, INK)
    y = top
    for row, images in enumerate(rows):
        if row_titles:
            _write_row_title(draw, row_titles[row], (margin, y + cell / 2), size, left - 2 * margin)
        for column, (image, text) in enumerate(zip(images, captions[row], strict=True)):
            _draw_cell(picture, image, text, (left + column * (cell + margin), y), cell, size)
        y += cell + caption_heights[row] + margin
    return picture


def fit(image: np.ndarray, side: int) -> Image.Image:
    """Scales an image so that its longer side is `side` pixels, proportions kept.

    Small images are enlarged by repeating pixels, so that what is seen is what the model made and
    no interpolation of it. Where `side` is no whole multiple, the next one is averaged down.

    Args:
      image: uint8 [H, W, 3].
      side: pixels.

    Raises:
      ValueError: not a uint8 [H, W, 3] image.
    """
    _check_image(image)
    picture = Image.fromarray(np.ascontiguousarray(image))
    longer = max(picture.size)
    if longer == side:
        return picture
    target = tuple(max(1, round(length * side / longer)) for length in picture.size)
    factor = math.ceil(side / longer)
    if factor > 1:
        enlarged = tuple(length * factor for length in picture.size)
        picture = picture.resize(enlarged, Image.Resampling.NEAREST)
    return picture.resize(target, Image.Resampling.BOX)


def draw_mask(image: np.ndarray, mask: Sequence[bool], side: int = 192) -> np.ndarray:
    """Draws on an image which of its quadrants, or of the cells of a larger grid, are replaced.

    Args:
      image: uint8 [H, W, 3].
      mask: 4 truth values in the order q1 top left, q2 top right, q3 bottom left, q4 bottom right;
        or one for each cell of a larger square grid, row by row.
      side: the image is first brought to this size (see `fit`), so that lines stay thin beside its
        pixels. Pass the cell of the sheet that it is drawn for.

    Returns:
      uint8 [h, w, 3]; thin lines between the quadrants, a strong outline around each replaced one;
      on a larger grid around what is replaced together.

    Raises:
      ValueError: not a uint8 [H, W, 3] image, or not 4, 9, 16 ... values.
    """
    cells = math.isqrt(len(mask))
    if cells < 2 or cells**2 != len(mask):
        raise ValueError(f"a mask has 4 values, or a larger square number; got {len(mask)}")
    picture = fit(image, side)
    draw = ImageDraw.Draw(picture)
    lefts = [number * picture.width // cells for number in range(cells + 1)]
    tops = [number * picture.height // cells for number in range(cells + 1)]
    for x, y in zip(lefts[1:-1], tops[1:-1], strict=True):
        draw.line([(x, 0), (x, picture.height)], fill=GRID, width=1)
        draw.line([(0, y), (picture.width, y)], fill=GRID, width=1)
    stroke = max(2, round(side / 40))
    inside = np.pad(np.reshape(np.asarray(mask, bool), (cells, cells)), 1)
    for row, column in np.argwhere(inside[1:-1, 1:-1]):
        x0, x1, y0, y1 = lefts[column], lefts[column + 1] - 1, tops[row], tops[row + 1] - 1
        edges = {  # by the step to the cell beyond it
            (-1, 0): (x0, y0, x1, y0 + stroke - 1),
            (1, 0): (x0, y1 - stroke + 1, x1, y1),
            (0, -1): (x0, y0, x0 + stroke - 1, y1),
            (0, 1): (x1 - stroke + 1, y0, x1, y1),
        }
        for (down, right), edge in edges.items():
            if cells == 2 or not inside[1 + row + down, 1 + column + right]:
                draw.rectangle(edge, fill=REPLACED)
    return np.asarray(picture).copy()


def save(picture: Image.Image, path: str | Path) -> Path:
    """Writes a picture as PNG: whole or not at all; parent folders are made.

    Raises:
      UserError: the path does not end in .png, or cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise UserError(f"{path}: pictures are written as PNG; the name must end in .png")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            picture.save(temporary, format="PNG")
    except OSError as error:
        raise UserError(f"{path}: cannot write the picture ({error.strerror or error})") from error
    return path


def _draw_cell(picture, image, text, corner, cell: int, size: int) -> None:
    """Draws an image in the middle of its cell and the text under it; each may be None."""
    x, y = corner
    if image is not None:
        fitted = fit(image, cell)
        picture.paste(fitted, (x + (cell - fitted.width) // 2, y + (cell - fitted.height) // 2))
    if text:
        draw = ImageDraw.Draw(picture)
        _write(draw, text, (x + cell / 2, y + cell + 2), size - 1, cell, FAINT_INK)


def _check_image(image: np.ndarray) -> None:
    good = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3
    if not good or image.shape[2] != 3 or 0 in image.shape:
        kind = (
            f"{image.dtype} {list(image.shape)}" if isinstance(image, np.ndarray) else type(image)
        )
        raise ValueError(f"an image in a picture is a uint8 array [H, W, 3]; got {kind}")


def _check_table(rows, column_titles, row_titles, captions) -> int:
    """Returns the number of columns; ValueError where the texts do not match the rows."""
    if not rows:
        raise ValueError("a sheet needs at least one row")
    columns = max(len(row) for row in rows)
    if column_titles is not None and len(column_titles) != columns:
        raise ValueError(f"{len(column_titles)} column titles for {columns} columns")
    if row_titles is not None and len(row_titles) != len(rows):
        raise ValueError(f"{len(row_titles)} row titles for {len(rows)} rows")
    if captions is not None and [len(row) for row in captions] != [len(row) for row in rows]:
        raise ValueError("captions must have the shape of the rows")
    return columns


def _most_lines(texts: Sequence[str | None] | None) -> int:
    return max((text.count("\n") + 1 for text in texts or [] if text), default=0)


def _row_title_width(row_titles, size: int, most: int, margin: int) -> int:
    """Width of the column of row titles with its margin: as wide as the longest, at most `most`."""
    lines = [line for title in row_titles or [] for line in title.split("\n")]
    if not any(lines):
        return 0
    font = ImageFont.load_default(size=size)
    return min(math.ceil(max(font.getlength(line) for line in lines)), most) + margin


def _fit_line(text: str, size: int, width: float) -> tuple[str, ImageFont.FreeTypeFont]:
    """The text and the font in which it is at most `width` wide: smaller first, then cut."""
    for smaller in range(size, _SMALLEST_TEXT - 1, -1):
        font = ImageFont.load_default(size=smaller)
        if font.getlength(text) <= width:
            return text, font
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…", font


def _write(draw, text, position, size, width, ink, anchor="ma") -> None:
    """Writes lines downwards from `position`, each fitted to `width`."""
    x, y = position
    for line in text.split("\n"):
        line, font = _fit_line(line, size, width)
        draw.text((x, y), line, fill=ink, font=font, anchor=anchor)
        y += size + 3


def _write_row_title(draw, title, position, size, width) -> None:
    x, y = position
    y -= (title.count("\n") + 1) * (size + 3) / 2
    _write(draw, title, (x, y), size, width, INK, anchor="la")
