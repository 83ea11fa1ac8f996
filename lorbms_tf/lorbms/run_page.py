"""The page on one run: each section a function from what is known of it to HTML.

What is not there, because the run has not come so far or was copied in part, is said.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from lorbms_tf.data.images import encode_jpeg
from lorbms_tf.data.quadrants import NAMES, PLACES
from lorbms_tf.lorbms import run_curves
from lorbms_tf.lorbms.config import LorbmsConfig
from lorbms_tf.pages import charts, formats, html

_QUALITY = 90
_SAYS = {
    "psnr": "reconstructions of held-out references, dB; higher is better",
    "ssim": "structural similarity of reconstructions, at most 1",
    "mix_fidelity": "share of the mixes' quadrants that are nearer to the source that the mask "
    "says than to the other one",
    "swap_locality": "1: each chunk rules its own quadrant alone; 0: chunks say nothing of places",
    "swap_cycle_error": "encode the swapped picture again: distance to what was decoded, in units "
    "of the distance between two photos; 0 is ideal",
    "frechet": "Fréchet distance of features to the real images; lower is better",
    "kernel": "kernel distance of features; lower is better",
    "precision": "share of the pictures that lie among the real images' features",
    "recall": "share of the real images that lie among the pictures' features",
    "classifier_score": "sure about each picture, varied over all; higher is better",
    "swd_paired": "the same with patches from the same places of a reference and its "
    "reconstruction; 0 for a copy",
    "swd": "sliced Wasserstein distance of patches; lower is better",
}


@dataclass
class Described:
    """What is known of one run. Empty where it is not there.

    missing: sentences that say what is not there, and why.
    facts: (name, value) rows: what the run is, and where it comes from.
    parameters: (network, count). scores: by name. protocol: how they were measured.
    earlier: lines of `lorbms_tf.evaluate`. follows, cycle_error: the swap matrix, [4, 4].
    sheets: (title, how to read it, picture). scalars: see `run_curves`.
    datasets: (title, content of a dataset.json).
    """

    name: str
    config: LorbmsConfig
    missing: list[str] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    parameters: list[tuple[str, int]] = field(default_factory=list)
    scores: Mapping[str, float] = field(default_factory=dict)
    protocol: str = ""
    earlier: list[Mapping[str, Any]] = field(default_factory=list)
    score_names: Sequence[str] = ()
    follows: np.ndarray | None = None
    cycle_error: np.ndarray | None = None
    sheets: list[tuple[str, str, Image.Image]] = field(default_factory=list)
    scalars: run_curves.Scalars = field(default_factory=dict)
    datasets: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)


def page(run: Described, footer: str) -> str:
    """The whole page."""
    sheets = [
        html.section(title, note, _picture(image, title)) for title, note, image in run.sheets
    ]
    titles = ["Scores", *(["Swap matrix"] if run.follows is not None else [])]
    titles += [title for title, _, _ in run.sheets]
    titles += [run_curves.TITLE, "The run", "Configuration"]
    parts = [
        _head(run),
        html.navigation(titles),
        _scores(run),
        _swaps(run),
        *sheets,
        run_curves.section(run.scalars, run.config.autoencoder_steps),
        _facts(run),
        _configuration(run.config),
        f"<footer>{html.escape(footer)}</footer>",
    ]
    return html.page(f"Run {run.name}", "".join(parts))


def shown(name: str, value: float) -> str:
    """A score with its unit."""
    if not np.isfinite(value):
        return "∞" if value > 0 else "–"
    if name == "psnr":
        return f"{value:.2f} dB"
    return formats.percent(value) if name == "mix_fidelity" else f"{value:.4g}"


def _head(run: Described) -> str:
    tiles = [(shown(name, value), _title(name)) for name, value in run.scores.items()][:5]
    total = next((count for name, count in run.parameters if name == "total"), None)
    if total:
        tiles.append((formats.count(total), "parameters"))
    missing = "".join(html.paragraph(text, "note") for text in run.missing)
    size = f"{run.config.image_size} px"
    line = html.paragraph(f"LORBMS: object representations by mixing scenes · {size}", "soft")
    title = f"<h1>Run {html.escape(run.name)}</h1>"
    return f"<header>{title}{line}{html.tiles(tiles) if tiles else ''}{missing}</header>"


def _title(name: str) -> str:
    return name.upper() if name in ("psnr", "ssim") else name.replace("_", " ")


def _picture(image: Image.Image, text: str) -> str:
    jpeg = encode_jpeg(np.asarray(image.convert("RGB")), _QUALITY)
    return html.figure(jpeg, "", "picture", text)


def _scores(run: Described) -> str:
    parts = []
    if run.scores:
        rows = [
            [_title(name), shown(name, value), _says(name)] for name, value in run.scores.items()
        ]
        parts.append(html.table(["score", "value", "what it says"], rows, [1]))
    else:
        parts.append(html.paragraph("Nothing was scored for this page.", "soft"))
    if run.earlier:
        names = run.score_names
        header = ["run", "step", "records", *map(_title, names)]
        rows = [
            [str(line.get("run_dir", "–")), str(line.get("step", "–")),
             f"{line.get('records', '–')} of {line.get('records_glob', '–')}",
             *(_cell(name, line.get(name)) for name in names)]
            for line in run.earlier
        ]  # fmt: skip
        table = html.table(header, rows, [1, *range(3, len(header))])
        title = "Scores that lorbms_tf.evaluate has written"
        parts += [html.heading(title), _score_curves(run), table]
    return html.section("Scores", run.protocol, *parts)


def _score_curves(run: Described) -> str:
    """A chart of each score that was measured at several steps (figure 3.10); "" without any."""
    last = max((line["step"] for line in run.earlier if "step" in line), default=0)
    panels = []
    for name in run.score_names:
        found: dict[str, list[tuple]] = {}
        for line in run.earlier:
            if "step" in line and isinstance(line.get(name), int | float):
                label = f"{line['run_dir']} on {line.get('records_glob', '–')}"
                found.setdefault(label, []).append((line["step"], line[name]))
        lines = [
            charts.Curve(label, colour, *map(np.array, zip(*sorted(points), strict=True)))
            for colour, (label, points) in zip(run_curves.COLOURS, found.items(), strict=False)
            if len({step for step, _ in points}) > 1
        ]
        if lines:
            panels.append(run_curves.panel(f"{_title(name)} by checkpoint", lines, last))
    return f'<div class="two">{"".join(panels)}</div>' if panels else ""


def _cell(name: str, value: Any) -> str:
    return shown(name, float(value)) if isinstance(value, int | float) else "–"


def _says(name: str) -> str:
    known = (text for key, text in _SAYS.items() if name == key or name.startswith(f"{key}_"))
    return next(known, "")


def _swaps(run: Described) -> str:
    if run.follows is None:
        return ""
    rows = [f"{name}, {place}" for name, place in zip(NAMES, PLACES, strict=True)]
    panels = []
    for title, values in (
        ("How far each quadrant follows", run.follows),
        ("Error after encoding again", run.cycle_error),
    ):
        svg = charts.svg_text(charts.matrix(values, rows, list(PLACES)), title)
        panels.append(f"<div>{html.heading(title)}{svg}</div>")
    note = (
        "One chunk of a photo's code (row) is replaced by another photo's, and the code decoded. "
        "Left: how far each quadrant (column) went from the first photo's reconstruction (0) to "
        "the second's (1); ideal is 1 on the diagonal and 0 elsewhere. Right: the picture is "
        "encoded again; squared distance of each chunk (column) to what was decoded, in units of "
        "that between two photos; ideal is 0."
    )
    return html.section("Swap matrix", note, f'<div class="two">{"".join(panels)}</div>')


def _facts(run: Described) -> str:
    counts = [[name.strip(), formats.count(count)] for name, count in run.parameters]
    parameters = ""
    if counts:
        parameters = html.heading("Trainable parameters (table 3.6 counts alike)")
        parameters += html.table(["network", "parameters"], counts, [1])
    datasets = [
        html.details(title, html.table(["", ""], [list(row) for row in formats.flatten(values)]))
        for title, values in run.datasets
    ]
    facts = html.table([], [list(row) for row in run.facts])
    return html.section("The run", "", facts, parameters, *datasets)


def _configuration(config: LorbmsConfig) -> str:
    default = LorbmsConfig()
    rows = [
        [f"--{f.name}", _text(getattr(config, f.name)), _text(getattr(default, f.name))]
        for f in dataclasses.fields(config)
    ]
    places = ("--records", "--eval_records", "--run_dir")
    other = [row for row in rows if row[1] != row[2] and row[0] not in places]
    header = ["flag", "this run", "thesis or default"]
    note = "What differs from the defaults, which are the thesis's; below all flags."
    table = html.table(header, other) if other else html.paragraph("Nothing differs.", "soft")
    everything = html.details("All flags", html.table(header[:2], [row[:2] for row in rows]))
    return html.section("Configuration", note, table, everything)


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
