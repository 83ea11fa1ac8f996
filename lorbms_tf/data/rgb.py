"""Opened pictures of any mode as RGB, 8 bits a channel, as a viewer on a white page shows them."""

import io
import os

import numpy as np
from PIL import Image

_ALPHAS = ("RGBA", "LA", "PA", "La", "RGBa")
_SIXTEEN_BITS = ("PNG", "PPM", "JPEG2000")  # whose values of mode "I" reach up to 65535
# TIFF's tags: what an image is for, and which value is white.
_SUBFILE, _PHOTOMETRIC, _DNG_VERSION = 254, 262, 50706
_GREY_SCALES = {"L;2": 85, "L;4": 17}  # of PNG files of few bits, by Pillow's raw mode


class UnknownPixels(Exception):
    """Pixels that nobody can say how to show; the text names them."""


def read(source: str | os.PathLike | io.BytesIO, image: Image.Image) -> Image.Image:
    """The first picture of a file, in RGB; transparency is laid over white.

    Args:
      source: the file, which is read once more where 16-bit colours are transparent.
      image: opened from it by Pillow and not yet loaded; it is loaded then.

    Raises UnknownPixels, and whatever Pillow raises for broken files.
    """
    _refuse_preview(image)
    raw_mode = image.tile[0][3] if image.format == "PNG" and image.tile else ""
    image.load()
    hidden = _hidden(source, image, raw_mode)
    if hidden is None:
        return _flat(image)
    rgb = _opaque(image).copy()
    rgb.paste((255, 255, 255), mask=Image.fromarray(hidden))
    return rgb


def _flat(image: Image.Image) -> Image.Image:
    if image.mode in _ALPHAS or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return _opaque(image)


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode == "LAB":
        raise UnknownPixels("colours that Pillow does not convert (CIELAB)")
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        image = _eight_bits(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _refuse_preview(image: Image.Image) -> None:
    tags = getattr(image, "tag_v2", {}) if image.format == "TIFF" else {}
    if _DNG_VERSION in tags or tags.get(_SUBFILE) == 1:
        raise UnknownPixels("camera raw, of which Pillow reads the preview alone")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, or floats, to 8 bits."""
    values = np.asarray(image)
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in _SIXTEEN_BITS):
        grey = np.asarray(values, np.float32) / 257.0
    else:
        grey = np.asarray(values, np.float64) * _scale(values)
    if image.format == "TIFF" and image.tag_v2.get(_PHOTOMETRIC) == 0:  # white is zero
        grey = 255.0 - grey
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))


def _scale(values: np.ndarray) -> float:
    """What brings values to 0 to 255. Their files do not say what is white, so the highest tells.

    Between the ranges nobody knows, and a guess might make the picture black: UnknownPixels.
    """
    is_float = values.dtype.kind == "f"
    low, high = float(values.min()), float(values.max())
    if low >= 0:  # never true of NaN
        if is_float and high <= 1:
            return 255.0
        if 16 <= high <= 255:
            return 1.0
        if 4096 <= high <= 65535:
            return 1 / 257
    kind = "floating point" if is_float else "32-bit"
    raise UnknownPixels(f"{kind} pixels of no known range ({low:g} to {high:g})")


def _hidden(source, image: Image.Image, raw_mode: str) -> np.ndarray | None:
    """Where a PNG file without alpha is transparent, bool [H, W]; None where Pillow can tell.

    Its tRNS chunk names one colour in the file's own bits, and Pillow compares 8 bits.
    """
    value = image.info.get("transparency")
    if image.format != "PNG" or value is None or image.mode not in ("1", "L", "I;16", "I", "RGB"):
        return None
    if image.mode == "1":
        return np.asarray(image) == (value > 0)
    if image.mode != "RGB":
        return np.asarray(image) == value * _GREY_SCALES.get(raw_mode, 1)
    values = np.asarray(image, np.uint16)
    if raw_mode == "RGB;16B":
        values = values * 256 + _low_bytes(source)
    return (values == np.array(value)).all(axis=-1)


def _low_bytes(source) -> np.ndarray:
    """The lower halves of 16-bit colours, uint8 [H, W, 3], which Pillow cuts off."""
    if isinstance(source, io.BytesIO):
        source.seek(0)
    with Image.open(source) as image:
        # As if the file's order of bytes were the other one, the lower half is the upper one.
        image.tile = [(*tile[:3], "RGB;16L") for tile in image.tile]
        return np.asarray(image)
