"""docs/tour.ipynb: its cells run in their order, on a smaller scale; what is written is short."""

import json
import re

import numpy as np
import pytest

from lorbms_tf.data import images
from tests import notebooks
from tests.documents import ROOT, link_faults

TOUR = ROOT / "docs" / "tour.ipynb"
MOST_BYTES = 400_000
SMALL = {
    "SCENES": 12,
    "STEPS": 1,  # of training alone: what came before it is a graph of its own

    "NETWORKS": {
        "image_size": 32, "chunk_size": 4, "encoder_stem": 4, "encoder_layers": (1, 1, 1, 0),
        "encoder_growth": 2, "decoder_layers": (1, 1, 1, 1), "decoder_widths": (4, 4, 4, 4),
        "decoder_growth": 2, "discriminator_widths": (2, 2), "classifier_dense": (4, 4),
        "classifier_widths": (2, 2, 2, 2, 2), "generator_updates": 1,
    },
}  # fmt: skip


def read() -> dict:
    return json.loads(TOUR.read_text("utf-8"))


@pytest.mark.extras  # it takes half a minute, and repeats what other tests have shown of the parts
def test_the_cells_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tour, names = read(), {"__name__": "__main__"}
    notebooks.execute(tour, names, SMALL)
    assert (
        names["made"] == 1
        and names["content"]["num_records"] == 12
        and len(names["looked_at"]) == 3
    )
    assert np.isfinite(names["scores"]["psnr"]) and names["difference"] <= 1e-4
    expected = names["mine"].mix(names["one"], [names["other"]] * 4, "0011")
    made = images.decode_jpeg(names["answer"]["image_bytes"].numpy()[0])
    assert np.max(np.abs(made.astype(int) - expected)) <= 1
    pictures = [cell for cell in notebooks.code_cells(tour) if "image/png" in json.dumps(cell)]
    assert len(pictures) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["tour"]


def test_what_is_written_is_whole_and_short():
    tour = read()
    shown = [bool(cell["outputs"]) for cell in notebooks.code_cells(tour)]
    assert shown == [False] + [True] * (len(shown) - 1)
    assert TOUR.stat().st_size <= MOST_BYTES
    text = "".join("".join(cell["source"]) for cell in tour["cells"])
    assert not link_faults(TOUR, text)
    assert not re.search(r"(?<![\w.`])/(root|home|tmp)/", TOUR.read_text("utf-8"))


def test_settings_that_the_first_cell_lacks_are_refused():
    cell = {"cell_type": "code", "source": ["SIZE = 1"]}
    with pytest.raises(KeyError, match="STEPS"):
        notebooks.execute({"cells": [cell]}, {}, {"STEPS": 2})


def test_cells_show_what_they_print_and_their_last_value():
    cell = {"cell_type": "code", "source": ["print('a')\n", "print('b')\n", "1 + 1"]}
    notebooks.execute({"cells": [cell]}, {}, {})
    printed, value = cell["outputs"]
    assert printed["text"] == ["a\n", "b\n"] and value["data"] == {"text/plain": ["2"]}
