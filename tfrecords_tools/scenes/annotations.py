"""The truth of scenes in COCO's format, with keys of our own beside COCO's.

An image has `scene` (the place and, for q1..q4, what is there); an annotation has `quadrant`
(1 top left, 2 top right, 3 bottom left, 4 bottom right), `color`, `center`, `size`, `rotation` and
`mirrored`. Boxes, polygons and centres are in pixels.
"""

import math
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from tfrecords_tools.scenes.colors import rounded
from tfrecords_tools.scenes.objects import CATEGORIES, CATEGORY_IDS
from tfrecords_tools.scenes.scene import PlacedObject, Scene

IMAGES = "images"
ANNOTATIONS = "annotations/instances.json"


def file_name(image_id: int) -> str:
    """The picture of an image id (from 1) in the folder `images`."""
    return f"{image_id:06d}.jpg"


def document(settings: dict[str, Any], images: list[dict], annotations: list[dict]) -> dict:
    """The whole JSON. settings: what the scenes depend on, kept as info["synthesis"]."""
    return {
        "info": {
            "description": "Drawn scenes of four objects, one in each quadrant",
            "version": "1.0",
            "synthesis": settings,
        },
        "licenses": [
            {
                "id": 1,
                "name": "Apache License 2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            }
        ],
        "categories": [
            {"id": CATEGORY_IDS[c.name], "name": c.name, "supercategory": c.supercategory}
            for c in CATEGORIES
        ],
        "images": images,
        "annotations": annotations,
    }


def image_entry(scene: Scene, size: int) -> dict[str, Any]:
    """The entry of a scene drawn `size` pixels a side; its image id is index + 1."""
    image_id = scene.index + 1
    background = scene.background
    return {
        "id": image_id,
        "file_name": file_name(image_id),
        "width": size,
        "height": size,
        "license": 1,
        "scene": {
            "background": background.kind,
            "palette": [background.sky, background.ground],
            "horizon": background.horizon,
            "light": "left" if background.light < 0 else "right",
            "hue": background.hue,
            "brightness": background.brightness,
            "quadrants": {
                f"q{thing.quadrant}": {
                    "category": thing.category,
                    "color": thing.color,
                    "center": _pixels(thing.center, size),
                    "annotation_id": _annotation_id(image_id, thing),
                }
                for thing in scene.objects
            },
        },
    }


def object_entries(scene: Scene, size: int) -> list[dict[str, Any]]:
    """The annotations of the scene's four objects."""
    return [_object_entry(scene.index + 1, thing, size) for thing in scene.objects]


def _object_entry(image_id: int, thing: PlacedObject, size: int) -> dict[str, Any]:
    x0, y0, x1, y1 = thing.box
    outlines = [np.round(shape.points * size, 1) for shape in thing.shapes() if shape.body]
    return {
        "id": _annotation_id(image_id, thing),
        "image_id": image_id,
        "category_id": CATEGORY_IDS[thing.category],
        "bbox": _pixels((x0, y0, x1 - x0, y1 - y0), size),
        "area": _area(outlines),
        "iscrowd": 0,
        "segmentation": [outline.ravel().tolist() for outline in outlines],  # their union
        "quadrant": thing.quadrant,
        "color": {
            "name": thing.color,
            "rgb": list(rounded(thing.paint.main)),
            "accent": list(rounded(thing.paint.accent)),
        },
        "center": _pixels(thing.center, size),
        "size": thing.size,
        "rotation": thing.rotation,
        "mirrored": thing.mirrored,
    }


def _annotation_id(image_id: int, thing: PlacedObject) -> int:
    return 4 * (image_id - 1) + thing.quadrant


def _pixels(shares, size: int) -> list[float]:
    return [round(share * size, 2) for share in shares]


def _area(outlines: list[np.ndarray], fineness: int = 4) -> float:
    """Pixels inside the union of the outlines, counted on a grid `fineness` times as fine."""
    points = np.concatenate(outlines)
    start = np.floor(points.min(axis=0))
    wide, high = (math.ceil(v) + 1 for v in points.max(axis=0) - start)
    mask = Image.new("L", (wide * fineness, high * fineness))
    draw = ImageDraw.Draw(mask)
    for outline in outlines:
        # half a cell back, because Pillow's polygons include their border
        draw.polygon(((outline - start) * fineness - 0.5).ravel().tolist(), fill=1)
    return round(mask.histogram()[1] / fineness**2, 1)
