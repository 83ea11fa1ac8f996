"""Writes scenes as a COCO-format folder, on any number of processes, always the same bytes."""

import functools
import json
import os
from pathlib import Path
from typing import Any

from lorbms_tf.data.images import encode_jpeg
from lorbms_tf.files import atomic_directory
from lorbms_tf.progress import track
from tfrecords_tools import in_order
from tfrecords_tools.scenes import annotations
from tfrecords_tools.scenes.scene import render, sample

JPEG_QUALITY = 93


def write(out: str | os.PathLike, settings: dict[str, Any], num_workers: int) -> dict[str, Any]:
    """Draws the scenes and writes `out`, whole or not at all.

    Args:
      out: the folder; absent or empty.
      settings: "images" (how many), "size" (pixels a side) and "seed" are read here; the whole is
        kept in the JSON.
      num_workers: processes, at least 1.

    Returns:
      The JSON's content.

    Raises:
      UserError: `out` holds something or cannot be written.
    """
    count = settings["images"]
    with atomic_directory(out) as folder:
        pictures = folder / annotations.IMAGES
        pictures.mkdir()
        work = functools.partial(_write_one, pictures, settings["seed"], settings["size"])
        images, objects = [], []
        scenes = in_order.results(work, count, num_workers)
        for image, its_objects in track(scenes, total=count, label="scenes", unit="scene"):
            images.append(image)
            objects += its_objects
        document = annotations.document(settings, images, objects)
        path = folder / annotations.ANNOTATIONS
        path.parent.mkdir()
        path.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    return document


def _write_one(pictures: Path, seed: int, size: int, index: int) -> tuple[dict, list[dict]]:
    scene = sample(seed, index)
    image = annotations.image_entry(scene, size)
    jpeg = encode_jpeg(render(scene, size), quality=JPEG_QUALITY)
    (pictures / image["file_name"]).write_bytes(jpeg)
    return image, annotations.object_entries(scene, size)
