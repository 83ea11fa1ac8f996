"""The places: sky and ground colours of each kind of background, and what lies in them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tfrecords_tools.scenes import landscapes, townscapes
from tfrecords_tools.scenes.colors import Color, mix, shifted
from tfrecords_tools.scenes.landscapes import View
from tfrecords_tools.scenes.painter import Painter


@dataclass(frozen=True)
class Kind:
    """One kind of place.

    skies: choices of (top, at the horizon). grounds: choices of (far, near). horizon: range of its
    height (0 top .. 1 bottom). base: the least height of the foot of a standing object in the
    lower quadrants. grain: standard deviation of the noise in grey levels.
    water: the far ground is water.
    """

    paint: Callable[[Painter, View, np.random.Generator], None]
    skies: tuple[tuple[Color, Color], ...]
    grounds: tuple[tuple[Color, Color], ...]
    horizon: tuple[float, float] = (0.34, 0.44)
    base: float = 0.8
    grain: float = 1.8
    water: bool = False


KINDS: dict[str, Kind] = {
    "meadow": Kind(
        landscapes.meadow,
        (((86, 168, 236), (206, 236, 250)), ((120, 178, 230), (255, 234, 196))),
        (((152, 206, 104), (92, 164, 70)), ((186, 208, 96), (126, 166, 60))),
    ),
    "beach": Kind(
        landscapes.beach,
        (((70, 170, 238), (212, 242, 250)), ((132, 176, 232), (255, 222, 190))),
        (((246, 224, 170), (226, 192, 130)), ((250, 232, 196), (236, 206, 158))),
        horizon=(0.32, 0.38),
        base=0.84,
        water=True,
    ),
    "street": Kind(
        townscapes.street,
        (((74, 62, 134), (252, 164, 118)), ((42, 66, 132), (240, 150, 168))),
        (((112, 102, 134), (70, 66, 96)), ((122, 114, 130), (82, 78, 98))),
        horizon=(0.38, 0.44),
    ),
    "room": Kind(
        townscapes.room,
        (
            ((236, 214, 184), (246, 230, 206)),
            ((168, 204, 198), (190, 222, 214)),
            ((186, 196, 224), (206, 214, 236)),
        ),
        (((202, 152, 104), (166, 114, 74)), ((222, 186, 142), (190, 148, 104))),
        horizon=(0.4, 0.45),
        grain=1.4,
    ),
    "snow": Kind(
        landscapes.snow,
        (((112, 164, 224), (226, 238, 250)), ((150, 150, 214), (252, 222, 222))),
        (((226, 236, 250), (196, 214, 240)),),
    ),
    "lake": Kind(
        landscapes.lake,
        (((98, 164, 222), (232, 238, 232)), ((126, 140, 200), (255, 206, 166))),
        (((128, 190, 214), (46, 122, 172)), ((150, 176, 206), (64, 104, 160))),
        horizon=(0.34, 0.4),
        base=0.88,
        water=True,
    ),
    "desert": Kind(
        landscapes.desert,
        (((96, 176, 220), (252, 232, 196)), ((232, 138, 106), (255, 220, 160))),
        (((240, 190, 120), (212, 138, 78)), ((236, 170, 116), (194, 110, 74))),
    ),
    "night": Kind(
        landscapes.night,
        (((18, 22, 66), (74, 84, 156)), ((28, 18, 70), (124, 84, 150))),
        (((56, 92, 118), (28, 54, 82)), ((70, 78, 128), (36, 40, 86))),
        grain=1.4,
    ),
}


def view_of(
    kind: str, sky: int, ground: int, horizon: float, light: int, hue: float, value: float
) -> View:
    """The View of a place whose palette is turned by `hue` and made `value` times as bright."""
    place = KINDS[kind]
    colors = (*place.skies[sky], *place.grounds[ground])
    return View(*(shifted(color, hue, value) for color in colors), horizon, light)


def behind(view: View, upper: bool) -> Color:
    """The colour that an object in the upper or lower half mostly has behind it."""
    if upper:
        return mix(view.sky_top, view.sky_low, 0.6)
    return mix(view.ground_far, view.ground_near, 0.5)
