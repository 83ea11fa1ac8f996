"""A scene: its truth, drawn at random from (seed, index) alone, and its picture.

Sampling a truth draws no pixel, so truths are cheap; `render` makes the picture of a truth.
Quadrants are numbered 1..4: top left, top right, bottom left, bottom right.
"""

import functools
from dataclasses import dataclass

import numpy as np

from tfrecords_tools.scenes import backgrounds
from tfrecords_tools.scenes.colors import INK, NAMED, WHITE, Color, contrast, darken, shifted
from tfrecords_tools.scenes.objects import BY_NAME, CATEGORIES, Category
from tfrecords_tools.scenes.painter import Painter
from tfrecords_tools.scenes.shapes import Shape, extent, place, turn
from tfrecords_tools.scenes.things import Paint

QUADRANTS = (1, 2, 3, 4)
MARGIN = 0.02  # least distance of a box from its quadrant's edge, share of the scene's side
CONTRAST = 190.0  # least wished `colors.contrast` between an object and what is behind it


@dataclass(frozen=True)
class Background:
    """kind: a key of `backgrounds.KINDS`; sky, ground: which of its palettes; horizon: 0 top .. 1
    bottom; light: -1 from the left, 1 from the right; hue, brightness: jitter of the palette."""

    kind: str
    sky: int
    ground: int
    horizon: float
    light: int
    hue: float
    brightness: float

    def view(self) -> backgrounds.View:
        """The colours that come of it."""
        return backgrounds.view_of(
            self.kind, self.sky, self.ground, self.horizon, self.light, self.hue, self.brightness
        )


@dataclass(frozen=True)
class PlacedObject:
    """One object. box: (x0, y0, x1, y1) in shares of the scene's side, its centre is the place;
    size: the box's longer side as a share of the quadrant's side; rotation: degrees clockwise."""

    quadrant: int
    category: str
    color: str
    paint: Paint
    size: float
    rotation: float
    mirrored: bool
    box: tuple[float, float, float, float]

    @property
    def center(self) -> tuple[float, float]:
        """(x, y) of the middle of the box."""
        return (self.box[0] + self.box[2]) / 2.0, (self.box[1] + self.box[3]) / 2.0

    def shapes(self) -> list[Shape]:
        """Its drawing in the coordinates of the scene."""
        drawn = _draw(self.category, self.paint, self.rotation, self.mirrored)
        return place(drawn, self.box)


@functools.lru_cache(maxsize=16)  # a scene's objects are needed for its truth and its picture
def _draw(category: str, paint: Paint, rotation: float, mirrored: bool) -> list[Shape]:
    return turn(BY_NAME[category].draw(paint), rotation, mirrored)


@dataclass(frozen=True)
class Scene:
    """The truth of one picture: a background and the objects of quadrants 1, 2, 3, 4."""

    seed: int
    index: int
    background: Background
    objects: tuple[PlacedObject, ...]


def sample(seed: int, index: int) -> Scene:
    """The truth of scene `index` (from 0) of `seed` (both at least 0)."""
    rng = np.random.default_rng([seed, index])
    kind = list(backgrounds.KINDS)[int(rng.integers(len(backgrounds.KINDS)))]
    its = backgrounds.KINDS[kind]
    background = Background(
        kind=kind,
        sky=int(rng.integers(len(its.skies))),
        ground=int(rng.integers(len(its.grounds))),
        horizon=round(rng.uniform(*its.horizon), 4),
        light=int(rng.choice((-1, 1))),
        hue=round(rng.uniform(-0.02, 0.02), 4),
        brightness=round(rng.uniform(0.92, 1.05), 4),
    )
    objects: list[PlacedObject] = []
    for quadrant in QUADRANTS:
        objects.append(_sample_object(rng, background, quadrant, [o.category for o in objects]))
    return Scene(seed, index, background, tuple(objects))


def _sample_object(rng, background, quadrant, present) -> PlacedObject:
    upper = quadrant <= 2
    category = _sample_category(rng, background.kind, upper, present)
    behind = backgrounds.behind(background.view(), upper)
    name, paint = _sample_paint(rng, category, behind)
    size = rng.uniform(*category.size)
    rotation = round(rng.uniform(-category.tilt, category.tilt), 2)
    mirrored = bool(rng.integers(2))
    x0, y0, x1, y1 = extent(_draw(category.name, paint, rotation, mirrored))
    scale = 0.5 * size / max(x1 - x0, y1 - y0)
    wide, high = (x1 - x0) * scale, (y1 - y0) * scale
    left, top = 0.5 * ((quadrant - 1) % 2), 0.5 * ((quadrant - 1) // 2)
    x = rng.uniform(left + MARGIN, left + 0.5 - MARGIN - wide)
    highest, lowest = top + MARGIN + high, top + 0.5 - 1.5 * MARGIN  # heights of the foot
    if not category.flies:
        stand = background.horizon + 0.03 if upper else backgrounds.KINDS[background.kind].base
        highest = max(highest, min(stand, lowest))
    foot = rng.uniform(highest, lowest)
    box = tuple(round(float(v), 5) for v in (x, foot - high, x + wide, foot))
    size = round(max(box[2] - box[0], box[3] - box[1]) / 0.5, 4)
    return PlacedObject(quadrant, category.name, name, paint, size, rotation, mirrored, box)


def _sample_category(rng, kind, upper, present) -> Category:
    weights = np.array([c.upper if upper else c.lower for c in CATEGORIES])
    weights *= [3.0 if kind in c.likes else 1.0 for c in CATEGORIES]
    if upper and backgrounds.KINDS[kind].water:  # what stands would stand on the water
        weights *= [1.0 if c.flies or kind in c.likes else 0.3 for c in CATEGORIES]
    weights *= [0.15 if c.name in present else 1.0 for c in CATEGORIES]
    return CATEGORIES[int(rng.choice(len(CATEGORIES), p=weights / weights.sum()))]


def _sample_paint(rng, category, behind) -> tuple[str, Paint]:
    """A colour that stands out from what is behind, and a pale accent that does too."""
    distance = {name: contrast(NAMED[name], behind) for name in category.colors}
    clear = [name for name in category.colors if distance[name] >= CONTRAST]
    if len(clear) < 2:
        clear = sorted(category.colors, key=distance.get)[-2:]
    name = clear[int(rng.integers(len(clear)))]
    main = shifted(NAMED[name], rng.uniform(-0.018, 0.018), rng.uniform(0.92, 1.06))
    main = tuple(round(c, 1) for c in main)
    accents: list[Color] = [WHITE, (255, 236, 170), (190, 226, 250)]
    accents = [a for a in accents if contrast(a, behind) > 90 and contrast(a, main) > 150]
    accent = accents[int(rng.integers(len(accents)))] if accents else WHITE
    vary = tuple(round(float(v), 3) for v in rng.uniform(0.0, 1.0, 3))
    return name, Paint(main, accent, vary)


def render(scene: Scene, size: int, omit=()) -> np.ndarray:
    """The picture, uint8 [size, size, 3], without the objects of the quadrants in `omit`."""
    rng = np.random.default_rng([scene.seed, scene.index, 1])  # details that no truth names
    background = scene.background
    kind = backgrounds.KINDS[background.kind]
    # the place is soft, so it needs less supersampling than the objects
    place_painter = Painter(size, background.light, supersampling=2)
    kind.paint(place_painter, background.view(), rng)
    painter = Painter(size, background.light, backdrop=place_painter.finish())
    for thing in scene.objects:
        if thing.quadrant not in omit:
            _shadow(painter, thing)
            for shape in thing.shapes():
                painter.fill(shape)
    picture = np.asarray(painter.finish(), np.float32)
    x = np.linspace(-1.0, 1.0, size, dtype=np.float32)
    grain = rng.standard_normal((size, size), dtype=np.float32) * kind.grain
    light = 5.0 * background.light * x[None, :] - 3.0 * x[:, None]  # the lit side is brighter
    picture += (grain + light)[:, :, None]
    return np.clip(picture + 0.5, 0.0, 255.0).astype(np.uint8)


def _shadow(painter: Painter, thing: PlacedObject) -> None:
    """A soft shadow that stays in the quadrant: at the foot, or faint behind what flies."""
    x0, y0, x1, y1 = thing.box
    x, y = thing.center
    left, top = 0.5 * ((thing.quadrant - 1) % 2), 0.5 * ((thing.quadrant - 1) // 2)
    clip = (left, top, left + 0.5, top + 0.5)
    wide, high = x1 - x0, y1 - y0
    dark = darken(INK, 0.3)
    if BY_NAME[thing.category].flies and thing.quadrant <= 2:
        blur = 0.02 * painter.light
        painter.soft(x - blur, y + 0.03, 0.66 * wide, 0.62 * high, dark, 0.22, clip)
        return
    cast_x = x - 0.12 * painter.light * wide
    reach = min(cast_x - left, left + 0.5 - cast_x)  # a cut-off shadow would show its edge
    if BY_NAME[thing.category].flies:
        painter.soft(cast_x, 0.972, min(0.5 * wide, reach), 0.028, dark, 0.4, clip)
    else:
        painter.soft(cast_x, y1 - 0.01, min(0.62 * wide, reach), 0.05, dark, 0.62, clip)
        painter.soft(x, y1 - 0.006, 0.42 * wide, 0.024, dark, 0.5, clip)
