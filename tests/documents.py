"""The documents of the project: which there are, and what a text links to and names."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# In the order of a reader: commands may need what those of earlier pages have made.
PAGES = (
    "records",
    "training",
    "evaluation",
    "distances",
    "paths",
    "lorbms",
    "perceptual",
    "augint",
    "deepsim",
    "serving",
    "beam",
    "scale",
    "measured",
    "house",
)
README = ROOT / "README.md"
DOCUMENTS = [
    README,
    *(ROOT / "docs" / f"{page}.md" for page in PAGES),
    *sorted((ROOT / "lorbms_tf" / "pretrained").rglob("*.md")),
]


def _without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def anchors(text: str) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", _without_code(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def link_faults(document: Path, text: str) -> list[str]:
    """Relative links of a text that lead to no file, or to an anchor that the file lacks."""
    faults = []
    for target in re.findall(r"\]\(([^)\s]+)\)", _without_code(text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        if not file.is_file():
            faults.append(f"{document.name}: {target} leads to no file")
        elif anchor and anchor not in anchors(text if file == document else file.read_text()):
            faults.append(f"{document.name}: {target} leads to no heading")
    return faults


def path_faults(document: Path, text: str) -> list[str]:
    """Files and folders of the project that a text names in backticks and that are not there."""
    named = re.findall(r"`((?:lorbms_tf|tfrecords_tools|tests|configs)/[\w/.]*)`", text)
    return [f"{document.name}: there is no {path}" for path in named if not (ROOT / path).exists()]
