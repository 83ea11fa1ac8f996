"""A dataset of TensorFlow Datasets as a folder of photos with COCO's annotations.

The encoded files are written as they are, so nothing is compressed a second time. Needs the extra
`tfds`; everything else here works without it.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from lorbms_tf.data import tfds_photos
from lorbms_tf.errors import UserError
from lorbms_tf.files import atomic_directory, read_json, write_json
from lorbms_tf.progress import track

IMAGES = "images"
ANNOTATIONS = "annotations.json"


def parse(text: str) -> tuple[str, str]:
    """ "voc/2007:train" -> ("voc/2007", "train"). Raises UserError where either is missing."""
    name, _, split = text.partition(":")
    if not name or not re.fullmatch(r"[\w\[\]:%+]+", split):
        raise UserError(f"--tfds={text} is not valid: NAME:SPLIT, such as voc/2007:train")
    return name, split


def unpack(text: str, folder: Path, data_dir: str | None = None) -> Path:
    """Writes the photos of a split to a folder, or finds them there from an earlier time.

    Args:
      text: NAME:SPLIT.
      folder: gets `images/` and `annotations.json`, with boxes where the dataset has "objects" with
        "bbox" and "label". Must be absent, empty, or hold this very split.
      data_dir: where TensorFlow Datasets keeps its files; None: its own default.

    Returns the annotation file. Raises UserError where the folder holds something else, the package
    is not installed, or the dataset has no images.
    """
    name, split = parse(text)
    found = folder / ANNOTATIONS
    if found.is_file():
        info = read_json(found).get("info", {})
        if info.get("tfds") == {"name": name, "split": split}:
            return found
        raise UserError(f"--images={folder} holds another dataset than --tfds={text}")
    opened = tfds_photos.examples("--tfds", name, split, data_dir)
    examples, labels = opened.each, _labels(opened.features)
    with atomic_directory(folder) as temporary:
        (temporary / IMAGES).mkdir()
        document = _write(track(examples, total=opened.total, label="unpacking"), temporary, labels)
        document["info"] = {"tfds": {"name": name, "split": split}}
        write_json(temporary / ANNOTATIONS, document)
    return found


def _labels(features: Any) -> list[str]:
    """Names of the classes of "objects", a sequence of "bbox" and "label"; [] without boxes."""
    if "objects" not in features:
        return []
    each = getattr(features["objects"], "feature", None)  # of a Sequence
    if not hasattr(each, "keys") or not {"bbox", "label"} <= set(each.keys()):
        return []
    return list(each["label"].names)


def _write(examples: Iterator[dict], folder: Path, labels: list[str]) -> dict[str, Any]:
    images, annotations = [], []
    for number, example in enumerate(examples, start=1):
        encoded = bytes(example["image"])
        with Image.open(io.BytesIO(encoded)) as opened:
            (width, height), kind = opened.size, (opened.format or "").lower()
        file_name = f"{number:08d}.{'jpg' if kind == 'jpeg' else kind}"
        (folder / IMAGES / file_name).write_bytes(encoded)
        size = {"width": width, "height": height}
        images.append({"id": number, "file_name": file_name, **size})
        if not labels:
            continue
        things = example["objects"]
        for (y0, x0, y1, x1), label in zip(things["bbox"], things["label"], strict=True):
            box = [x0 * width, y0 * height, (x1 - x0) * width, (y1 - y0) * height]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": int(label) + 1,
                    "bbox": [round(float(value), 3) for value in box],
                }
            )
    categories = [{"id": number, "name": name} for number, name in enumerate(labels, start=1)]
    return {"images": images, "annotations": annotations, "categories": categories}
