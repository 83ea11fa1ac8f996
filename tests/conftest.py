"""What the tests of several doors share."""

import pytest

from tests import tiny


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """A run directory with random weights, after `tiny.STEP` steps."""
    return str(tiny.write_run(tmp_path_factory.mktemp("runs") / "run"))


@pytest.fixture(scope="module")
def glob(tmp_path_factory):
    """The glob of five small records."""
    return tiny.write_records(tmp_path_factory.mktemp("records"), count=5)
