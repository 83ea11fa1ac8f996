"""Pictures of what a model makes, from arrays: the columns of figure 4.2 and their like.

N references, images float [N, H, W, 3] in [-1, 1], masks bool [N, 4].
"""

import numpy as np
from PIL import Image

from lorbms_tf import mixing, pictures, quadrants
from lorbms_tf.data.images import to_uint8

SCENE_TITLES = ("I_ref", "I_q1", "I_q2", "I_q3", "I_q4", "pasted", "I_mix")


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
            taken = np.arange(quadrants.NUM_QUADRANTS) == i
            image = candidates[n, i]
            shown.append(pictures.draw_mask(image, taken, cell) if mask[n, i] else image)
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
