"""Runs a notebook without Jupyter: its cells in their order, in one namespace.

python -m tests.notebooks docs/tour.ipynb   writes what the cells give into the notebook
"""

import ast
import base64
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from tests.documents import ROOT


def code_cells(document: dict) -> list[dict]:
    return [cell for cell in document["cells"] if cell["cell_type"] == "code"]


def execute(document: dict, namespace: dict[str, Any], settings: dict[str, Any]) -> None:
    """Runs the code cells, and puts what they print and show into them.

    Args:
      document: a notebook as JSON holds it.
      namespace: that the cells share.
      settings: names that take these values after the first cell, which must have set them.
    """
    for number, cell in enumerate(code_cells(document), start=1):
        cell["execution_count"] = number
        cell["outputs"] = _outputs("".join(cell["source"]), namespace, number)
        if number == 1:
            unknown = settings.keys() - namespace.keys()
            if unknown:
                raise KeyError(f"the first cell has not set {unknown}")
            namespace.update(settings)


def _outputs(source: str, namespace: dict[str, Any], number: int) -> list[dict]:
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), f"cell {number}", "exec"), namespace)
        if last:
            value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), namespace)
    outputs = []
    if printed.getvalue():
        lines = printed.getvalue().replace(f"{ROOT}/", "").splitlines(keepends=True)
        outputs.append({"output_type": "stream", "name": "stdout", "text": lines})
    if value is not None:
        outputs.append({
            "output_type": "execute_result",
            "execution_count": number,
            "metadata": {},
            "data": _shown(value),
        })  # fmt: skip
    return outputs


def _shown(value: Any) -> dict[str, Any]:
    if not isinstance(value, Image.Image):
        return {"text/plain": [repr(value)]}
    buffer = io.BytesIO()
    value.save(buffer, "PNG", optimize=True)
    return {
        "image/png": base64.b64encode(buffer.getvalue()).decode("ascii"),
        "text/plain": [f"<a picture of {value.width}x{value.height} pixels>"],
    }


def write(document: dict, path: Path) -> None:
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    path = Path(sys.argv[1])
    notebook = json.loads(path.read_text("utf-8"))
    execute(notebook, {"__name__": "__main__"}, {})
    write(notebook, path)
