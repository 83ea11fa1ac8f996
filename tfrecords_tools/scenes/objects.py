"""The categories: how each is drawn, its colours, and where in a scene it likes to be."""

from collections.abc import Callable
from dataclasses import dataclass

from tfrecords_tools.scenes import movers, things
from tfrecords_tools.scenes.shapes import Shape
from tfrecords_tools.scenes.things import Paint

BRIGHT = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink")


@dataclass(frozen=True)
class Category:
    """One kind of object.

    draw: Paint -> shapes. colors: names in `colors.NAMED`. upper, lower: how likely it is in the
    upper and the lower quadrants. tilt: the largest rotation in degrees. size: range of the
    longer side of its box as a share of the quadrant's side. flies: hangs in the air, with its
    shadow on the ground far below or none. likes: backgrounds in which it is three times as likely.
    """

    name: str
    supercategory: str
    draw: Callable[[Paint], list[Shape]]
    colors: tuple[str, ...] = BRIGHT
    upper: float = 1.0
    lower: float = 1.0
    tilt: float = 5.0
    size: tuple[float, float] = (0.64, 0.84)
    flies: bool = False
    likes: tuple[str, ...] = ()


_FUR = ("orange", "grey", "black", "brown", "cream")
_LEAVES = ("green", "forest", "orange", "red", "pink", "yellow")

CATEGORIES: tuple[Category, ...] = (
    Category(
        "car", "vehicle", movers.car, upper=0.3, lower=1.2, size=(0.74, 0.86), likes=("street",)
    ),
    Category("tree", "plant", things.tree, _LEAVES, upper=1.0, tilt=3, likes=("meadow", "snow")),
    Category(
        "house", "building", things.house, upper=0.9, tilt=2, likes=("meadow", "snow", "night")
    ),
    Category("ball", "toy", things.ball, upper=0.25, tilt=180, size=(0.55, 0.74), likes=("beach",)),
    Category("person", "person", things.person, upper=0.4, lower=1.2, size=(0.72, 0.86)),
    Category("boat", "vehicle", movers.boat, upper=0.7, lower=0.8, likes=("lake", "beach")),
    Category("cat", "animal", things.cat, _FUR, upper=0.25, likes=("room", "street")),
    Category(
        "flower", "plant", things.flower, upper=0.25, size=(0.7, 0.86), tilt=10, likes=("meadow",)
    ),
    Category("balloon", "vehicle", movers.balloon, upper=2.0, lower=0.3, tilt=8, flies=True),
    Category("mushroom", "plant", things.mushroom, upper=0.2, tilt=8, size=(0.6, 0.78)),
    Category("umbrella", "thing", movers.umbrella, upper=0.5, tilt=18, likes=("beach", "street")),
    Category("bird", "animal", movers.bird, upper=2.0, lower=0.5, tilt=14, flies=True),
    Category("kite", "toy", movers.kite, upper=1.8, lower=0.25, tilt=28, flies=True),
    Category("rocket", "vehicle", movers.rocket, upper=1.2, lower=0.4, tilt=32, flies=True),
)
BY_NAME = {category.name: category for category in CATEGORIES}
CATEGORY_IDS = {category.name: number for number, category in enumerate(CATEGORIES, 1)}
