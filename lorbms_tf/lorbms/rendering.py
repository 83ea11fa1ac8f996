"""The pictures of `lorbms_tf.render` for the thesis's models: their flags, photos and records."""

import csv
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.data import images
from lorbms_tf.errors import UserError
from lorbms_tf.files import is_file, read_lines
from lorbms_tf.training.method import Sheet
from lorbms_tf.training.sheet_config import SheetConfig

PAIRS_PER_ROW = 2
_BATCH_SIZE = 16
_LOOKED_AT = 40  # references for each that `pasted` shows in a row: some masks are rare
_OF_RECORDS = ("records",)
_OF_TRANSFER = ("object", "scene", "pairs")
_BETWEEN_PHOTOS = ("transfer", "paths")


@dataclass(frozen=True, kw_only=True)
class RenderConfig(SheetConfig):
    """Which records or photos to draw."""

    records: str = setting("", "Glob of record files (scenes, reconstructions, pasted).")
    rows: int = setting(
        12, "Rows of the picture (scenes, reconstructions); examples in each row (pasted)."
    )
    seed: int = setting(0, "Seed of the drawn candidates (scenes, pasted).")
    max_bad_records: int = setting(
        0, "Leave out up to so many damaged records (scenes, reconstructions, pasted)."
    )
    object: str = setting("", "Photo that quadrants are taken from (transfer, paths).")
    scene: str = setting("", "Photo that they are put into (transfer, paths).")
    mask: str = setting(
        "",
        "Which quadrants, as 0010 for bottom left; of a model of --grid=4 which of the 16 cells, "
        "row by row (transfer, paths). With scenes: one or more masks, separated by commas, that "
        "rows take in turn instead of algorithm 1's.",
    )
    pairs: str = setting(
        "",
        "Instead of --object, --scene and --mask: a text file with a line OBJECT,SCENE,MASK for "
        "each row; paths relative to the file, # starts a comment (transfer, paths).",
    )
    steps: int = setting(7, "Pictures on the way, both ends included (paths).")

    def validate(self) -> None:
        """As `SheetConfig.validate`, for all settings."""
        super().validate()
        require("rows", self.rows, minimum=1)
        require("steps", self.steps, minimum=2, below=101)
        require("max_bad_records", self.max_bad_records, minimum=0)

    def check_flags_of(self, subcommand: str) -> None:
        """Raises UserError where a flag is missing, or belongs to another subcommand."""
        transfers = subcommand in _BETWEEN_PHOTOS
        for name in _OF_RECORDS if transfers else _OF_TRANSFER:
            if getattr(self, name):
                raise UserError(f"--{name} does not belong to `render {subcommand}`")
        if not transfers and not self.records:
            raise UserError(f"--records is required by `render {subcommand}`")
        if self.mask and subcommand in ("reconstructions", "pasted"):
            raise UserError(f"--mask does not belong to `render {subcommand}`")
        single = [name for name in ("object", "scene", "mask") if getattr(self, name)]
        if transfers and (bool(self.pairs) == bool(single) or (single and len(single) < 3)):
            raise UserError(
                f"`render {subcommand}` needs either --object, --scene and --mask, or --pairs"
            )


class Pair(NamedTuple):
    """One object transfer: the two photos and the mask, bool [4] or [cells]."""

    object: Path
    scene: Path
    mask: np.ndarray


def read_pairs(path: str, side: int = 2) -> list[Pair]:
    """The lines OBJECT,SCENE,MASK of a text file; paths are relative to the file's folder.

    side: of the grid that masks are of. Empty lines and lines that start with # are left out.
    Raises UserError naming the file, and the line where one is malformed.
    """
    from lorbms_tf.data import quadrants  # loads Keras

    texts = read_lines(path, f"--pairs={path}")
    try:
        lines = list(enumerate(csv.reader(texts, skipinitialspace=True), start=1))
    except csv.Error as error:
        raise UserError(f"--pairs={path} is not a text file of OBJECT,SCENE,MASK") from error
    pairs = []
    for number, words in lines:
        words = [word.strip() for word in words]
        if not any(words) or words[0].startswith("#"):
            continue
        if len(words) != 3:
            raise UserError(f"{path}, line {number}: OBJECT,SCENE,MASK expected, got {words}")
        try:
            mask = quadrants.parse_mask(words[2], side)
        except UserError as error:
            raise UserError(f"{path}, line {number}: {error}") from error
        for word in words[:2]:
            if not is_file(Path(path).parent / word):
                raise UserError(f"{path}, line {number}: there is no photo {word}")
        pairs.append(Pair(Path(path).parent / words[0], Path(path).parent / words[1], mask))
    if not pairs:
        raise UserError(f"--pairs={path} holds no line OBJECT,SCENE,MASK")
    return pairs


def _masks(texts: list[str], side: int) -> np.ndarray:
    """The masks of --mask: bool [n, side * side]."""
    from lorbms_tf.data import quadrants

    try:
        return np.stack([quadrants.parse_mask(text, side) for text in texts])
    except UserError as error:
        raise UserError(f"--mask: {error}") from error


def _read_transfers(config: RenderConfig, image_size: int, side: int):
    """The photos of all pairs, as `sheets.Transfers`."""
    from lorbms_tf.lorbms.sheets import Transfers

    if config.pairs:
        pairs = read_pairs(config.pairs, side)
    else:
        mask = _masks([config.mask], side)[0]
        pairs = [Pair(Path(config.object), Path(config.scene), mask)]
    return Transfers(
        np.stack([images.read_square(pair.object, image_size) for pair in pairs]),
        np.stack([images.read_square(pair.scene, image_size) for pair in pairs]),
        np.stack([pair.mask for pair in pairs]),
        [(pair.object.stem, pair.scene.stem) for pair in pairs],
    )


def _read_records(config: RenderConfig, image_size: int, subcommand: str):
    from lorbms_tf.data import pipeline
    from lorbms_tf.data.damage import BadRecords

    each = {"reconstructions": PAIRS_PER_ROW, "pasted": _LOOKED_AT}
    limit = config.rows * each.get(subcommand, 1)
    batches = pipeline.evaluation_batches(
        config.records,
        image_size,
        min(limit, _BATCH_SIZE),
        config.seed,
        limit,
        BadRecords(config.max_bad_records),
    )
    return pipeline.checked(batches, config.records)


def _draw_pasted(config: RenderConfig, tau: float, batches):
    from lorbms_tf.lorbms import mixing, sheets

    read = [{name: np.asarray(values) for name, values in batch.items()} for batch in batches]
    reference, candidates, distances = (
        np.concatenate([batch[name] for batch in read])
        for name in ("reference", "candidates", "distances")
    )
    mask = np.asarray(mixing.replacement_mask(distances, tau))
    return sheets.pasted_sheet(reference, candidates, mask, config.rows, config.cell)


def _draw_records(config: RenderConfig, model, batches, subcommand: str, masks):
    from lorbms_tf.lorbms import sheets
    from lorbms_tf.lorbms.scores import registry

    infer = model.infer if masks is None else partial(_infer_masked, model, masks)
    # Eagerly: for the few batches of a picture, tracing would take longer than running.
    rendered = registry.render_all(infer, batches)
    if subcommand == "reconstructions":
        return sheets.reconstructions_sheet(
            rendered.reference, rendered.reconstruction, PAIRS_PER_ROW, config.cell
        )
    return sheets.scene_sheet(
        rendered.reference,
        images.to_float(rendered.candidates),
        rendered.mask,
        rendered.mix,
        cell=config.cell,
    )


def _infer_masked(model, masks: np.ndarray, batch: dict) -> dict:
    """As `Lorbms.infer`, the rows of a batch mixed by some masks in turn."""
    mask = masks[np.arange(len(batch["reference"])) % len(masks)]
    codes, mixed = model.mix_codes(batch["reference"], batch["candidates"], mask)
    return {"mask": mask, "reconstruction": model.decode(codes), "mix": model.decode(mixed)}


def draw(subcommand: str, config: RenderConfig) -> Any:
    """Draws one picture, a Pillow image.

    Raises UserError for bad flags and files, each named with its valid values.
    """
    config.validate()
    config.check_flags_of(subcommand)
    from lorbms_tf.training import run_directory

    trained = run_directory.read_config(config.run_dir)
    image_size, side = trained.image_size, trained.grid
    several = subcommand == "scenes" and config.mask
    masks = _masks(config.mask.split(","), side) if several else None
    # All that is given is read before the model is loaded, which takes long: mistakes show at once.
    if subcommand in _BETWEEN_PHOTOS:
        given = _read_transfers(config, image_size, side)
    else:
        given = _read_records(config, image_size, subcommand)
    if subcommand == "pasted":  # which needs no model
        return _draw_pasted(config, trained.tau, given)
    model, _ = run_directory.load_model(config.run_dir, config.checkpoint)
    from lorbms_tf.lorbms import sheets

    if subcommand == "transfer":
        return sheets.draw_transfers(model, given, config.cell)
    if subcommand == "paths":
        return sheets.draw_paths(model, given, config.steps, config.cell)
    return _draw_records(config, model, given, subcommand, masks)


_SAYS = {
    "scenes": "references, candidates, and the scenes that are mixed of them (figure 4.2)",
    "transfer": "quadrants of one photo put into another (table 4.2)",
    "paths": "the way from one photo's code to another's",
    "reconstructions": "references beside their reconstructions, with PSNR",
    "pasted": "references beside their quadrants pasted, without a model (figure 3.8)",
}
SHEETS = {name: Sheet(RenderConfig, partial(draw, name), says) for name, says in _SAYS.items()}
