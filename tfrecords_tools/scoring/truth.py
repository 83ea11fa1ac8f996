"""What annotations say of every quadrant of every version of a photo.

Boxes are mapped through the very square that a version was cut from, and mirrored where it was.
For the scenes of `tfrecords_tools.synthesize` the truth beside the boxes is used: the centre of
each object, its colour, and the kind of place.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lorbms_tf.errors import UserError
from lorbms_tf.quadrants import NUM_QUADRANTS
from tfrecords_tools import coco, versions, voc

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


@dataclass(frozen=True)
class Truth:
    """All photos of an annotation file, by photo id and by file name.

    categories, colours, backgrounds: names; photos hold their numbers. The last two are empty for
    photographs.
    """

    photos: dict[str, PhotoTruth]
    categories: list[str]
    colours: list[str]
    backgrounds: list[str]

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
    areas: float32 [W, 4, C], share of the quadrant that boxes of a category cover, at most 1.
    colours: bool [W, 4, K]. backgrounds: int [W], -1 for unknown.
    """

    row: np.ndarray
    known: np.ndarray
    categories: np.ndarray
    areas: np.ndarray
    colours: np.ndarray
    backgrounds: np.ndarray


def load(annotations: str | os.PathLike) -> Truth:
    """Reads a COCO file of boxes, the instances.json of synthesized scenes, or a VOC folder.

    Crowd regions and annotations without a box are left out. Raises UserError where the file
    cannot be used.
    """
    is_folder = Path(annotations).is_dir()
    dataset = voc.as_coco(annotations) if is_folder else coco.load(annotations)
    try:
        return _load(dataset)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UserError(
            f"annotation file {annotations} cannot be scored by: images need width and height, "
            f"annotations a category_id of the categories ({reason})"
        ) from error


def _load(dataset: dict[str, Any]) -> Truth:
    names = {entry["id"]: entry["name"] for entry in dataset["categories"]}
    place = {key: number for number, key in enumerate(names)}
    colours: dict[str, int] = {}
    kinds: dict[str, int] = {}
    by_id: dict[Any, PhotoTruth] = {}
    photos: dict[str, PhotoTruth] = {}
    for image in dataset["images"]:
        truth = PhotoTruth(float(image["height"]), float(image["width"]))
        if "scene" in image:
            truth.background = kinds.setdefault(image["scene"]["background"], len(kinds))
        by_id[image["id"]] = photos[str(image["id"])] = truth
    for image in dataset["images"]:  # a plain folder's photo ids are paths
        photos.setdefault(image["file_name"], by_id[image["id"]])
    for entry in dataset.get("annotations", []):
        if not entry.get("bbox") or entry.get("iscrowd"):
            continue
        truth = by_id[entry["image_id"]]
        x, y, w, h = map(float, entry["bbox"])
        truth.boxes.append((x, y, w, h))
        truth.categories.append(place[entry["category_id"]])
        if truth.background >= 0:
            truth.centres.append((float(entry["center"][0]), float(entry["center"][1])))
            truth.colours.append(colours.setdefault(entry["color"]["name"], len(colours)))
    return Truth(photos, list(names.values()), list(colours), list(kinds))


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
    found = Labels(
        row=np.full(len(names), -1, np.int64),
        known=np.zeros(len(wanted), bool),
        categories=np.zeros((*shape, len(truth.categories)), bool),
        areas=np.zeros((*shape, len(truth.categories)), np.float32),
        colours=np.zeros((*shape, len(truth.colours)), bool),
        backgrounds=np.full(len(wanted), -1, np.int64),
    )
    found.row[wanted] = np.arange(len(wanted))
    for row, image in enumerate(wanted):
        photo_id, version = names[image]
        photo = truth.photos.get(photo_id)
        if photo is None:
            continue
        if version not in versions.VERSIONS:
            raise UserError(f"the version {version!r} of photo {photo_id} is none that has labels")
        found.known[row] = True
        found.backgrounds[row] = photo.background
        enter = _enter_centres if truth.drawn else _enter_boxes
        enter(found, row, photo, (version, photo_id, seed))
    return found


def _enter_centres(found: Labels, row: int, photo: PhotoTruth, cut: tuple) -> None:
    """A drawn object is in the quadrant where its centre is."""
    points = [(x, y, 0.0, 0.0) for x, y in photo.centres]
    for (x, y, _, _), category, colour in zip(
        map_boxes(points, photo, *cut),
        photo.categories,
        photo.colours,
        strict=True,
    ):
        if 0 <= x < 1 and 0 <= y < 1:
            q = 2 * int(y >= 0.5) + int(x >= 0.5)
            found.categories[row, q, category] = True
            found.colours[row, q, colour] = True


def _enter_boxes(found: Labels, row: int, photo: PhotoTruth, cut: tuple) -> None:
    """A box is in each quadrant that holds enough of it, or that it covers enough of."""
    mapped = map_boxes(photo.boxes, photo, *cut)
    inside = overlaps(mapped)  # [n, 4], of the quadrant
    whole = 4 * np.prod(mapped[:, 2:] - mapped[:, :2], axis=1)[:, None]  # [n, 1]
    there = (inside > 0) & ((inside >= LEAST_SHARE) | (inside >= LEAST_SHARE * whole))
    for n, category in enumerate(photo.categories):
        found.categories[row, there[n], category] = True
        found.areas[row, :, category] += inside[n]
    np.minimum(found.areas[row], 1, out=found.areas[row])
