"""Pictures of what a model makes, from arrays: figure 4.2, table 4.2 and their like.

N rows, images float [N, H, W, 3] in [-1, 1], masks bool [N, 4] (True where the quadrant is
replaced), or [N, cells] of a larger grid. The door that reads flags and files is
`lorbms_tf.render`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from lorbms_tf.data import quadrants
from lorbms_tf.data.images import to_uint8
from lorbms_tf.evaluation.psnr import psnr
from lorbms_tf.lorbms import chunk_paths, mixing
from lorbms_tf.pages import pictures

SCENE_TITLES = ("I_ref", "I_q1", "I_q2", "I_q3", "I_q4", "pasted", "I_mix")
TRANSFER_TITLES = ("I_obj", "I_ref", "mask", "pasted", "I_mix")


class Transfers(NamedTuple):
    """P object transfers with their photos, float32 [P, S, S, 3] in [-1, 1]; masks bool [P, 4]."""

    objects: np.ndarray
    scenes: np.ndarray
    masks: np.ndarray
    names: list[tuple[str, str]]


def scene_sheet(
    reference, candidates, mask, mix, reconstruction=None, cell: int = 96
) -> Image.Image:
    """One row a reference: I_ref, I_q1 to I_q4, the pasted quadrants, I_mix (thesis, figure 4.2).

    Candidates whose quadrant is taken have that quadrant outlined; the pasted column shows the
    mask. With `reconstruction` a column I^_ref follows I_ref.

    Args:
      reference: [N, H, W, 3]; candidates: [N, 4, H, W, 3]; mask: bool [N, 4]; mix and
      reconstruction: [N, H, W, 3].
      cell: pixels a side of each cell.
    """
    mask = np.asarray(mask)
    pasted = to_uint8(mixing.paste_quadrants(reference, candidates, mask))
    reference, candidates, mix = to_uint8(reference), to_uint8(candidates), to_uint8(mix)
    rows, captions = [], []
    for n in range(len(reference)):
        shown = []
        for i in range(quadrants.NUM_QUADRANTS):
            taken = mask[n] & (quadrants.of_cells(quadrants.grid_side(len(mask[n]))) == i)
            image = candidates[n, i]
            shown.append(pictures.draw_mask(image, taken, cell) if taken.any() else image)
        outlined = pictures.draw_mask(pasted[n], mask[n], cell)
        row = [reference[n], *shown, outlined, mix[n]]
        caption = [None] * 5 + [quadrants.mask_text(mask[n]), None]
        if reconstruction is not None:
            row.insert(1, to_uint8(reconstruction[n]))
            caption.insert(1, None)
        rows.append(row)
        captions.append(caption)
    titles = list(SCENE_TITLES)
    if reconstruction is not None:
        titles.insert(1, "reconstructed")
    return pictures.sheet(rows, column_titles=titles, captions=captions, cell=cell)


def pasted_sheet(reference, candidates, mask, per_row: int = 5, cell: int = 96) -> Image.Image:
    """References beside their mixed codes' image equivalents (thesis, figure 3.8).

    A row each of one, two and three replaced quadrants, as far as there are any.

    Args:
      reference: [N, H, W, 3]; candidates: [N, 4, H, W, 3]; mask: bool [N, 4].
      per_row: examples in a row, the first ones.
      cell: pixels a side of each cell.
    """
    mask = np.asarray(mask)
    pasted = to_uint8(mixing.paste_quadrants(reference, candidates, mask))
    reference, rows, captions = to_uint8(reference), [], []
    for count in range(1, quadrants.NUM_QUADRANTS):
        chosen = np.flatnonzero(mask.sum(axis=1) == count)[:per_row]
        if len(chosen):
            outlined = [pictures.draw_mask(pasted[n], mask[n], cell) for n in chosen]
            pairs = zip((reference[n] for n in chosen), outlined, strict=True)
            rows.append([image for pair in pairs for image in pair])
            captions.append([c for n in chosen for c in (None, quadrants.mask_text(mask[n]))])
    titles = ["I_ref", "pasted"] * (max(map(len, rows)) // 2)
    return pictures.sheet(rows, column_titles=titles, captions=captions, cell=cell)


def transfer_sheet(
    objects, scenes, mask, mix, names: Sequence[tuple] | None = None, cell: int = 128
) -> Image.Image:
    """Table 4.2: an object's image, a scene, the mask, both pasted together, and the mix.

    Args:
      objects: I_obj [N, H, W, 3], the images that the masked quadrants come from.
      scenes: I_ref [N, H, W, 3], the images that they are put into.
      mask: bool [N, 4].
      mix: I_mix [N, H, W, 3].
      names: N captions (object, scene).
      cell: pixels a side of each cell.
    """
    mask = np.asarray(mask)
    collages = to_uint8(mixing.paste_quadrants(scenes, for_every_quadrant(objects), mask))
    objects, scenes, mix = to_uint8(objects), to_uint8(scenes), to_uint8(mix)
    rows, captions = [], []
    for n, bits in enumerate(mask):
        rows.append([objects[n], scenes[n], _mask_tile(bits, cell), collages[n], mix[n]])
        object_name, scene_name = names[n] if names else (None, None)
        captions.append([object_name, scene_name, quadrants.mask_text(bits), None, None])
    return pictures.sheet(rows, column_titles=TRANSFER_TITLES, captions=captions, cell=cell)


def path_sheet(
    objects, scenes, mask, frames: dict[str, np.ndarray], names: Sequence[tuple], cell: int = 128
) -> Image.Image:
    """The way from a scene to one that holds an object's quadrants; one row a kind of path.

    Args:
      objects: I_obj [N, H, W, 3], where the masked chunks end.
      scenes: I_ref [N, H, W, 3], where they start.
      mask: bool [N, 4].
      frames: by the name of the path, T decoded pictures [N, T, H, W, 3].
      names: N captions (object, scene).
      cell: pixels a side of each cell.
    """
    steps = next(iter(frames.values())).shape[1]
    shares = [f"t = {t:.2g}" for t in np.linspace(0, 1, steps)]
    objects, scenes = to_uint8(objects), to_uint8(scenes)
    rows, captions = [], []
    for n, bits in enumerate(np.asarray(mask)):
        outlined = pictures.draw_mask(objects[n], bits, cell)
        for path, made in frames.items():
            rows.append([scenes[n], *to_uint8(made[n]), outlined])
            captions.append([names[n][1], path, *[None] * (steps - 1), names[n][0]])
    titles = ["I_ref", *shares, "I_obj"]
    return pictures.sheet(rows, column_titles=titles, captions=captions, cell=cell)


def draw_transfers(model, given: Transfers, cell: int = 128) -> Image.Image:
    """The `transfer_sheet` of what a model makes of photos."""
    mixes = model.mix(given.scenes, for_every_quadrant(given.objects), given.masks)
    return transfer_sheet(given.objects, given.scenes, given.masks, mixes, given.names, cell=cell)


def draw_paths(model, given: Transfers, steps: int, cell: int = 128) -> Image.Image:
    """The `path_sheet` of what a model makes of photos, in `steps` pictures, both ends included."""
    start, end = model.encode(given.scenes), model.encode(given.objects)
    frames = {
        name: np.stack(
            [
                model.decode(chunk_paths.between(start, end, given.masks, float(t), path))
                for t in np.linspace(0, 1, steps)
            ],
            axis=1,
        )
        for name, path in chunk_paths.PATHS.items()
    }
    return path_sheet(given.objects, given.scenes, given.masks, frames, given.names, cell=cell)


def for_every_quadrant(images) -> np.ndarray:
    """Images [N, H, W, 3] as the candidate of each quadrant: [N, 4, H, W, 3]."""
    return np.stack([np.asarray(images)] * quadrants.NUM_QUADRANTS, axis=1)


def _mask_tile(mask: np.ndarray, side: int) -> np.ndarray:
    """Mask bool [4 or cells] -> uint8 [side, side, 3], the replaced ones filled."""
    cells = quadrants.grid_side(len(mask))
    tile = np.full((cells, cells, 3), 228, np.uint8)  # one light grey pixel a cell, row-major
    tile[mask.reshape(cells, cells)] = pictures.REPLACED
    return pictures.draw_mask(tile, [False] * len(mask), side)


def _psnr_captions(reference: np.ndarray, reconstruction: np.ndarray) -> list[str]:
    try:
        return [f"{score:.1f} dB" for score in psnr(reference, reconstruction)]
    except ValueError:  # of a broken model, whose pictures are drawn all the same
        return ["no PSNR"] * len(reference)


def reconstructions_sheet(
    reference, reconstruction, pairs_per_row: int = 2, cell: int = 128
) -> Image.Image:
    """References beside their reconstructions Dec(Enc(I_ref)), with the PSNR below each.

    Args:
      reference: [N, H, W, 3]; reconstruction: [N, H, W, 3].
      pairs_per_row: pairs side by side.
      cell: pixels a side of each cell.
    """
    scores = _psnr_captions(np.asarray(reference), np.asarray(reconstruction))
    reference, reconstruction = to_uint8(reference), to_uint8(reconstruction)
    rows, captions = [], []
    for n, score in enumerate(scores):
        if n % pairs_per_row == 0:
            rows.append([])
            captions.append([])
        rows[-1] += [reference[n], reconstruction[n]]
        captions[-1] += [None, score]
    titles = ["I_ref", "reconstruction"] * min(pairs_per_row, len(scores))
    return pictures.sheet(rows, column_titles=titles, captions=captions, cell=cell)
