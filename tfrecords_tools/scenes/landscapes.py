"""Open country: meadow, beach, snow, lake, desert, night. Each paints a whole background."""

from dataclasses import dataclass

import numpy as np

from tfrecords_tools.scenes.colors import WHITE, Color, darken, lighten, mix
from tfrecords_tools.scenes.painter import Painter, haze
from tfrecords_tools.scenes.shapes import open_curve

SUN: Color = (255, 244, 206)


@dataclass(frozen=True)
class View:
    """Colours, horizon (0 top .. 1 bottom) and light (-1 from the left, +1 from the right)."""

    sky_top: Color
    sky_low: Color
    ground_far: Color
    ground_near: Color
    horizon: float
    light: int

    @property
    def sun_x(self) -> float:
        """Where the light comes from, as a share of the width."""
        return 0.5 + 0.38 * self.light


def sky(painter: Painter, view: View, glow: Color = SUN, strength: float = 0.7) -> None:
    """The sky's change of colour, and a glow on the lit side."""
    painter.band(0.0, view.horizon + 0.05, view.sky_top, view.sky_low)
    painter.soft(view.sun_x, 0.06, 0.42, 0.36, glow, strength)


def clouds(painter: Painter, view: View, rng: np.random.Generator, count: int, alpha=0.75) -> None:
    """Soft clouds of a few puffs each."""
    for _ in range(count):
        x, y = rng.uniform(0.05, 0.95), rng.uniform(0.04, 0.7 * view.horizon)
        wide = rng.uniform(0.1, 0.2)
        for shift, rise, size in (
            (0, 0, 1.0),
            (-0.6, 0.12, 0.7),
            (0.6, 0.1, 0.75),
            (0.2, -0.2, 0.7),
        ):
            painter.soft(
                x + shift * wide, y + rise * wide, size * wide, 0.5 * size * wide, WHITE, alpha
            )


def ridge(painter, rng, y, height, top: Color, bottom: Color, floor=1.0, bumps=4) -> None:
    """A smooth line of hills across the picture, filled down to `floor`."""
    x = np.linspace(-0.1, 1.1, bumps + 2)
    line = open_curve(np.stack([x, y - height * rng.uniform(0.0, 1.0, len(x))], axis=1), 8)
    _filled(painter, line, floor, top, bottom)


def peaks(painter, rng, y, height, top: Color, bottom: Color, count=4):
    """A jagged line of mountains standing on height `y`; returns the line, float [N, 2]."""
    x = np.linspace(-0.1, 1.1, 2 * count + 1) + rng.uniform(-0.04, 0.04, 2 * count + 1)
    rise = np.where(
        np.arange(len(x)) % 2, rng.uniform(0.6, 1.0, len(x)), rng.uniform(0.1, 0.35, len(x))
    )
    line = np.stack([x, y - height * rise], axis=1)
    _filled(painter, line, y + 0.02, top, bottom)
    return line


def _filled(painter, line, floor, top, bottom):
    ends = [(line[-1, 0], floor), (line[0, 0], floor)]
    painter.slope(np.concatenate([line, ends]), top, bottom)


def swells(painter, view, rng, color: Color, alpha: float, count=4, top=None) -> None:
    """Large soft patches on the ground: light and shade of gentle undulation."""
    start = view.horizon + 0.1 if top is None else top
    for _ in range(count):
        y = rng.uniform(start, 1.0)
        depth = 0.3 + 0.7 * (y - view.horizon)
        painter.soft(rng.uniform(0, 1), y, 0.5 * depth + 0.15, 0.14 * depth, color, alpha)


def meadow(painter: Painter, view: View, rng: np.random.Generator) -> None:
    """Sky with clouds over green hills."""
    sky(painter, view)
    clouds(painter, view, rng, int(rng.integers(1, 4)))
    far, near, h = view.ground_far, view.ground_near, view.horizon
    hill = haze(darken(far, 0.1), view.sky_low, 0.5)
    ridge(painter, rng, h - 0.01, 0.1, hill, haze(far, view.sky_low, 0.35))
    ridge(painter, rng, h + 0.03, 0.06, haze(far, view.sky_low, 0.15), near)
    ridge(painter, rng, h + 0.2, 0.08, mix(far, near, 0.25), darken(near, 0.08), bumps=2)
    swells(painter, view, rng, lighten(far, 0.25), 0.3)
    swells(painter, view, rng, darken(near, 0.25), 0.22, count=3)


def beach(painter: Painter, view: View, rng: np.random.Generator) -> None:
    """Sea to the horizon, a line of foam, warm sand."""
    sky(painter, view)
    clouds(painter, view, rng, int(rng.integers(1, 4)))
    h, shore = view.horizon, rng.uniform(0.56, 0.66)
    deep = mix((24, 112, 178), view.sky_top, 0.25)
    painter.band(h, shore + 0.06, deep, mix((94, 206, 206), view.sky_low, 0.2))
    painter.soft(view.sun_x, h + 0.1, 0.32, 0.1, WHITE, 0.35)
    x = np.linspace(-0.1, 1.1, 5)
    line = open_curve(np.stack([x, shore + rng.uniform(-0.025, 0.025, 5)], axis=1), 8)
    wet = mix(darken(view.ground_far, 0.22), (94, 206, 206), 0.15)
    for drop, color in ((0.0, WHITE), (0.022, wet), (0.055, view.ground_far)):
        _filled(painter, line + (0.0, drop), 1.0, color, mix(color, view.ground_near, 0.8))
    swells(painter, view, rng, lighten(view.ground_far, 0.4), 0.4, count=3, top=0.74)
    swells(painter, view, rng, darken(view.ground_near, 0.2), 0.2, count=3, top=0.8)


def snow(painter: Painter, view: View, rng: np.random.Generator) -> None:
    """Snowy hills before pale mountains."""
    sky(painter, view)
    clouds(painter, view, rng, int(rng.integers(0, 3)), alpha=0.6)
    h, far, near = view.horizon, view.ground_far, view.ground_near
    rock = haze((112, 130, 178), view.sky_low, 0.35)
    peaks(painter, rng, h + 0.02, 0.22, lighten(rock, 0.55), rock)
    ridge(painter, rng, h + 0.02, 0.07, far, mix(far, near, 0.6))
    ridge(painter, rng, h + 0.16, 0.1, lighten(far, 0.4), near, bumps=2)
    ridge(painter, rng, h + 0.38, 0.1, lighten(far, 0.5), darken(near, 0.06), bumps=2)
    swells(painter, view, rng, WHITE, 0.5, count=3)
    swells(painter, view, rng, darken(near, 0.18), 0.22, count=3)


def lake(painter: Painter, view: View, rng: np.random.Generator) -> None:
    """Mountains mirrored in calm water, a wooden quay in front."""
    sky(painter, view)
    clouds(painter, view, rng, int(rng.integers(1, 3)))
    h, far, near = view.horizon, view.ground_far, view.ground_near
    rock = haze((78, 116, 146), view.sky_low, 0.3)
    line = peaks(painter, rng, h, 0.2, haze(rock, view.sky_low, 0.3), rock)
    painter.band(h, 1.0, far, near)
    mirrored = np.stack([line[:, 0], 2.0 * h - line[:, 1]], axis=1)
    water = np.concatenate([mirrored, [(mirrored[-1, 0], h), (mirrored[0, 0], h)]])
    painter.slope(water, mix(rock, far, 0.35), mix(rock, far, 0.8), alpha=0.6)
    for _ in range(6):
        y = rng.uniform(h + 0.05, 0.8)
        wide = 0.1 + 0.25 * (y - h)
        painter.soft(rng.uniform(0, 1), y, wide, 0.022, lighten(far, 0.5), 0.55)
    quay = (176, 130, 92)
    painter.band(0.86, 1.0, lighten(quay, 0.12), darken(quay, 0.2))
    painter.band(0.855, 0.872, lighten(quay, 0.4), lighten(quay, 0.3))
    for y in (0.905, 0.95):
        painter.band(y, y + 0.005, darken(quay, 0.3), darken(quay, 0.3))


def desert(painter: Painter, view: View, rng: np.random.Generator) -> None:
    """Dunes under a warm sky, table mountains far away."""
    sky(painter, view, strength=0.85)
    painter.soft(view.sun_x, 0.1, 0.085, 0.085, (255, 250, 226), 1.0)
    h, far, near = view.horizon, view.ground_far, view.ground_near
    rock = haze((190, 104, 84), view.sky_low, 0.35)
    for x in rng.uniform(0.0, 1.0, 2):
        half, high = rng.uniform(0.07, 0.13), rng.uniform(0.06, 0.11)
        top = [(x - half, h - high), (x + half, h - high), (x + 1.4 * half, h + 0.04)]
        painter.slope([*top, (x - 1.4 * half, h + 0.04)], rock, haze(rock, view.sky_low, 0.3))
    ridge(painter, rng, h + 0.02, 0.05, lighten(far, 0.15), mix(far, near, 0.5))
    for y, bumps in ((h + 0.16, 2), (h + 0.36, 2)):
        ridge(painter, rng, y, 0.12, lighten(far, 0.12), mix(far, near, 0.9), bumps=bumps)
    swells(painter, view, rng, darken(near, 0.25), 0.25, count=3)
    swells(painter, view, rng, lighten(far, 0.3), 0.35, count=3)


def night(painter: Painter, view: View, rng: np.random.Generator) -> None:
    """Moonlit hills under stars."""
    moon = (240, 240, 255)
    sky(painter, view, glow=(150, 160, 226), strength=0.55)
    for x, y, r in rng.uniform((0, 0, 0.004), (1, view.horizon - 0.06, 0.011), (26, 3)):
        painter.soft(x, y, r, r, WHITE, 0.9)
    painter.soft(view.sun_x, 0.09, 0.14, 0.14, moon, 0.4)
    painter.soft(view.sun_x, 0.09, 0.052, 0.052, moon, 1.0)
    h, far, near = view.horizon, view.ground_far, view.ground_near
    ridge(painter, rng, h, 0.12, haze(far, view.sky_low, 0.55), haze(far, view.sky_low, 0.3))
    ridge(painter, rng, h + 0.04, 0.07, haze(far, view.sky_low, 0.15), near)
    ridge(painter, rng, h + 0.22, 0.1, far, darken(near, 0.15), bumps=2)
    swells(painter, view, rng, lighten(far, 0.3), 0.3)
