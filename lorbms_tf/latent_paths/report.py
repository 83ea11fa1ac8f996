"""What `lorbms_tf.paths` shows: a table, a plot of cumulative length, strips and films."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from lorbms_tf import files
from lorbms_tf.data import images
from lorbms_tf.latent_paths.measuring import Measured, Results
from lorbms_tf.pages import charts, html, pictures

_COLUMNS = {
    "length_over_linear": "length / linear",
    "largest_over_mean_step": "largest / mean step",
    "middle_brightness_error": "middle: brightness",
    "middle_contrast_error": "contrast",
    "perceived_variation": "variation seen",
    "middle_frechet": "Frechet",
}
_COLOURS = ("a", "b", "c", "d", "e")  # of the page
_FRAME_MS = 80
_STRIP = 9  # pictures of a strip


def table(results: Results) -> str:
    """Means over pairs, a row a metric; lengths and steps with their deviation; then cautions."""
    names = [n for n in _COLUMNS if any(n in m.scores for m in results.metrics.values())]
    rows = [["path", "by", *(_COLUMNS[name] for name in names)]]
    for metric, measured in results.metrics.items():
        scores = measured.scores
        cells = [f"{scores[n]:.3f}" for n in names]
        for place, name in enumerate(names):
            if f"{name}_sd" in scores:
                cells[place] += f" +- {scores[f'{name}_sd']:.3f}"
        rows.append([metric, scores["measured_by"], *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    texts = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    cautions = [
        one.scores["caution"] for one in results.metrics.values() if "caution" in one.scores
    ]
    return "\n".join([*texts, *(f"caution: {text}" for text in dict.fromkeys(cautions))])


def line(results: Results) -> str:
    """One JSON line with a key a metric."""
    scores = {name: measured.scores for name, measured in results.metrics.items()}
    return json.dumps({**results.description, "whole": results.whole, **scores}, allow_nan=False)


def strips(metrics: dict[str, np.ndarray], pairs: int, cell: int = 96, shown: int = _STRIP):
    """A picture: for each of some pairs a strip a metric.

    metrics: pictures [P, K, S, S, C] in [-1, 1] by name.
    """
    rows, titles = [], []
    for pair in range(pairs):
        for name, made in metrics.items():
            places = np.linspace(0, made.shape[1] - 1, min(shown, made.shape[1])).round()
            rows.append([_rgb(made[pair, int(place)]) for place in places])
            titles.append(name)
    return pictures.sheet(rows, row_titles=titles, cell=cell)


def _rgb(picture: np.ndarray) -> np.ndarray:
    pixels = images.to_uint8(picture)
    return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels


def chart(metrics: dict[str, Measured]) -> str:
    """The mean cumulative length of the paths by their step, as SVG, with a legend."""
    colours = [_COLOURS[number % len(_COLOURS)] for number in range(len(metrics))]
    lines = []
    for colour, (name, measured) in zip(colours, metrics.items(), strict=True):
        values = measured.cumulative.mean(axis=0)
        lines.append(charts.Curve(name, colour, np.arange(len(values)), values))
    steps = max(len(line.values) for line in lines) - 1
    entries = [(c, name, False) for c, name in zip(colours, metrics, strict=True)]
    drawn = charts.svg_text(charts.curves(lines, steps), "Cumulative length by step")
    return html.legend(entries) + drawn


def write(results: Results, folder: Path, drawn_pairs: int, video: bool) -> list[Path]:
    """Writes strips.png, paths.html, paths.json, and films; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "paths.json"]
    with files.atomic_path(paths[0]) as temporary:
        temporary.write_text(line(results) + "\n", "utf-8")
    body = (
        "<h1>Paths between codes</h1>"
        + html.section(
            "Cumulative length",
            "Shares of the whole length after each step, means over pairs, each path by its own "
            "metric. A straight line: all steps are equal.",
            chart(results.metrics),
        )
        + html.section("Scores", "", f"<pre>{html.escape(table(results))}</pre>")
    )
    paths.append(folder / "paths.html")
    with files.atomic_path(paths[1]) as temporary:
        temporary.write_text(html.page("Paths between codes", body), "utf-8")
    made = {name: measured.pictures for name, measured in results.metrics.items()}
    count = len(next(iter(made.values())))
    if drawn_pairs:
        drawn = strips(made, min(drawn_pairs, count))
        paths.append(pictures.save(drawn, folder / "strips.png"))
    if video:
        paths += [_film(made, pair, folder) for pair in range(min(max(1, drawn_pairs), count))]
    return paths


def _film(made: dict[str, np.ndarray], pair: int, folder: Path) -> Path:
    """All metrics' paths of a pair beside each other, there and back, as an animated WebP."""
    frames = frames_of([part[pair] for part in made.values()], list(made))
    path = folder / f"pair_{pair + 1:02d}.webp"
    with files.atomic_path(path) as temporary:
        frames[0].save(
            temporary, "WEBP", save_all=True, append_images=frames[1:], duration=_FRAME_MS, loop=0
        )
    return path


def frames_of(paths: Sequence[np.ndarray], names: Sequence[str]) -> list[Image.Image]:
    """Frames that go along paths [K, S, S, C] and back; a column a name."""
    there = list(range(len(paths[0])))
    return [
        pictures.sheet([[_rgb(path[step]) for path in paths]], column_titles=names, cell=128)
        for step in [*there, *there[-2:0:-1]]
    ]
