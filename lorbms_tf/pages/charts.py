"""Charts as inline SVG: matplotlib draws them in the page's colours, so that they fit any theme.

A chart is a function from values to a matplotlib Figure; `svg_text` makes the `<svg>` of it.
"""

import hashlib
import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
from matplotlib import style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lorbms_tf.pages import formats, html

WIDTH = 520  # of a chart in half the page, in its own units: it is as wide as its place
# Name of a colour in the page's style -> what stands for it until the SVG is written.
COLOURS = {
    name: f"#c0de{n:02x}"
    for n, name in enumerate(dict.fromkeys(re.findall(r"--(\w+):", html.STYLE)))
}
_MOST_POINTS = 240
_MOST_DOTS = 12
_PEAK = 2.5  # a range this many times that of 98 % of the points is cut
_HOVER = "hover: "  # begins the id of what tells more under the pointer
_VARIABLES = {colour: f"var(--{name})" for name, colour in COLOURS.items()}
_SENTINEL = re.compile("|".join(_VARIABLES))
_FAMILY = re.compile(r"font-family: [^;]*(; |$)")
_SHORT_FONT = re.compile(r"font: (\S+) [^;]*")  # how older versions of matplotlib write it
_DECIMALS = re.compile(r"-?\d+\.\d+")
_NOT_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": COLOURS["soft"],
    "axes.labelcolor": COLOURS["soft"],
    "axes.labelsize": 11,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.h_pad": 0.09,
    "font.size": 11,
    "grid.color": COLOURS["line"],
    "lines.markersize": 6,
    "lines.linewidth": 2,
    "svg.fonttype": "none",
    "svg.hashsalt": "charts",
    "text.color": COLOURS["ink"],
    "text.parse_math": False,
    "xtick.color": COLOURS["soft"],
    "xtick.major.pad": 7,
    "xtick.major.size": 0,
    "ytick.color": COLOURS["soft"],
    "ytick.major.pad": 7,
    "ytick.major.size": 0,
}
# Decorates what draws: matplotlib's defaults, whatever the user has set, with the above.
themed = style.context(["default", _STYLE])


class Curve(NamedTuple):
    """Values over steps: its name, one of COLOURS, and n points."""

    name: str
    colour: str
    steps: np.ndarray
    values: np.ndarray


def figure(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty chart, in the SVG's units, without a background; call it from `themed` functions."""
    empty = Figure((width / 72, height / 72), dpi=72, layout="constrained")
    axes = empty.subplots()
    for background in (empty.patch, axes.patch):
        background.set_visible(False)
    return empty, axes


def ticks(axis: Axis, about: int, text: Callable[[float], str], whole: bool = False) -> None:
    """At most `about` intervals between round (or whole) numbers at an axis, shown by `text`."""
    axis.set_major_locator(MaxNLocator(about, steps=[1, 2, 2.5, 5, 10], integer=whole))

    def shown(value: float, _: int | None) -> str:
        span = abs(np.subtract(*axis.get_view_interval()))
        return text(0.0 if abs(value) < 1e-9 * span else value)  # sums of steps may miss zero

    axis.set_major_formatter(shown)


def hover(artist: Artist, words: str) -> None:
    """Words that a browser shows under the pointer."""
    artist.set_gid(f"{_HOVER}{words}")


@themed
def curves(lines: Sequence[Curve], last_step: int, mark: tuple[str, int] | None = None) -> Figure:
    """Curves over training steps from 0 to `last_step`; long ones as means of neighbours.

    mark: words and the step of a vertical line. Peaks far beyond all else are cut at the top;
    values that are not finite are left out.
    """
    chart, axes = figure(WIDTH, 210)
    shown = [line._replace(steps=s, values=v) for line in lines for s, v in [thinned(line)]]
    low, high = _range(np.concatenate([np.empty(0), *(line.values for line in shown)]))
    axes.set(xlim=(0, max(1, last_step)), ylim=(low, high), xlabel="step")
    axes.grid(axis="y")
    ticks(axes.yaxis, 4, formats.tick)
    ticks(axes.xaxis, 5, formats.count, whole=True)
    for line in shown:
        dots = "o" if len(line.values) <= _MOST_DOTS else ""
        axes.plot(line.steps, line.values.clip(low, high), color=COLOURS[line.colour], marker=dots)
    if mark:
        words, step = mark
        vertical(axes, words, step)
    return chart


def vertical(axes: Axes, words: str, place: float, top: float = 1.0) -> None:
    """A dashed line at a place of the x axis, up to `top` of the axes' height; words above it."""
    across = axes.get_xaxis_transform()
    colour = COLOURS["tau"]
    axes.vlines(place, 0, top, colour, (0, (3, 3)), transform=across, linewidth=1)
    above = {"ha": "center", "va": "bottom", "color": colour, "size": 10.5}
    axes.text(place, top + 0.02, words, transform=across, **above)


def thinned(line: Curve, most: int = _MOST_POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of a curve's finite points, at most `most`: means of as many neighbours."""
    finite = np.isfinite(line.values)
    steps, values = line.steps[finite], line.values[finite]
    if len(steps) <= most:
        return steps, values
    groups = np.array_split(np.arange(len(steps)), most)
    return tuple(np.array([x[group].mean() for group in groups]) for x in (steps, values))


def _range(values: np.ndarray) -> tuple[float, float]:
    """What the axis shows: zero where it is not far off, and no lonely peaks; 0 to 1 of nothing."""
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    usual = float(np.quantile(values, 0.98))
    if high - low > _PEAK * (usual - low) > 0:
        high = low + 1.2 * (usual - low)
    if 0 <= low < 0.5 * high:
        low = 0.0
    if high <= low:
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    return low, high + 0.04 * (high - low)


@themed
def matrix(values: np.ndarray, rows: Sequence[str], columns: Sequence[str]) -> Figure:
    """A matrix as cells, the darker the nearer to 1 (or beyond), each with its number."""
    cell = 84
    chart, axes = figure(cell * len(columns) + 116, cell * len(rows) + 34)
    clear, full = (to_rgba(COLOURS["a"], opacity) for opacity in (0, 0.85))
    heat = LinearSegmentedColormap.from_list("heat", [clear, full])
    shares = np.nan_to_num(values).clip(0, 1)
    axes.pcolormesh(shares, cmap=heat, vmin=0, vmax=1, edgecolors=COLOURS["card"], linewidth=2)
    for (i, j), value in np.ndenumerate(values):
        number = f"{value:.3f}" if np.isfinite(value) else "–"
        axes.text(j + 0.5, i + 0.5, number, ha="center", va="center", size=14)
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns)
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows)
    axes.xaxis.tick_top()
    axes.spines.bottom.set_visible(False)
    axes.invert_yaxis()
    return chart


@themed
def bars(
    groups: Sequence[str],
    series: Mapping[str, Sequence[tuple[float, float]]],
    colours: Sequence[str],
    label: str,
) -> Figure:
    """Groups of bars with whiskers, a bar a series.

    Args:
      groups: their names, under the axis.
      series: by name, (height, length of the whisker to each side) for each group.
      colours: names of COLOURS, one a series.
      label: of the axis.
    """
    chart, axes = figure(2 * WIDTH, 300)
    width = 0.8 / len(series)
    for number, (name, values) in enumerate(series.items()):
        heights, whiskers = zip(*values, strict=True)
        places = np.arange(len(groups)) + (number - (len(series) - 1) / 2) * width
        drawn = axes.bar(places, heights, 0.92 * width, color=COLOURS[colours[number]])
        axes.errorbar(places, heights, whiskers, fmt="none", ecolor=COLOURS["ink"], elinewidth=1)
        for group, bar, (height, whisker) in zip(groups, drawn, values, strict=True):
            hover(bar, f"{group}, {name}: {height:.1f} ± {whisker:.1f}")
    axes.set_xticks(np.arange(len(groups)), groups)
    axes.set_ylabel(label)
    axes.grid(axis="y")
    ticks(axes.yaxis, 5, formats.tick)
    return chart


@themed
def svg_text(chart: Figure, label: str) -> str:
    """A chart as `<svg>` for a page of `html.page`; equal charts and labels give equal text.

    label: for those who do not see it.
    """
    buffer = io.StringIO()
    with warnings.catch_warnings():
        # The browser has more fonts than the one that matplotlib measures with.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        chart.savefig(buffer, format="svg", metadata=metadata)
    text = _NOT_XML.sub("\ufffd", buffer.getvalue())
    drawn = ElementTree.fromstring(text)
    svg = Element("svg", {"viewBox": drawn.get("viewBox"), "role": "img", "aria-label": label})
    svg.extend(part for child in drawn for part in _parts(child))
    # The ids that are left, those of dots, are this chart's alone: pages hold many.
    salt = hashlib.sha256(ElementTree.tostring(svg)).hexdigest()[:8]
    for element in svg.iter():
        if "id" in element.attrib:
            element.set("id", salt + element.get("id"))
        if "href" in element.attrib:
            element.set("href", f"#{salt}{element.get('href').removeprefix('#')}")
    return ElementTree.tostring(svg, encoding="unicode")


def _parts(element: Element) -> list[Element]:
    """An element of matplotlib's SVG without what a page has no need of; its parts if no more."""
    tag = _local(element.tag)
    if tag in ("clipPath", "style"):  # all is drawn within the axes; html.STYLE has the style
        return []
    kept = Element(tag, _attributes(element))
    kept.text = (element.text or "").strip() or None
    words = element.get("id", "")
    if words.startswith(_HOVER):
        ElementTree.SubElement(kept, "title").text = words.removeprefix(_HOVER)
    kept.extend(part for child in element for part in _parts(child))
    empty = not len(kept)
    plain = not kept.attrib and kept.find("title") is None
    if tag == "g" and (plain or empty) or tag == "defs" and empty:
        return list(kept)
    return [kept]


def _attributes(element: Element) -> dict[str, str]:
    kept = {}
    for qualified, value in element.attrib.items():
        name = _local(qualified)
        if name in ("d", "x", "y"):  # to a tenth of a unit
            kept[name] = " ".join(_DECIMALS.sub(_rounded, value).split())
        elif name == "style":
            sized = _FAMILY.sub("", _SHORT_FONT.sub(r"font-size: \1", value))
            kept[name] = _SENTINEL.sub(lambda found: _VARIABLES[found[0]], sized)
        elif name == "id" and _local(element.tag) != "path":
            continue  # a group's, which nothing refers to
        elif name != "clip-path" and not value.startswith("rotate(-0 "):
            kept[name] = value
    return kept


def _rounded(number: re.Match) -> str:
    return f"{float(number[0]):z.1f}".removesuffix(".0")


def _local(name: str) -> str:
    """A name of XML without its namespace."""
    return name.rpartition("}")[2]
