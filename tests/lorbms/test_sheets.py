import numpy as np
import pytest

from lorbms_tf.lorbms import sheets
from lorbms_tf.pages import pictures

CELL, MARGIN = 64, 6
STRIDE = CELL + MARGIN


def cells(picture):
    """The cells of a sheet's first row, by their top left corners: below titles, left to right."""
    pixels = np.asarray(picture)
    inked = (pixels[:, MARGIN : MARGIN + CELL] != 255).any(axis=-1).all(axis=-1)
    top = int(np.argmax(inked))
    count = (pixels.shape[1] - MARGIN) // STRIDE
    return [
        pixels[top : top + CELL, MARGIN + c * STRIDE : MARGIN + c * STRIDE + CELL]
        for c in range(count)
    ]


def outlined(cell):
    """Which quadrants of a cell have the outline, bool [4]."""
    marked = (cell == pictures.REPLACED).all(axis=-1)
    return marked.reshape(2, CELL // 2, 2, CELL // 2).any(axis=(1, 3)).reshape(4)


def test_scene_sheet_draws_the_mask_on_pasted_and_on_each_candidate():
    grey = np.zeros((2, 8, 8, 3), np.float32)
    candidates = np.zeros((2, 4, 8, 8, 3), np.float32)
    mask = np.array([[False, False, True, True], [True, False, False, False]])
    drawn = cells(sheets.scene_sheet(grey, candidates, mask, grey, cell=CELL))
    assert len(drawn) == 7
    expected = [[0] * 4, [0] * 4, [0] * 4, [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 1, 1], [0] * 4]
    assert [outlined(cell).astype(int).tolist() for cell in drawn] == expected


def test_scene_sheet_may_show_the_reconstruction_second():
    grey = np.zeros((1, 8, 8, 3), np.float32)
    drawn = cells(
        sheets.scene_sheet(
            grey, np.zeros((1, 4, 8, 8, 3)), np.array([[1, 0, 0, 0]], bool), grey, grey + 1, CELL
        )
    )
    assert len(drawn) == 8
    assert drawn[0].mean() == 128 and drawn[1].mean() == 255


def test_transfer_sheet_fills_the_mask_tile():
    images = np.zeros((1, 8, 8, 3), np.float32)
    mask = np.array([[False, False, True, False]])
    picture = sheets.transfer_sheet(
        images, images + 1, mask, images, [("car", "street")], cell=CELL
    )
    drawn = cells(picture)
    assert len(drawn) == 5
    collage = drawn[3].reshape(2, CELL // 2, 2, CELL // 2, 3).mean(axis=(1, 3, 4)).reshape(4)
    assert collage.tolist() == [255, 255, 128, 255]
    assert outlined(drawn[2]).tolist() == mask[0].tolist()
    assert drawn[2][CELL * 3 // 4, CELL // 4].tolist() == list(pictures.REPLACED)


@pytest.mark.parametrize("count, columns, rows", [(1, 2, 1), (2, 4, 1), (3, 4, 2)])
def test_reconstructions_sheet_lays_pairs_side_by_side(count, columns, rows):
    images = np.zeros((count, 8, 8, 3), np.float32)
    picture = sheets.reconstructions_sheet(images, images + 0.5, cell=CELL)
    assert picture.width == MARGIN + columns * STRIDE
    assert picture.height > rows * STRIDE


def test_pasted_sheet_has_a_row_for_each_number_of_replaced_quadrants():
    grey = np.zeros((5, 8, 8, 3), np.float32)
    candidates = np.ones((5, 4, 8, 8, 3), np.float32)
    masks = np.array([[0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0], [0, 1, 1, 1]], bool)
    sheet = sheets.pasted_sheet(grey, candidates, masks, per_row=2, cell=CELL)
    first = cells(sheet)
    assert [outlined(cell).astype(int).tolist() for cell in first] == [
        [0] * 4, [1, 0, 0, 0], [0] * 4, [0, 0, 0, 1],
    ]  # fmt: skip
    assert first[1][8, 8].tolist() == [255] * 3  # the candidate's quadrant
    two = sheets.pasted_sheet(grey[:3], candidates[:3], masks[:3], per_row=2, cell=CELL)
    assert sheet.height - two.height >= CELL  # nothing with three replaced
