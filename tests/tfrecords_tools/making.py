"""Small photos and datasets that several tests start from."""

from pathlib import Path

import numpy as np
from PIL import Image

from lorbms_tf.data import dataset_file, records
from lorbms_tf.data.images import encode_jpeg
from lorbms_tf.files import write_json
from tfrecords_tools import assemble, neighbours
from tfrecords_tools.build_config import BuildConfig


def picture(number: int, height: int = 24, width: int = 24) -> np.ndarray:
    """Four flat colours, one a quadrant, that differ for each number. uint8 [height, width, 3]."""
    colours = np.random.default_rng(number).integers(0, 256, (2, 2, 3), np.uint8)
    return np.asarray(Image.fromarray(colours).resize((width, height), Image.Resampling.NEAREST))


def write_photos(folder: Path, count: int, height: int = 40, width: int = 48) -> Path:
    """Photos p000.png, p001.png, ... in a new folder."""
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(picture(number, height, width)).save(folder / f"p{number:03d}.png")
    return folder


def items_and_neighbours(count: int, image_size: int = 8):
    """`count` items of `picture` and their neighbours by colour."""
    images = [picture(number, image_size, image_size) for number in range(count)]
    items = [
        assemble.Item(f"p{number:03d}", "original", encode_jpeg(image))
        for number, image in enumerate(images)
    ]
    corners = np.stack(images)[:, [0, 0, -1, -1], [0, -1, 0, -1]]  # [N, 4, 3]
    names = [item.photo_id for item in items]
    return items, neighbours.search(corners.astype(np.float32), names, names)


def write_dataset(folder: Path, count: int = 14, num_shards: int = 2, image_size: int = 8) -> str:
    """Whole records with a dataset.json; returns their glob."""
    folder.mkdir(parents=True)
    items, found = items_and_neighbours(count, image_size)
    shards = assemble.write_shards(
        folder, "tiny", num_shards, items, found.indices, found.distances, image_size, seed=0
    )
    write_json(
        folder / records.DATASET_FILE,
        {"image_size": image_size, "num_records": count, "shards": shards},
    )
    return str(folder / "tiny.tfrecord-*")


def build_config(photos: Path, **changes) -> BuildConfig:
    """A build of the folder `photos` into its neighbour "out"."""
    values = {
        "images": str(photos),
        "out": str(photos.parent / "out"),
        "min_size": 16,
        "image_size": 32,
        "num_shards": 3,
        "num_workers": 2,
    }
    return BuildConfig(**{**values, **changes})


def content(folder) -> dict[str, bytes]:
    """The files below a folder but for what builds cost, which differs: path to bytes."""
    files = (path for path in Path(folder).rglob("*") if path.is_file())
    files = (path for path in files if path.name != dataset_file.COST_FILE)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def read_all(folder) -> list[records.Record]:
    """All records of a build in `folder`."""
    paths = records.find_shards(f"{folder}/data.tfrecord-*")
    return [records.deserialize(raw) for path in paths for raw in records.read_shard(path)]


def siblings(folder: Path) -> list[str]:
    """What lies beside a folder, itself included: shows what a build left behind."""
    return sorted(path.name for path in folder.parent.iterdir())
