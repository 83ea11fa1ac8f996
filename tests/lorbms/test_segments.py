"""Segments on a grid of cells: their shapes, what a cell is taken from, training and serving."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.data import quadrants
from lorbms_tf.distances.draws import Draws
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.swap_matrix import swap_matrix
from lorbms_tf.loaded import Loaded
from lorbms_tf.lorbms import chunk_paths, mixing, objective, segments, sheets
from lorbms_tf.lorbms.building import build_networks
from lorbms_tf.lorbms.config import ModelConfig
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.training import checkpoints
from tests import tiny

GRID = {
    "grid": 4,
    "mixing": "segments",
    "encoder_layers": (1, 1, 1),
    "decoder_layers": (1, 1, 1),
    "decoder_widths": (4, 4, 4),
}
STRIDED = {**GRID, "strided_widths": (3, 4), "decoder_separate_blocks": 1}
SHAPE = "0110001000000000"  # two cells of the first row and one below


def pieces(mask, side):
    """In how many connected parts the cells of a mask lie, by a flood fill."""
    left, count = {divmod(int(cell), side) for cell in np.flatnonzero(mask)}, 0
    while left:
        count, edge = count + 1, [left.pop()]
        while edge:
            row, column = edge.pop()
            for step in (
                (row + 1, column),
                (row - 1, column),
                (row, column + 1),
                (row, column - 1),
            ):
                if step in left:
                    left.remove(step)
                    edge.append(step)
    return count


@pytest.mark.parametrize("side", (2, 4))
def test_segments_are_connected_and_of_all_sizes_and_places(side):
    drawn = np.asarray(segments.random_segments(600, side, Draws(tf.constant(3), 0)))
    assert drawn.shape == (600, side * side) and drawn.dtype == bool
    assert {pieces(mask, side) for mask in drawn} == {1}
    sizes = drawn.sum(axis=1)
    assert set(sizes) == set(range(1, side * side))
    expected = 600 / (side * side - 1)
    assert 0.3 * expected < np.bincount(sizes)[1:].min()  # equally likely: 40 or 200 each
    assert drawn.mean(axis=0).min() > 0.35 and drawn.mean(axis=0).max() < 0.65
    again = segments.random_segments(600, side, Draws(tf.constant(3), 0))
    np.testing.assert_array_equal(again, drawn)
    other = segments.random_segments(600, side, Draws(tf.constant(4), 0))
    assert (np.asarray(other) != drawn).any()


def test_what_a_flood_fill_calls_two_pieces_is_two():
    assert pieces(quadrants.parse_mask("1001"), 2) == 2
    assert pieces(quadrants.parse_mask(SHAPE, 4), 4) == 1


def test_cells_lie_in_quadrants():
    np.testing.assert_array_equal(quadrants.of_cells(2), [0, 1, 2, 3])
    expected = [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    np.testing.assert_array_equal(quadrants.of_cells(4).reshape(4, 4), expected)
    values = np.array([[10.0, 20, 30, 40]])
    np.testing.assert_array_equal(
        np.asarray(segments.by_cell(values, 4)).reshape(4, 4)[[0, 3]],
        [[10, 10, 20, 20], [30, 30, 40, 40]],
    )
    assert segments.by_cell(values, 2) is values
    used = segments.candidates_in(quadrants.parse_mask(SHAPE, 4)[None])
    np.testing.assert_array_equal(used, [[True, True, False, False]])


def test_chunks_of_four_cells_and_back():
    codes = np.arange(32, dtype=np.float32).reshape(1, 4, 4, 2)
    chunks = np.asarray(quadrants.chunks(codes))
    assert chunks.shape == (1, 4, 8)
    np.testing.assert_array_equal(chunks[0, 1], codes[0, :2, 2:].reshape(-1))
    np.testing.assert_array_equal(quadrants.from_chunks(chunks, 4), codes)


def test_each_cell_comes_from_the_same_place_of_its_quadrants_candidate():
    codes = np.arange(4 * 16, dtype=np.float32).reshape(1, 4, 4, 4, 1)
    taken = np.asarray(mixing.candidate_chunks(codes))[0, :, 0]
    expected = 16 * quadrants.of_cells(4) + np.arange(16)
    np.testing.assert_array_equal(taken, expected)
    reference = np.full((1, 4, 4, 1), -1.0, np.float32)
    mask = quadrants.parse_mask(SHAPE, 4)
    mixed = np.asarray(mixing.mix_corners(reference, taken[None, :, None], mask[None]))
    np.testing.assert_array_equal(mixed.reshape(-1), np.where(mask, expected, -1))
    whole = np.asarray(mixing.mix_corners(reference, taken[None, :, None], np.eye(4)[[1]] > 0))
    assert (whole[0, :2, 2:] >= 16).all() and (whole == -1).sum() == 12


def test_labels_say_of_each_pair_which_cells_it_gave():
    mask = quadrants.parse_mask(SHAPE, 4)[None]
    labels = np.asarray(mixing.classifier_labels(mask))
    assert labels.shape == (1, 4, 16)
    assert np.flatnonzero(labels[0, 0]).tolist() == [1]
    assert np.flatnonzero(labels[0, 1]).tolist() == [2, 6]
    assert not labels[0, 2:].any()
    four = np.asarray(mixing.classifier_labels(np.array([[True, False, True, True]])))
    np.testing.assert_array_equal(four[0], np.diag([1, 0, 1, 1]))


def test_pasted_cells_are_the_candidates_pixels():
    rng = np.random.default_rng(0)
    reference = rng.uniform(-1, 1, (1, 8, 8, 3)).astype(np.float32)
    candidates = rng.uniform(-1, 1, (1, 4, 8, 8, 3)).astype(np.float32)
    mask = quadrants.parse_mask(SHAPE, 4)
    pasted = np.asarray(mixing.paste_quadrants(reference, candidates, mask[None]))[0]
    expected = reference[0].copy()
    expected[0:2, 2:4] = candidates[0, 0, 0:2, 2:4]
    expected[0:4, 4:6] = candidates[0, 1, 0:4, 4:6]
    np.testing.assert_array_equal(pasted, expected)


@pytest.mark.parametrize("changes", (GRID, STRIDED), ids=("dense", "strided"))
def test_networks_make_four_by_four_cells_of_the_same_images(changes):
    config = tiny.config(**changes)
    config.validate()
    networks = build_networks(config)
    batch = tiny.random_batch(2)
    codes = networks.encoder(batch["reference"])
    assert codes.shape == (2, 4, 4, 4)
    assert networks.decoder(codes).shape == (2, 32, 32, 3)
    draws = Draws(tf.constant(1), 0)
    scene, distances = objective.scene(networks, batch, config, 2.0, draws)
    logits, labels = objective.answers(networks.classifier, scene.mix, scene, config)
    assert scene.mask.shape == distances.shape == (2, 16)
    assert logits.shape == labels.shape == (2, 4, 16)
    # All candidates encoded, or only those that are used: the same scene.
    whole = objective.forward(networks, *scene[:3], dynamic=False)
    np.testing.assert_allclose(whole.mix, scene.mix, atol=1e-5)
    own = codes.numpy().reshape(2, 16, 4)
    for b, mask in enumerate(scene.mask.numpy()):
        for cell in np.flatnonzero(mask):
            candidate = batch["candidates"][b, quadrants.of_cells(4)[cell]][None]
            own[b, cell] = networks.encoder(candidate).numpy().reshape(16, 4)[cell]
    np.testing.assert_allclose(scene.mix, networks.decoder(own.reshape(2, 4, 4, 4)), atol=1e-5)


def test_candidates_replace_whole_quadrants_of_four_cells():
    config, batch = tiny.config(**{**GRID, "mixing": "candidates"}), tiny.random_batch(2)
    scene = objective.scene(build_networks(config), batch, config, 2.0, Draws(0, 0))[0]
    mask = np.asarray(mixing.replacement_mask(batch["distances"], 2.0))
    np.testing.assert_array_equal(scene.mask, mask[:, quadrants.of_cells(4)])


def test_a_step_repeats_from_a_checkpoint(tmp_path):
    config, batch = tiny.config(**STRIDED, generator_updates=1), tiny.random_batch(2)
    model = Lorbms(config, seed=3)
    model.compile_optimizers()
    assert all(np.isfinite(float(value)) for value in model.train_step(batch).values())
    checkpoints.Checkpoints(tmp_path, model).save(1)
    first = {k: float(v) for k, v in model.train_step(batch).items()}
    again = Lorbms(config, seed=4)
    again._seed = 3
    again.compile_optimizers()
    checkpoints.Checkpoints(tmp_path, again).restore()
    assert {k: float(v) for k, v in again.train_step(batch).items()} == first


def test_served_mixes_take_a_bit_a_cell():
    model, batch = Lorbms(tiny.config(**STRIDED), seed=1), tiny.random_batch(1)
    served = Loaded(model)
    specs = {spec.name: spec.shape for spec in served.signatures["mix"].inputs}
    assert specs["mask"] == (None, 16)
    given = [batch[name][0].numpy() for name in ("reference", "candidates")]
    codes = served.outputs("mix", *given, SHAPE)["codes"]
    mask = quadrants.parse_mask(SHAPE, 4)
    expected = model.mix_codes(batch["reference"], batch["candidates"], mask[None])[1]
    np.testing.assert_allclose(codes, expected[0], atol=1e-6)
    with pytest.raises(UserError, match="16 digits for the 4x4 cells"):
        served.mix(*given, "0110")


def test_swaps_and_paths_take_all_cells_of_a_quadrant():
    images = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 3)).astype(np.float32)

    def encode(images):  # each cell is the pixels of its place
        tiles = np.asarray(images).reshape(-1, 4, 2, 4, 2, 3).transpose(0, 1, 3, 2, 4, 5)
        return tiles.reshape(-1, 4, 4, 12)

    def decode(codes):
        tiles = np.asarray(codes).reshape(-1, 4, 4, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5)
        return tiles.reshape(-1, 8, 8, 3)

    found = swap_matrix(encode, decode, images)
    np.testing.assert_allclose(found.follows, np.eye(4), atol=1e-6)
    np.testing.assert_allclose(found.cycle_error, 0, atol=1e-9)
    start, end = np.zeros((1, 4, 4, 2), np.float32), np.ones((1, 4, 4, 2), np.float32)
    mask = quadrants.parse_mask(SHAPE, 4)[None]
    middle = np.asarray(chunk_paths.between(start, end, mask, 0.25))
    np.testing.assert_allclose(middle[..., 0].reshape(1, -1), 0.25 * mask)
    corner = np.asarray(chunk_paths.between(start, end, np.eye(4)[[3]] > 0, 0.25))
    assert corner[0, 2:, 2:].min() == 0.25 and corner.sum() == 0.25 * 8


def test_sheets_draw_the_cells():
    grey, mask = np.zeros((1, 8, 8, 3), np.float32), quadrants.parse_mask(SHAPE, 4)[None]
    candidates = np.zeros((1, 4, 8, 8, 3), np.float32)
    with_mask, without = (
        np.asarray(sheets.scene_sheet(grey, candidates, one, grey)) for one in (mask, mask & False)
    )
    assert (with_mask != without).any()
    assert sheets.transfer_sheet(grey, grey, mask, grey).size[0] > 0


def test_two_cells_a_side_are_the_thesis():
    assert ModelConfig().grid == 2
    config, batch = tiny.config(mixing="segments"), tiny.random_batch(3)
    scene = objective.scene(build_networks(config), batch, config, 2.0, Draws(5, 0))[0]
    assert scene.mask.shape == (3, 4) and set(np.sum(scene.mask, axis=1)) <= {1, 2, 3}
