"""References with the nearest candidates of each quadrant, to judge by eye (thesis, figure 3.7)."""

import itertools

import numpy as np
from PIL import Image

from lorbms_tf import pictures, quadrants
from lorbms_tf.data import records
from lorbms_tf.data.images import decode_jpeg
from lorbms_tf.data.records import Record

CELL = 96  # pixels


def pick(records_per_shard: dict[str, int], count: int, seed: int) -> list[Record]:
    """Draws `count` different records (or all, where there are fewer) from shard files.

    records_per_shard: how many records each file holds. Returned in the order of the shards.
    """
    ends = np.cumsum(list(records_per_shard.values()))
    total = int(ends[-1]) if len(ends) else 0
    chosen = np.random.default_rng(seed).choice(total, min(count, total), replace=False)
    picked = []
    for path, end, size in zip(records_per_shard, ends, records_per_shard.values(), strict=True):
        numbers = sorted(int(n - (end - size)) for n in chosen if end - size <= n < end)
        if numbers:
            shard = itertools.islice(records.read_shard(path), numbers[-1] + 1)
            raw = [data for number, data in enumerate(shard) if number in numbers]
            picked.extend(records.deserialize(data) for data in raw)
    return picked


def draw(picked: list[Record]) -> Image.Image:
    """One row for each quadrant of each record.

    From the left: the reference with the quadrant outlined, that quadrant alone, then the same
    quadrant of its ten candidates, nearest first, with the squared distance below.
    """
    rows, captions, titles = [], [], []
    for record in picked:
        reference = decode_jpeg(record.image)
        for q, name in enumerate(quadrants.NAMES):
            candidates = [decode_jpeg(image) for image in record.candidate_images[q]]
            outlined = pictures.draw_mask(reference, np.arange(4) == q, side=CELL)
            cropped = [quadrants.quadrant(image, q) for image in [reference, *candidates]]
            rows.append([outlined, *cropped])
            captions.append([record.photo_id, None, *map(_short, record.distances[q])])
            titles.append(name)
    columns = ["reference", "quadrant"]
    columns += [str(number) for number in range(1, records.NUM_CANDIDATES + 1)]
    return pictures.sheet(rows, columns, titles, captions, cell=CELL)


def _short(distance: float) -> str:
    return f"{distance:.0f}" if distance >= 1000 else f"{distance:.3g}"
