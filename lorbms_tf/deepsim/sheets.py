"""The pictures of `lorbms_tf.render` for DeePSiM: figures 1, 3, 5, 6, 8 and 9 of the supplement."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from lorbms_tf.data.images import to_uint8
from lorbms_tf.deepsim import trained
from lorbms_tf.deepsim.sheet_configs import (
    FeaturePathsConfig,
    InversionsConfig,
    ReencodingsConfig,
)
from lorbms_tf.evaluation import tables
from lorbms_tf.pages import charts, formats, pictures

_WIDTH, _HEIGHT, _DENSITY = 480, 300, 144


def held_out(images: np.ndarray, made: np.ndarray, again: np.ndarray) -> Image.Image:
    """A row a photo: itself, its inversion, and what is left after some passes."""
    rows = [
        [to_uint8(np.asarray(one)) for one in row] for row in zip(images, made, again, strict=True)
    ]
    return pictures.sheet(rows, column_titles=["photo", "inverted", "4 passes"])


def inversions(config: InversionsConfig) -> Image.Image:
    """A row a photo, a column a run. UserError for runs and photos that cannot be used."""
    images = trained.photos(config, config.rows)
    columns = {"photo": images}
    for name, run in trained.runs(config).items():
        columns[name] = run.decode(run.encode(images))
    rows = [[to_uint8(column[n]) for column in columns.values()] for n in range(len(images))]
    return pictures.sheet(rows, column_titles=list(columns), cell=config.cell)


def feature_paths(config: FeaturePathsConfig) -> Image.Image:
    """A row a pair and run: photo, the pictures between, photo."""
    images = trained.photos(config, 2 * config.rows)
    pairs = len(images) // 2
    # Far from each other in the folder, so that they are of two classes where it is sorted.
    start, end = images[:pairs], images[len(images) - pairs :]
    rows, titles = [], []
    for name, run in trained.runs(config).items():
        made = run.paths(start, end, config.steps)
        for n in range(pairs):
            rows.append([to_uint8(one) for one in (start[n], *made[n], end[n])])
            titles.append(name)
    return pictures.sheet(rows, row_titles=titles, cell=config.cell)


def reencodings(config: ReencodingsConfig) -> Image.Image:
    """A row an iteration of each run, a column a photo; below, the curves of the drift."""
    images = trained.varied(trained.photos(config, max(config.measured, config.rows)))
    shown = np.unique(np.linspace(0, len(images) - 1, config.rows).round().astype(int))
    rows, titles, curves = [[to_uint8(images[n]) for n in shown]], ["photo"], {}
    iterations = sorted(set(config.iterations))
    for name, run in trained.runs(config).items():
        made = run.reencodings(images, iterations)
        curves[name] = run.drift(images, made)
        rows += [[to_uint8(one[n]) for n in shown] for one in made.values()]
        titles += [f"{name}\n{number}" for number in made]
    if config.table:
        write_table(config.table, iterations, curves)
    sheet = pictures.sheet(rows, row_titles=titles, cell=config.cell)
    return _stacked(sheet, drift_chart(iterations, curves))


def drift_chart(
    iterations: Sequence[int], curves: Mapping[str, Mapping[str, np.ndarray]]
) -> Image.Image:
    """Normalised errors over passes: a full line in features, a dotted one in images, a run."""
    chart, axes = charts.figure(_WIDTH, _HEIGHT)
    chart.patch.set(visible=True, facecolor="white")
    for number, (name, values) in enumerate(curves.items()):
        for space, style in (("feature", "solid"), ("image", "dotted")):
            axes.plot(
                iterations,
                values[space],
                color=f"C{number % 10}",
                linestyle=style,
                marker="o",
                markersize=3,
                label=f"{name}: {space}s",
            )
    axes.set(xlabel="passes", ylabel="normalised error", ylim=(0, None))
    axes.grid(axis="y")
    charts.ticks(axes.xaxis, 7, formats.count, whole=True)
    axes.legend(fontsize=9)
    buffer = io.BytesIO()
    chart.savefig(buffer, format="png", dpi=_DENSITY)
    return Image.open(buffer).convert("RGB")


def write_table(
    path: str, iterations: Sequence[int], curves: Mapping[str, Mapping[str, np.ndarray]]
) -> None:
    """The curves as CSV, a row an iteration. UserError where the file cannot be written."""
    columns = {
        f"{name} {space}": values[space] for name, values in curves.items() for space in values
    }
    rows = [["passes", *columns]]
    for index, number in enumerate(iterations):
        rows.append([str(number), *(f"{values[index]:.4f}" for values in columns.values())])
    tables.write_csv(path, rows)


def _stacked(upper: Image.Image, lower: Image.Image) -> Image.Image:
    size = (max(upper.width, lower.width), upper.height + lower.height)
    picture = Image.new("RGB", size, pictures.PAPER)
    picture.paste(upper, (0, 0))
    picture.paste(lower, (0, upper.height))
    return picture
