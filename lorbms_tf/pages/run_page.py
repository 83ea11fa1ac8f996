"""The page on one run: each section a function from what is known of it to HTML.

What is not there, because the run has not come so far or was copied in part, is said.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from lorbms_tf.data.images import encode_jpeg
from lorbms_tf.pages import charts, formats, html, run_curves

_QUALITY = 90
# Flags that say where things lie, which is no difference between two trainings.
_PLACES = ("--records", "--eval_records", "--photos", "--eval_photos", "--run_dir")


@dataclass
class Described:
    """What is known of one run. Empty where it is not there.

    name: of the run. config: its settings. subtitle: what was trained, in some words.
    missing: sentences that say what is not there, and why.
    facts: (name, value) rows: what the run is, and where it comes from.
    parameters: (network, count); parameters_title: above them.
    score: (a name) -> its `evaluation.scores.Score`, for direction and unit; None: unknown.
    scores: by name. protocol: how they were measured.
    earlier: lines of `lorbms_tf.evaluate`, and score_names: the scores in them.
    sections: (title, how to read it, HTML) of the method's own, behind the scores.
    sheets: (title, how to read it, picture).
    scalars, charts, mark: see `run_curves.section`.
    datasets: (title, content of a dataset.json).
    """

    name: str
    config: Any
    subtitle: str = ""
    missing: list[str] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    parameters: list[tuple[str, int]] = field(default_factory=list)
    parameters_title: str = "Trainable parameters"
    score: Callable[[str], Any] = lambda name: None
    scores: Mapping[str, float] = field(default_factory=dict)
    protocol: str = ""
    earlier: list[Mapping[str, Any]] = field(default_factory=list)
    score_names: Sequence[str] = ()
    sections: list[tuple[str, str, str]] = field(default_factory=list)
    sheets: list[tuple[str, str, Image.Image]] = field(default_factory=list)
    scalars: run_curves.Scalars = field(default_factory=dict)
    charts: run_curves.Charts = ()
    mark: tuple[str, int] | None = None
    datasets: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)


def page(run: Described, footer: str) -> str:
    """The whole page."""
    sheets = [
        html.section(title, note, _picture(image, title)) for title, note, image in run.sheets
    ]
    titles = ["Scores", *(title for title, _, _ in [*run.sections, *run.sheets])]
    titles += [run_curves.TITLE, "The run", "Configuration"]
    parts = [
        _head(run),
        html.navigation(titles),
        _scores(run),
        *(html.section(*one) for one in run.sections),
        *sheets,
        run_curves.section(run.scalars, run.charts, run.mark),
        _facts(run),
        _configuration(run.config),
        f"<footer>{html.escape(footer)}</footer>",
    ]
    return html.page(f"Run {run.name}", "".join(parts))


def shown(score: Any, value: float) -> str:
    """A value of a score (None: an unknown one) with its unit."""
    if not np.isfinite(value):
        return "∞" if value > 0 else "–"
    return score.shown(value) if score else f"{value:.4g}"


def _head(run: Described) -> str:
    tiles = [(_shown(run, name, value), _title(name)) for name, value in run.scores.items()][:5]
    total = next((count for name, count in run.parameters if name == "total"), None)
    if total:
        tiles.append((formats.count(total), "parameters"))
    missing = "".join(html.paragraph(text, "note") for text in run.missing)
    size = getattr(run.config, "image_size", None)
    words = [run.subtitle or run.config.method, *([f"{size} px"] if size else [])]
    line = html.paragraph(" · ".join(words), "soft")
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
            [_title(name), _shown(run, name, value), getattr(run.score(name), "says", "")]
            for name, value in run.scores.items()
        ]
        parts.append(html.table(["score", "value", "what it says"], rows, [1]))
    else:
        parts.append(html.paragraph("Nothing was scored for this page.", "soft"))
    if run.earlier:
        names = run.score_names
        header = ["run", "step", "records", *map(_title, names)]
        rows = [
            [str(line.get("run_dir", "–")), str(line.get("step", "–")),
             f"{line.get('records', '–')} of {_source(line)}",
             *(_cell(run, name, line.get(name)) for name in names)]
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
                label = f"{line['run_dir']} on {_source(line)}"
                found.setdefault(label, []).append((line["step"], line[name]))
        lines = [
            charts.Curve(label, colour, *map(np.array, zip(*sorted(points), strict=True)))
            for colour, (label, points) in zip(run_curves.COLOURS, found.items(), strict=False)
            if len({step for step, _ in points}) > 1
        ]
        if lines:
            panels.append(run_curves.panel(f"{_title(name)} by checkpoint", lines, last))
    return f'<div class="two">{"".join(panels)}</div>' if panels else ""


def _source(line: Mapping[str, Any]) -> str:
    return str(line.get("records_glob", line.get("photos", "–")))


def _cell(run: Described, name: str, value: Any) -> str:
    return _shown(run, name, float(value)) if isinstance(value, int | float) else "–"


def _shown(run: Described, name: str, value: float) -> str:
    return shown(run.score(name), value)


def _facts(run: Described) -> str:
    counts = [[name.strip(), formats.count(count)] for name, count in run.parameters]
    parameters = ""
    if counts:
        parameters = html.heading(run.parameters_title)
        parameters += html.table(["network", "parameters"], counts, [1])
    datasets = [
        html.details(title, html.table(["", ""], [list(row) for row in formats.flatten(values)]))
        for title, values in run.datasets
    ]
    facts = html.table([], [list(row) for row in run.facts])
    return html.section("The run", "", facts, parameters, *datasets)


def _configuration(config: Any) -> str:
    default = type(config)()
    rows = [
        [f"--{f.name}", _text(getattr(config, f.name)), _text(getattr(default, f.name))]
        for f in dataclasses.fields(config)
    ]
    other = [row for row in rows if row[1] != row[2] and row[0] not in _PLACES]
    header = ["flag", "this run", "paper or default"]
    note = "What differs from the defaults, which are the paper's; below all flags."
    table = html.table(header, other) if other else html.paragraph("Nothing differs.", "soft")
    everything = html.details("All flags", html.table(header[:2], [row[:2] for row in rows]))
    return html.section("Configuration", note, table, everything)


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
