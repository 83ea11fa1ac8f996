"""References with the nearest candidates of each quadrant, as HTML (thesis, figure 3.7)."""

from collections.abc import Sequence

import numpy as np

from lorbms_tf.data import quadrants
from lorbms_tf.data.images import decode_jpeg, encode_jpeg
from lorbms_tf.data.records import Record
from lorbms_tf.pages import formats, html

_QUALITY = 90


def draw(picked: Sequence[Record], far: float = np.inf) -> str:
    """A grid for each record: the reference, then a row of candidates for each quadrant.

    picked: in the order shown. far: squared distances above it are marked.
    """
    grids = [f'<div class="sheet">{_cells(record, far)}</div>' for record in picked]
    return f'<div class="scroll">{"".join(grids)}</div>'


def _cells(record: Record, far: float) -> str:
    name = f"{record.photo_id} ({record.version})"
    cells = [html.figure(record.image, name, "reference")]
    for q, quadrant in enumerate(quadrants.NAMES):
        cells.append(f'<span class="name">{quadrant}</span>')
        cells.append(html.figure(_crop(record.image, q), "", "own", f"{name}, {quadrant}"))
        for c, image in enumerate(record.candidate_images[q]):
            distance = float(record.distances[q][c])
            candidate = f"{record.candidate_ids[q][c]} ({record.candidate_versions[q][c]})"
            style = "far" if distance > far else ""
            shown = formats.short(distance)
            cells.append(html.figure(_crop(image, q), shown, style, candidate))
    return "".join(cells)


def _crop(jpeg: bytes, q: int) -> bytes:
    pixels = quadrants.quadrant(decode_jpeg(jpeg), q)
    return encode_jpeg(np.ascontiguousarray(pixels), _QUALITY)


def worst(distances: np.ndarray, count: int) -> list[int]:
    """The references whose nearest candidates are farthest, in the mean over the quadrants.

    distances: [N, 4, 10]. Returns at most `count` numbers, the worst first; ties by the lower.
    """
    nearest = distances[:, :, 0].astype(np.float64).mean(axis=1)  # [N]
    return np.argsort(-nearest, kind="stable")[:count].tolist()
