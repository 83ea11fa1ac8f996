"""Each door as a person meets it first: its --help."""

import pytest

from tests import copies
from tests.test_next_steps import DOORS, flags_of

# One process imports all, which takes long; each door then has a copy of it: flags are global.
HELP = """
import importlib, os, sys
folder, *doors = sys.argv[1:]
modules = [importlib.import_module(door) for door in doors]
for door, module in zip(doors, modules):
    if not os.fork():
        sys.stdout = open(os.path.join(folder, door), "w")
        sys.argv = [door, "--help"]
        try:
            module.console_main()
        except SystemExit as end:
            sys.stdout.flush()
            os._exit(end.code)
    assert os.wait()[1] == 0, door
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("help")
    done = copies.run(["-c", HELP, folder, *DOORS])
    assert done.returncode == 0, done.stderr
    return {door: (folder / door).read_text() for door in DOORS}


@pytest.mark.parametrize("door", DOORS)
def test_help_shows_an_example_and_the_doors_own_flags(pages, door):
    page = pages[door]
    assert f"-m {door} " in page.partition("\n  --")[0]  # what comes before the first flag
    words = [line.split("=")[0].split()[0] for line in page.splitlines() if line[:4] == "  --"]
    shown = {word.removeprefix("--").removeprefix("[no]") for word in words}
    assert shown == flags_of(door) - {"flagfile"}
