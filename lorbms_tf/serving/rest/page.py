"""The page of the server, put together into one file that asks for nothing else."""

import base64
import json
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent.parent / "page"


def page(model_name: str) -> str:
    """The HTML, with its style, script and example photos inside.

    model_name: of the model that it asks where its address names none.
    """
    parts = {name: (_FOLDER / f"page.{name}").read_text("utf-8") for name in ("html", "css", "js")}
    examples = [
        (path.stem, f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}")
        for path in sorted((_FOLDER / "examples").glob("*.png"))
    ]
    filled = {
        "/*STYLE*/": parts["css"],
        "/*MODEL*/": _script_json(model_name),
        "/*EXAMPLES*/": _script_json(examples),
        "/*SCRIPT*/": parts["js"],
    }
    text = parts["html"]
    for place, value in filled.items():
        text = text.replace(place, value, 1)
    return text


def _script_json(value) -> str:
    """JSON that may stand in a script: no text in it can end the script."""
    return json.dumps(value).replace("<", "\\u003c")
