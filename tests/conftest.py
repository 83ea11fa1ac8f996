"""What the tests of several doors share."""

import os
import signal

import pytest

# Values are compared to the bit or to some 1e-5, which is promised for processors: no graphics
# card takes part, neither here nor in the processes that tests start.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

# Files of a minute and more: begun first, or one process works at them when the other is done.
LONG_FILES = (
    "training/test_resume.py",
    "end_to_end/test_whole_way.py",
    "training/test_workers.py",
    "training/test_strategy.py",
    "test_readme.py",
    "test_ablation.py",
)


def pytest_addoption(parser):
    parser.addoption(
        "--no-skips", action="store_true", help="a test that is skipped has failed (for CI)"
    )


def refuse_skip(report, config):
    """Turns a skip into a failure where nothing may be skipped; gives the report back."""
    if config.getoption("--no-skips") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"skipped under --no-skips: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item):
    return refuse_skip((yield), item.config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(collector):
    return refuse_skip((yield), collector.config)


def pytest_collection_modifyitems(items):
    """Long files first, marked slow; all else as it is (pytest-xdist: --no-loadscope-reorder)."""

    def rank(item) -> int:
        places = (i for i, name in enumerate(LONG_FILES) if item.nodeid.startswith(f"tests/{name}"))
        return next(places, len(LONG_FILES))

    items.sort(key=rank)
    for item in items:
        if rank(item) < len(LONG_FILES):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def interruptible():
    """A process that a shell started in the background ignores SIGINT; Python's way comes back."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """A run directory with random weights, after `tiny.STEP` steps."""
    from tests import tiny  # here, or what TensorFlow prints when it is imported is shown

    return str(tiny.write_run(tmp_path_factory.mktemp("runs") / "run"))


@pytest.fixture(scope="module")
def glob(tmp_path_factory):
    """The glob of five small records."""
    from tests import tiny

    return tiny.write_records(tmp_path_factory.mktemp("records"), count=5)
