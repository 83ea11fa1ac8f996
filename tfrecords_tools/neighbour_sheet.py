"""References with the nearest candidates of each quadrant, to judge by eye (thesis, figure 3.7)."""

import itertools
from collections.abc import Iterable

import numpy as np
from PIL import Image

from lorbms_tf.data import quadrants, records
from lorbms_tf.data.images import decode_jpeg
from lorbms_tf.data.records import Record
from lorbms_tf.pages import pictures

CELL = 96  # pixels


def pick(records_per_shard: dict[str, int], count: int, seed: int) -> list[Record]:
    """Draws `count` different records (or all, where there are fewer) from shard files.

    records_per_shard: how many records each file holds. Returned in the order of the shards.
    """
    total = sum(records_per_shard.values())
    chosen = np.random.default_rng(seed).choice(total, min(count, total), replace=False)
    return [record for _, record in sorted(read(records_per_shard, chosen).items())]


def read(records_per_shard: dict[str, int], numbers: Iterable[int]) -> dict[int, Record]:
    """Records by number, counted from 0 over all the shard files in order."""
    found = {}
    wanted, start = sorted(set(map(int, numbers))), 0
    for path, size in records_per_shard.items():
        inside = {number - start for number in wanted if start <= number < start + size}
        if inside:
            shard = itertools.islice(records.read_shard(path), max(inside) + 1)
            for number, data in enumerate(shard):
                if number in inside:
                    found[start + number] = records.deserialize(data)
        start += size
    return found


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
