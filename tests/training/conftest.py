"""What the tests of training share."""

import pytest

from tests import tiny


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    return tiny.write_records(tmp_path_factory.mktemp("records"), 6)


@pytest.fixture(scope="module")
def eagerly():
    """For runs of few steps, all tests of a file alike: tracing would take far longer.

    Runs in graphs are tested in processes of their own (`test_resume`, `test_workers`).
    """
    with tiny.eagerly():
        yield
