"""README and docs/: links lead somewhere, named files are there, examples run, README is short."""

import re

import pytest

from tests.documents import (
    DOCUMENTS,
    README,
    ROOT,
    anchors,
    blocks,
    link_faults,
    path_faults,
)
from tests.house_rules import LAYERS, OF_THE_THESIS

MOST_BYTES = 12_000  # of README
PAGE_FILES = [path for path in DOCUMENTS if path.parent == ROOT / "docs"]


def test_readme_is_short():
    assert len(README.read_bytes()) <= MOST_BYTES


def test_every_page_has_its_place_in_the_readers_order_and_a_link_in_readme():
    pages = set((ROOT / "docs").rglob("*.md"))
    assert pages <= set(DOCUMENTS)
    text = README.read_text("utf-8")
    assert [page.name for page in pages if f"](docs/{page.name})" not in text] == []


@pytest.mark.parametrize("document", PAGE_FILES, ids=lambda path: path.stem)
def test_pages_open_with_what_a_reader_can_do_after_them(document):
    opening = document.read_text("utf-8").split("\n\n")[1]
    assert opening.startswith("After this page you ")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_links_and_named_files_are_there(document):
    text = document.read_text("utf-8")
    assert link_faults(document, text) == []
    assert path_faults(document, text) == []


def test_faults_are_found():
    text = "# A b\n[good](docs/house.md#names) [here](#a-b) [web](https://example.org/x)\n"
    assert link_faults(README, text) == []
    text += "[1](docs/attic.md) [2](docs/house.md#attic) [3](#attic)\n```\n# Attic\n```\n"
    assert link_faults(README, text) == [
        "README.md: docs/attic.md leads to no file",
        "README.md: docs/house.md#attic leads to no heading",
        "README.md: #attic leads to no heading",
    ]
    assert (
        path_faults(README, "`lorbms_tf/lorbms/` `lorbms_tf/errors.py` `configs/thesis.cfg`") == []
    )
    assert path_faults(README, "`lorbms_tf/attic.py`") == [
        "README.md: there is no lorbms_tf/attic.py"
    ]


def test_anchors_are_those_of_github():
    assert anchors("## Networks, layers and distances in Python\n### Is `x_1` right?") == {
        "networks-layers-and-distances-in-python",
        "is-x_1-right",
    }


def test_the_page_on_the_house_names_every_room_and_what_still_names_the_thesis():
    text = (ROOT / "docs" / "house.md").read_text("utf-8")
    rooms = {name.split(".")[1] for names in LAYERS.values() for name in names if "." in name}
    words = set(re.findall(r"\w+", text))
    assert rooms - words == set()
    assert {name.rpartition(".")[2] for name in OF_THE_THESIS} - words == set()


def test_python_examples_run(capsys):
    examples = [block for path in DOCUMENTS for block in blocks(path.read_text("utf-8"), "python")]
    assert examples
    for example in examples:
        exec(compile(example, "example", "exec"), {})
    assert "conv2_2" in capsys.readouterr().out
