"""Pictures of `lorbms_tf.render` that set inversions beside what is known: figures 2, 4 and 7."""

import numpy as np
from PIL import Image

from lorbms_tf.data.images import to_uint8
from lorbms_tf.deepsim import preservation, trained
from lorbms_tf.deepsim.sheet_configs import NeighboursConfig, PreservationConfig, SamplesConfig
from lorbms_tf.evaluation import tables
from lorbms_tf.evaluation.neighbours import nearest
from lorbms_tf.pages import pictures


def preserved(config: PreservationConfig) -> Image.Image:
    """A column a photo with a disc on it, a row a run, with its mean errors of place and hue."""
    photos = trained.photos(config, max(config.measured, config.rows))
    marks = preservation.marked(photos)
    shown = np.unique(np.linspace(0, len(photos) - 1, config.rows).round().astype(int))
    rows, titles, table = [[to_uint8(marks.images[n]) for n in shown]], ["photo\nwith disc"], []
    for name, run in trained.runs(config).items():
        with_disc, without = (run.decode(run.encode(one)) for one in (marks.images, photos))
        lost = preservation.errors(marks, photos, with_disc, without)
        place, hue = 100 * lost.place.mean(), lost.hue.mean()
        rows.append([to_uint8(with_disc[n]) for n in shown])
        titles.append(f"{name}\nplace {place:.1f} %\nhue {hue:.0f}°")
        table.append([name, f"{place:.3f}", f"{hue:.3f}"])
    if config.table:
        header = ["run", "error of place, % of the side", "error of hue, degrees"]
        tables.write_csv(config.table, [header, *table])
    return pictures.sheet(rows, row_titles=titles, cell=config.cell)


def neighbours(config: NeighboursConfig) -> Image.Image:
    """A row a photo: inversions, and the training photo nearest in pixels and in each layer."""
    images, known = trained.photos(config, config.rows), trained.training_photos(config)
    columns = {"photo": images}
    found = {"nearest\nin pixels": known[nearest(known, images)[:, 0]]}
    for name, run in trained.runs(config).items():
        features = run.encode(images)
        columns[name] = run.decode(features)
        title = f"nearest in\n{run.config.layer} of {name}"
        found[title] = known[nearest(run.encode(known), features)[:, 0]]
    columns |= found
    rows = [[to_uint8(column[n]) for column in columns.values()] for n in range(len(images))]
    return pictures.sheet(rows, column_titles=list(columns), cell=config.cell)


def samples(config: SamplesConfig) -> Image.Image:
    """Pictures of random codes, rows a run: a vae's from the standard normal distribution.

    Of other runs each number of the features is drawn by its mean and deviation over photos.
    """
    rows, titles = [], []
    for name, run in trained.runs(config).items():
        shape = (config.rows * config.columns, *run.model.feature_shape)
        codes = np.random.default_rng(config.seed).standard_normal(shape).astype(np.float32)
        if run.config.mode != "vae":
            features = run.encode(trained.photos(config, config.measured))
            codes = features.mean(axis=0) + features.std(axis=0) * codes
        made = [to_uint8(one) for one in run.decode(codes)]
        for row in range(config.rows):
            rows.append(made[row * config.columns : (row + 1) * config.columns])
            titles.append("" if row else name)
    return pictures.sheet(rows, row_titles=titles, cell=config.cell)
