"""Built places: a street at dusk, a room. Each paints a whole background."""

import numpy as np

from tfrecords_tools.scenes.colors import WHITE, darken, lighten, mix
from tfrecords_tools.scenes.landscapes import View, sky, swells
from tfrecords_tools.scenes.painter import Painter, haze


def street(painter: Painter, view: View, rng: np.random.Generator) -> None:
    """Two rows of houses against the evening sky, a pavement and the road."""
    sky(painter, view, glow=(255, 196, 140), strength=0.75)
    h, far, near = view.horizon, view.ground_far, view.ground_near
    wall = mix((92, 70, 128), view.sky_top, 0.4)
    _row(painter, view, rng, h, (0.12, 0.24), haze(wall, view.sky_low, 0.45), windows=False)
    _row(painter, view, rng, h, (0.05, 0.17), haze(wall, view.sky_low, 0.12), windows=True)
    painter.band(h, 0.62, lighten(far, 0.22), lighten(far, 0.1))
    painter.band(0.62, 0.645, lighten(far, 0.42), lighten(far, 0.3))
    painter.band(0.645, 1.0, far, near)
    for x in np.arange(-0.25, 1.25, 0.36) + rng.uniform(0.0, 0.36):
        stripe = [(x, 0.80), (x + 0.16, 0.80), (x + 0.155, 0.825), (x - 0.012, 0.825)]
        painter.slope(stripe, lighten(far, 0.5), lighten(far, 0.4), alpha=0.8)
    painter.soft(rng.uniform(0.1, 0.9), 0.55, 0.4, 0.08, (255, 206, 150), 0.35)
    swells(painter, view, rng, (255, 190, 150), 0.14, count=3, top=0.7)


def _row(painter, view, rng, floor, heights, color, windows):
    x = -0.05
    while x < 1.0:
        wide, high = rng.uniform(0.1, 0.19), rng.uniform(*heights)
        side = darken(color, rng.uniform(0.0, 0.12))
        top, right = floor - high, x + wide
        corners = [(x, top), (right, top), (right, floor + 0.01), (x, floor + 0.01)]
        painter.slope(corners, side, haze(side, view.sky_low, 0.25))
        if windows:
            for wx in np.arange(x + 0.022, right - 0.035, 0.042):
                for wy in np.arange(top + 0.022, floor - 0.03, 0.045):
                    if rng.uniform() < 0.5:
                        pane = [
                            (wx, wy),
                            (wx + 0.02, wy),
                            (wx + 0.02, wy + 0.024),
                            (wx, wy + 0.024),
                        ]
                        painter.slope(pane, (255, 216, 140), (255, 196, 112), alpha=0.85)
        x = right + rng.uniform(0.0, 0.02)


def room(painter: Painter, view: View, rng: np.random.Generator) -> None:
    """A wall with light from a window, a skirting board, a wooden floor with a rug."""
    h, far, near = view.horizon, view.ground_far, view.ground_near
    painter.band(0.0, h, view.sky_top, view.sky_low)
    painter.soft(view.sun_x, 0.1, 0.6, 0.5, WHITE, 0.4)
    left = 0.5 - 0.12 * view.light + rng.uniform(-0.14, 0.14)
    slant = -0.07 * view.light
    for x in (left - 0.13, left + 0.01):
        pane = [(x, 0.06), (x + 0.12, 0.06), (x + 0.12 + slant, h - 0.08), (x + slant, h - 0.08)]
        painter.slope(pane, WHITE, WHITE, alpha=0.28)
    painter.band(h - 0.035, h, lighten(view.sky_low, 0.6), lighten(view.sky_low, 0.3))
    painter.band(h, 1.0, far, near)
    painter.band(h, h + 0.012, darken(far, 0.35), darken(far, 0.12))
    vanish = 0.5 + rng.uniform(-0.15, 0.15)
    for x in np.linspace(-1.2, 2.2, 15):
        top = vanish + (x - vanish) * 0.45
        board = [(top, h + 0.012), (top + 0.002, h + 0.012), (x + 0.006, 1.0), (x, 1.0)]
        painter.slope(board, darken(far, 0.3), darken(near, 0.35), alpha=0.5)
    angle = np.linspace(0.0, 2.0 * np.pi, 48, endpoint=False)
    rug = [(196, 92, 92), (92, 120, 176), (108, 152, 120), (214, 170, 108)][int(rng.integers(4))]
    ring = np.stack([0.5 + 0.44 * np.cos(angle), 0.79 + 0.15 * np.sin(angle)], axis=1)
    painter.slope(ring, lighten(rug, 0.35), lighten(rug, 0.2))
    painter.slope((ring - (0.5, 0.79)) * 0.88 + (0.5, 0.79), lighten(rug, 0.12), rug)
    swells(painter, view, rng, lighten(far, 0.4), 0.25, count=2)
