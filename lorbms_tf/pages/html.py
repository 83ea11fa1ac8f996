"""Pieces of HTML: everything that is shown is escaped here and nowhere else."""

import base64
from collections.abc import Sequence
from html import escape

STYLE = """
:root { color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1d2430; --soft: #5d6878; --line: #dde2e9;
  --bar: #7aa5d8; --accent: #c8571b; --tau: #3d4656; --good: #1d7a46; --bad: #b3261e;
  --one: #cfe0f3; --two: #86b1e0; --three: #5b95d6; --inside: #14202e;
  --a: #2f6fb7; --b: #c8571b; --c: #2b8a57; --d: #8a4fb0; --e: #8a6d1c; }
@media (prefers-color-scheme: dark) { :root {
  --page: #12161c; --card: #1b2129; --ink: #e4e9f0; --soft: #9aa6b6; --line: #313a46;
  --bar: #4d79ad; --accent: #f0955c; --tau: #c3ccd8; --good: #6fcf97; --bad: #ff8a80;
  --one: #2b4566; --two: #345f91; --three: #4676ae; --inside: #f3f7fc;
  --a: #7db4f0; --b: #f0955c; --c: #72cf9b; --d: #cf9bf0; --e: #dcc069; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1140px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 0 0 4px; } h3 { font-size: 15px; margin: 18px 0 6px; }
p { margin: 4px 0 10px; } .soft, .note { color: var(--soft); } .note { max-width: 80ch; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 18px 20px; margin: 18px 0; }
nav { margin-top: 14px; }
nav a { color: var(--a); margin-right: 14px; text-decoration: none; white-space: nowrap; }
.badge { display: inline-block; padding: 1px 10px; border-radius: 99px; font-weight: 600;
  border: 1px solid currentColor; } .good { color: var(--good); } .bad { color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 10px 14px; } .tile b { display: block; font-size: 22px; line-height: 1.3; }
.tile span { color: var(--soft); font-size: 13px; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(400px, 1fr)); gap: 8px 20px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; } tr:last-child td { border-bottom: 0; }
th { color: var(--soft); font-weight: 600; font-size: 13px; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
code { font: 13px/1.4 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; color: var(--soft); font-size: 13px; }
.chip { display: inline-block; width: 14px; height: 10px; margin-right: 6px; border-radius: 2px; }
.chip.stroke { height: 3px; vertical-align: middle; }
svg { display: block; width: 100%; height: auto; overflow: visible; stroke-linejoin: round; }
svg text { fill: var(--ink); font-family: system-ui, sans-serif; }
.sheet { display: grid; gap: 6px; margin: 8px 0 22px; align-items: start;
  grid-template-columns: 150px 26px repeat(11, minmax(46px, 1fr)); min-width: 900px; }
.sheet img { width: 100%; display: block; border-radius: 4px; }
.sheet .reference { grid-row: span 4; } .sheet .own img { outline: 2px solid var(--accent); }
.sheet .name { color: var(--soft); font-size: 13px; align-self: center; }
.sheet figure { margin: 0; } .sheet figcaption { color: var(--soft); font-size: 11px;
  text-align: center; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.sheet .far figcaption { color: var(--accent); font-weight: 700; }
.picture { margin: 10px 0; } .picture img { max-width: 100%; height: auto; display: block;
  border-radius: 4px; } .picture figcaption { color: var(--soft); font-size: 13px; }
details { margin: 12px 0 0; } summary { cursor: pointer; color: var(--a); }
footer { color: var(--soft); font-size: 13px; }
@media print { section { break-inside: avoid; } }
"""


def page(title: str, body: str) -> str:
    """A whole page that loads nothing from anywhere."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def section(title: str, note: str, *content: str) -> str:
    """A card with a title and a sentence that tells how to read it."""
    told = f'<p class="note">{escape(note)}</p>' if note else ""
    return (
        f'<section id="{anchor(title)}"><h2>{escape(title)}</h2>{told}{"".join(content)}</section>'
    )


def anchor(title: str) -> str:
    """The id of a section."""
    return "".join(c if c.isalnum() else "-" for c in title.lower())


def table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A table of texts; the columns in `numbers` are set flush right."""

    def cells(kind: str, row: Sequence[str]) -> str:
        styles = ['class="number"' if n in numbers else "" for n in range(len(row))]
        parts = [
            f"<{kind} {s}>{escape(text)}</{kind}>" for s, text in zip(styles, row, strict=True)
        ]
        return f"<tr>{''.join(parts)}</tr>"

    head = f"<thead>{cells('th', header)}</thead>" if header else ""
    body = "".join(cells("td", row) for row in rows)
    return f'<div class="scroll"><table>{head}<tbody>{body}</tbody></table></div>'


def tiles(values: Sequence[tuple[str, str]]) -> str:
    """Key figures: a large number and what it is, each."""
    parts = [
        f'<div class="tile"><b>{escape(number)}</b><span>{escape(name)}</span></div>'
        for number, name in values
    ]
    return f'<div class="tiles">{"".join(parts)}</div>'


def legend(entries: Sequence[tuple[str, str, bool]]) -> str:
    """Colour and meaning: (CSS colour variable, text, whether it is a line)."""
    parts = [
        f'<span><i class="chip{" stroke" if stroke else ""}" '
        f'style="background: var(--{colour})"></i>{escape(text)}</span>'
        for colour, text, stroke in entries
    ]
    return f'<div class="legend">{"".join(parts)}</div>'


def heading(text: str) -> str:
    """A title inside a section."""
    return f"<h3>{escape(text)}</h3>"


def details(title: str, content: str) -> str:
    """Something that is shown on request; `content` is HTML."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def navigation(titles: Sequence[str]) -> str:
    """Links to the sections of these titles."""
    links = (f'<a href="#{anchor(title)}">{escape(title)}</a>' for title in titles)
    return f"<nav>{' '.join(links)}</nav>"


def paragraph(text: str, style: str = "") -> str:
    return f'<p class="{style}">{escape(text)}</p>'


def figure(jpeg: bytes, caption: str, style: str = "", text: str = "") -> str:
    """A picture from its JPEG bytes, embedded."""
    data = base64.b64encode(jpeg).decode()
    shown = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure class="{style}"><img src="data:image/jpeg;base64,{data}" '
        f'alt="{escape(text or caption)}" title="{escape(text or caption)}">{shown}</figure>'
    )
