"""Paints shapes onto a picture that is several times too large, then averages it down.

Coordinates are shares of the scene's side: (0, 0) top left, (1, 1) bottom right.
"""

import functools

import numpy as np
from PIL import Image, ImageDraw

from tfrecords_tools.scenes.colors import Color, darken, lighten, mix, rounded
from tfrecords_tools.scenes.shapes import Shape

_SHARES = np.linspace(0.0, 1.0, 256)[:, None]


class Painter:
    """A canvas of `size` pixels a side, lit from the upper left (light=-1) or upper right (+1).

    backdrop: an RGB image of that size to paint on, else black. supersampling: how many
    times larger than `size` the canvas is painted; whole numbers keep unpainted pixels exact.
    """

    def __init__(self, size: int, light: int, supersampling: int = 3, backdrop=None):
        self.light = light
        self.supersampling = supersampling
        self._side = size * supersampling
        if backdrop is None:
            self.canvas = Image.new("RGB", (self._side, self._side))
        else:
            self.canvas = backdrop.resize((self._side, self._side), Image.Resampling.NEAREST)

    def fill(self, shape: Shape) -> None:
        """Paints one shape with its shading."""
        if shape.shading == 0.0:
            self._paint(shape.points, shape.alpha, rounded(shape.color))
            return
        lit = lighten(shape.color, 0.9 * shape.shading)
        far = darken(shape.color, 0.85 * shape.shading)
        self._paint(shape.points, shape.alpha, _ramp(shape.fill, self.light), _palette(far, lit))

    def slope(self, points, top: Color, bottom: Color, alpha: float = 1.0) -> None:
        """Paints an outline with a vertical change of colour over its visible height."""
        self._paint(np.asarray(points, float), alpha, _ramp("down", 0), _palette(top, bottom))

    def band(self, y0: float, y1: float, top: Color, bottom: Color) -> None:
        """A slope over the full width between two heights."""
        rows = max(round(y0 * self._side), 0), min(round(y1 * self._side), self._side)
        if rows[1] > rows[0]:
            size = (self._side, rows[1] - rows[0])
            self.canvas.paste(_tinted(_ramp("down", 0), size, _palette(top, bottom)), (0, rows[0]))

    def soft(self, x, y, rx, ry, color: Color, alpha: float, clip=(0.0, 0.0, 1.0, 1.0)) -> None:
        """A blurred ellipse: a glow, a cloud, a shadow. Nothing is painted outside `clip`."""
        x0, y0, x1, y1 = (round(v * self._side) for v in (x - rx, y - ry, x + rx, y + ry))
        left, top = max(x0, round(clip[0] * self._side)), max(y0, round(clip[1] * self._side))
        right, bottom = min(x1, round(clip[2] * self._side)), min(y1, round(clip[3] * self._side))
        if right <= left or bottom <= top:
            return
        whole = _soft_disc(alpha)
        across, down = whole.width / (x1 - x0), whole.height / (y1 - y0)
        part = (
            (left - x0) * across,
            (top - y0) * down,
            (right - x0) * across,
            (bottom - y0) * down,
        )
        mask = whole.resize((right - left, bottom - top), Image.Resampling.BILINEAR, box=part)
        self.canvas.paste(rounded(color), (left, top, right, bottom), mask)

    def finish(self) -> Image.Image:
        """The canvas averaged down to `size` pixels a side."""
        return self.canvas.reduce(self.supersampling)

    def _paint(self, points, alpha, ink, palette=None) -> None:
        """ink: a flat 8-bit colour, or a ramp image to be stretched and coloured by `palette`."""
        pixels = points * self._side
        x0, y0 = np.maximum(np.floor(pixels.min(axis=0)), 0).astype(int).tolist()
        x1, y1 = np.minimum(np.ceil(pixels.max(axis=0)) + 1, self._side).astype(int).tolist()
        if x1 <= x0 or y1 <= y0:
            return
        mask = Image.new("L", (x1 - x0, y1 - y0))
        corners = (pixels - (x0, y0)).ravel().tolist()
        ImageDraw.Draw(mask).polygon(corners, fill=round(255 * alpha))
        if palette is not None:
            ink = _tinted(ink, mask.size, palette)
        self.canvas.paste(ink, (x0, y0, x1, y1), mask)


def _tinted(ramp: Image.Image, size, palette: bytes) -> Image.Image:
    """Stretches a grey ramp and looks its levels up in the palette: far cheaper than in RGB."""
    stretched = ramp.resize(size, Image.Resampling.NEAREST)  # the ramp is fine enough
    stretched.putpalette(palette)
    return stretched.convert("RGB")


def _palette(low: Color, high: Color) -> bytes:
    """256 colours from `low` to `high`, as Pillow wants them."""
    low, high = np.array(low), np.array(high)
    return (low + (high - low) * _SHARES + 0.5).astype(np.uint8).tobytes()


@functools.cache
def _ramp(fill: str, light: int) -> Image.Image:
    """A grey picture: 255 where the light falls, 0 on the far side; "down" rises to the bottom."""
    y, x = np.mgrid[-1:1:128j, -1:1:128j]
    if fill == "down":
        ramp = 0.5 + 0.5 * y[:, :2]
    elif fill == "linear":
        ramp = 0.5 + 0.25 * (light * x - y)
    else:
        away = np.hypot(x - 0.38 * light, y + 0.42)
        ramp = np.clip(1.0 - away / 1.75, 0.0, 1.0)
    return Image.fromarray(np.round(255 * ramp).astype(np.uint8))


@functools.cache
def _soft_disc(alpha: float) -> Image.Image:
    """A 64-pixel disc whose strength falls smoothly from 255 * alpha in the middle to 0."""
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    height = np.clip(1.0 - np.hypot(x, y), 0.0, 1.0)
    smooth = height * height * (3.0 - 2.0 * height)
    return Image.fromarray(np.round(255 * alpha * smooth).astype(np.uint8))


def haze(color: Color, air: Color, distance: float) -> Color:
    """A far thing takes on the colour of the air: distance 0 near .. 1 lost in it."""
    return mix(color, air, distance)
