"""What annotations say of every quadrant of every version of a photo.

Boxes are mapped through the very square that a version was cut from, and mirrored where it was.
For the scenes of `tfrecords_tools.synthesize` the truth beside the boxes is used: the centre of
each object, its colour, and the kind of place.
"""

import functools
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lorbms_tf.data.file_names import skeleton
from lorbms_tf.data.quadrants import NUM_QUADRANTS
from lorbms_tf.errors import UserError
from lorbms_tf.files import is_dir
from tfrecords_tools import coco, versions, voc_source
from tfrecords_tools.notes import Notes
from tfrecords_tools.scoring import regions

LEAST_SHARE = 0.25  # of the box, or of the quadrant, that lies in the other: then it is "there"


Name = tuple[str, str]  # photo id and version


@dataclass
class PhotoTruth:
    """The annotation of one photo; lengths in pixels of the size that the annotations name."""

    height: float
    width: float
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)  # x, y, w, h
    categories: list[int] = field(default_factory=list)  # of each box
    centres: list[tuple[float, float]] = field(default_factory=list)  # x, y; drawn scenes only
    colours: list[int] = field(default_factory=list)  # of each centre
    background: int = -1

    @functools.cached_property
    def unions(self) -> tuple[np.ndarray, np.ndarray]:
        """What the boxes of each category cover, as boxes that do not overlap, and categories."""
        places = np.array(self.boxes, np.float64).reshape(-1, 4)
        corners = np.concatenate([places[:, :2], places[:, :2] + places[:, 2:]], axis=1)
        union, kinds = regions.disjoint_by_kind(corners, self.categories)
        return np.concatenate([union[:, :2], union[:, 2:] - union[:, :2]], axis=1), kinds


@dataclass(frozen=True)
class Truth:
    """All photos of an annotation file, by photo id and by file name.

    categories, colours, backgrounds: names; photos hold their numbers. The last two are empty for
    photographs.
    notes: what was odd in the file.
    """

    photos: dict[str, PhotoTruth]
    categories: list[str]
    colours: list[str]
    backgrounds: list[str]
    notes: Notes = field(default_factory=Notes)

    def photo(self, photo_id: str) -> PhotoTruth | None:
        """The annotation of a photo by its id; where that is a path, by one that looks the same."""
        found = self.photos.get(photo_id)
        return self._alike.get(skeleton(photo_id)) if found is None else found

    @functools.cached_property
    def _alike(self) -> dict[str, PhotoTruth | None]:
        """By skeleton; None where it is that of several photos."""
        photos: dict[str, PhotoTruth | None] = {}
        for name, photo in self.photos.items():
            other = photos.setdefault(skeleton(name), photo)
            if other is not photo:
                photos[skeleton(name)] = None
        return photos

    @property
    def drawn(self) -> bool:
        """Whether these are synthesized scenes."""
        return bool(self.backgrounds)


@dataclass(frozen=True)
class Labels:
    """What is in the quadrants of some of M images; W of them have labels.

    row: int [M], where an image stands in what follows; -1 where its labels were not asked for.
    known: bool [W], whether the photo is annotated.
    categories: bool [W, 4, C], which are in a quadrant.
    areas: float32 [W, 4, C], share of the quadrant that boxes of a category cover; where they
      overlap it counts once.
    regions: what they cover, kind by category; place 4 w + q is quadrant q of row w, and lengths
      are such that a quadrant has the area 1.
    colours: bool [W, 4, K]. backgrounds: int [W], -1 for unknown.
    """

    row: np.ndarray
    known: np.ndarray
    categories: np.ndarray
    areas: np.ndarray
    colours: np.ndarray
    backgrounds: np.ndarray
    regions: regions.Regions


def load(annotations: str | os.PathLike) -> Truth:
    """Reads a COCO file of boxes, the instances.json of synthesized scenes, or a VOC folder.

    Crowd regions and annotations without a box are left out, and so are faulty boxes, which are
    noted. Raises UserError where the file cannot be used, or tells no size of a photo.
    """
    if is_dir(annotations):
        content = voc_source.measured(voc_source.read(annotations), annotations)
    else:
        content = coco.read(annotations)
    try:
        return _load(content)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        reason = f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else error
        raise UserError(
            f"annotation file {annotations} cannot be scored by: images need width and height, "
            f"annotations a category_id of the categories ({reason})"
        ) from error


def _load(content: coco.Annotations) -> Truth:
    if not isinstance(content.categories, list):
        raise ValueError('it has no list "categories"')
    names = {coco.id_text(entry["id"]): entry["name"] for entry in content.categories}
    place = {key: number for number, key in enumerate(names)}
    colours: dict[str, int] = {}
    kinds: dict[str, int] = {}
    photos: dict[str, PhotoTruth] = {}
    for photo_id, image in content.images.items():
        truth = photos[photo_id] = PhotoTruth(
            _length(image, "height", photo_id), _length(image, "width", photo_id)
        )
        if "scene" in image:
            truth.background = kinds.setdefault(image["scene"]["background"], len(kinds))
        for box, entry in content.boxes.get(photo_id, ()):
            truth.boxes.append(box)
            truth.categories.append(place[_category(entry, place)])
            if truth.background >= 0:
                truth.centres.append((float(entry["center"][0]), float(entry["center"][1])))
                truth.colours.append(colours.setdefault(entry["color"]["name"], len(colours)))
    for photo_id, image in content.images.items():  # a plain folder's photo ids are paths
        photos.setdefault(image["file_name"], photos[photo_id])
    return Truth(photos, list(names.values()), list(colours), list(kinds), content.notes)


def _length(image: dict[str, Any], side: str, photo_id: str) -> float:
    """A side of a photo in pixels. ValueError where it is not told or none."""
    try:
        length = float(image.get(side, math.nan))
    except (TypeError, ValueError, OverflowError):
        length = math.nan
    if not 1 <= length < math.inf:
        told = f"has the {side} {image[side]}" if side in image else f"has no {side}"
        raise ValueError(f"image {photo_id}, {image['file_name']}, {told}")
    return length


def _category(entry: dict[str, Any], known: dict[str, int]) -> str:
    category = coco.id_text(entry.get("category_id"))
    if category not in known:
        raise ValueError(
            f"a box of image {coco.id_text(entry['image_id'])} has the category_id "
            f"{entry.get('category_id')}, which no category has"
        )
    return category


def map_boxes(boxes: np.ndarray, truth: PhotoTruth, version: str, photo_id: str, seed: int):
    """Boxes of a photo to the square of one of its versions, exactly as its pixels are cut.

    Args:
      boxes: float [n, 4], x, y, width, height in pixels of the photo.
      truth: for the photo's size.
      version: a name in `versions.VERSIONS`.
      photo_id: with `seed` it fixes the crop.
      seed: of the build's crops.

    Returns float [n, 4]: x0, y0, x1, y1 in units of the square's side, so that what is seen lies
    in [0, 1]; not clipped.
    """
    top, left, side = versions.square_place(
        round(truth.height), round(truth.width), version, photo_id, seed
    )
    x, y, w, h = np.asarray(boxes, np.float64).reshape(-1, 4).T
    x0, x1 = (x - left) / side, (x + w - left) / side
    y0, y1 = (y - top) / side, (y + h - top) / side
    if versions.VERSIONS[version].mirrored:
        x0, x1 = 1 - x1, 1 - x0
    return np.stack([x0, y0, x1, y1], axis=1)


def overlaps(mapped: np.ndarray) -> np.ndarray:
    """Area of each box inside each quadrant: [n, 4] of `map_boxes` -> [n, 4 quadrants].

    In units of a quadrant's area: 1 where the box covers it.
    """
    inside = np.empty((len(mapped), NUM_QUADRANTS))
    for q in range(NUM_QUADRANTS):
        row, column = divmod(q, 2)
        across = np.minimum(mapped[:, 2], (column + 1) / 2) - np.maximum(mapped[:, 0], column / 2)
        down = np.minimum(mapped[:, 3], (row + 1) / 2) - np.maximum(mapped[:, 1], row / 2)
        inside[:, q] = 4 * np.maximum(across, 0) * np.maximum(down, 0)
    return inside


_NOTHING = (np.empty((0, 4)), np.empty(0, np.int64))


def labels(truth: Truth, names: Sequence[Name], wanted: np.ndarray, seed: int) -> Labels:
    """The labels of some images.

    Args:
      truth: see `load`.
      names: photo id and version of each of M images.
      wanted: int [W], the different images that are asked for.
      seed: of the build's crops.

    Raises UserError where a version is not one of `versions.VERSIONS`.
    """
    shape = (len(wanted), NUM_QUADRANTS)
    row = np.full(len(names), -1, np.int64)
    row[wanted] = np.arange(len(wanted))
    known = np.zeros(len(wanted), bool)
    backgrounds = np.full(len(wanted), -1, np.int64)
    categories = np.zeros((*shape, len(truth.categories)), bool)
    areas = np.zeros(categories.shape, np.float32)
    colours = np.zeros((*shape, len(truth.colours)), bool)
    parts = []
    for number, image in enumerate(wanted):
        photo_id, version = names[image]
        photo = truth.photo(photo_id)
        if photo is None:
            parts += [_NOTHING] * NUM_QUADRANTS
            continue
        if version not in versions.VERSIONS:
            raise UserError(f"the version {version!r} of photo {photo_id} is none that has labels")
        known[number] = True
        backgrounds[number] = photo.background
        cut = (version, photo_id, seed)
        if truth.drawn:
            _enter_centres(categories[number], colours[number], photo, cut)
            parts += [_NOTHING] * NUM_QUADRANTS
        else:
            _enter_boxes(categories[number], photo, cut)
            parts += _covered(areas[number], photo, cut)
    covered = regions.Regions.of(parts)
    return Labels(row, known, categories, areas, colours, backgrounds, covered)


def _enter_centres(categories, colours, photo: PhotoTruth, cut: tuple) -> None:
    """Into bool [4, C] and [4, K]: a drawn object is in the quadrant where its centre is."""
    points = [(x, y, 0.0, 0.0) for x, y in photo.centres]
    for (x, y, _, _), category, colour in zip(
        map_boxes(points, photo, *cut),
        photo.categories,
        photo.colours,
        strict=True,
    ):
        if 0 <= x < 1 and 0 <= y < 1:
            q = 2 * int(y >= 0.5) + int(x >= 0.5)
            categories[q, category] = True
            colours[q, colour] = True


def _enter_boxes(categories: np.ndarray, photo: PhotoTruth, cut: tuple) -> None:
    """Into bool [4, C]: a box is where a quadrant holds enough of it, or it covers enough."""
    mapped = map_boxes(photo.boxes, photo, *cut)
    inside = overlaps(mapped)  # [n, 4], of the quadrant
    whole = 4 * np.prod(mapped[:, 2:] - mapped[:, :2], axis=1)[:, None]  # [n, 1]
    there = (inside > 0) & ((inside >= LEAST_SHARE) | (inside >= LEAST_SHARE * whole))
    for n, category in enumerate(photo.categories):
        categories[there[n], category] = True


def _covered(areas: np.ndarray, photo: PhotoTruth, cut: tuple) -> list[tuple]:
    """What boxes cover of each quadrant: rectangles and categories, four times.

    Enters their areas into [4, C].
    """
    unions, kinds = photo.unions
    mapped = map_boxes(unions, photo, *cut)
    inside = overlaps(mapped)
    np.add.at(areas.T, kinds, inside)
    parts = []
    for q in range(NUM_QUADRANTS):
        row, column = divmod(q, 2)
        there = inside[:, q] > 0
        low = np.array([column, row] * 2)
        parts.append((np.clip(2 * mapped[there], low, low + 1), kinds[there]))
    return parts
