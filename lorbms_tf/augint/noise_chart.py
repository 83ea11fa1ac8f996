"""The error of reconstructed noise over its frequency as a chart and a table (figure 1)."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from lorbms_tf.evaluation import tables
from lorbms_tf.pages import charts, formats

_WIDTH, _HEIGHT, _DENSITY = 480, 300, 144


def picture(
    frequencies: Sequence[int], curves: Mapping[str, np.ndarray], novel: Mapping[str, float]
) -> Image.Image:
    """A line for each model, and a dotted one at its error on photos of the novel domain.

    Args:
      frequencies: of the noise.
      curves: mean squared differences by the name of the model, as many as frequencies.
      novel: the same of the photos, a number each.
    """
    chart, axes = charts.figure(_WIDTH, _HEIGHT)
    chart.patch.set(visible=True, facecolor="white")
    for number, (name, values) in enumerate(curves.items()):
        colour = f"C{number % 10}"
        axes.plot(frequencies, values, color=colour, marker="o", markersize=3, label=name)
        axes.axhline(novel[name], color=colour, linestyle="dotted", label=f"{name}: photos")
    axes.set(xlabel="frequency of the noise", ylabel="squared error", ylim=(0, None))
    axes.grid(axis="y")
    charts.ticks(axes.xaxis, 7, formats.count, whole=True)
    axes.legend(fontsize=9)
    buffer = io.BytesIO()
    chart.savefig(buffer, format="png", dpi=_DENSITY)
    return Image.open(buffer).convert("RGB")


def write_table(
    path: str,
    frequencies: Sequence[int],
    curves: Mapping[str, np.ndarray],
    novel: Mapping[str, float],
) -> None:
    """The numbers of the chart as CSV: a row a frequency, the last one of the photos.

    Raises UserError where the file cannot be written.
    """
    rows = [["frequency", *curves]]
    for index, frequency in enumerate(frequencies):
        rows.append([str(frequency), *(f"{values[index]:.6f}" for values in curves.values())])
    rows.append(["photos", *(f"{novel[name]:.6f}" for name in curves)])
    tables.write_csv(path, rows)
