"""What the tests of several doors share."""

import pytest

# Files of a minute and more: begun first, or one process works at them when the other is done.
LONG_FILES = (
    "training/test_resume.py",
    "end_to_end/test_whole_way.py",
    "training/test_workers.py",
    "training/test_strategy.py",
)


def pytest_collection_modifyitems(items):
    """Long files first, all else as it is (pytest-xdist: --no-loadscope-reorder)."""

    def rank(item) -> int:
        places = (i for i, name in enumerate(LONG_FILES) if item.nodeid.startswith(f"tests/{name}"))
        return next(places, len(LONG_FILES))

    items.sort(key=rank)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """A run directory with random weights, after `tiny.STEP` steps."""
    # Not above: TensorFlow loads with it, and talks in the process that only shares out the tests.
    from tests import tiny

    return str(tiny.write_run(tmp_path_factory.mktemp("runs") / "run"))


@pytest.fixture(scope="module")
def glob(tmp_path_factory):
    """The glob of five small records."""
    from tests import tiny

    return tiny.write_records(tmp_path_factory.mktemp("records"), count=5)
