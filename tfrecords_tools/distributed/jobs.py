"""Beam jobs: pipeline options, start and end, counters, and errors that the user can mend."""

import contextlib
import os
import shlex
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import apache_beam as beam
import grpc
from apache_beam.metrics import Metrics
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineState, create_runner

from lorbms_tf.errors import UserError
from lorbms_tf.progress import track

NAMESPACE = "lorbms"
ERROR = "error.txt"  # what a worker has found that the user can mend
POLL_SECONDS = 1.0
_QUIET = ("--default_sdk_harness_log_level=WARNING",)  # --beam_flags may ask for more
# Beam's DirectRunner first tries to download and start another program, Prism. Its FnApiRunner is
# what --direct_num_workers and --direct_running_mode are about.
_DIRECT = (None, "DirectRunner", "SwitchingDirectRunner")


def count(name: str, number: int = 1) -> None:
    """Adds to a counter of the job that runs."""
    Metrics.counter(NAMESPACE, name).inc(number)


class Step(beam.DoFn):
    """A step whose UserErrors reach the launcher; a subclass defines `work` in place of process."""

    def __init__(self, folder: Path):
        """folder: of the job, see `Jobs.run`."""
        self.folder = folder
        self._start = os.getcwd()

    def setup(self) -> None:
        with contextlib.suppress(OSError):  # flags may name files by relative paths
            os.chdir(self._start)

    def process(self, element, *side_inputs):
        try:
            yield from self.work(element, *side_inputs)
        except UserError as error:
            (self.folder / ERROR).write_text(str(error))
            raise


class Jobs:
    """Runs jobs one after the other with the same options, and adds up their counters."""

    def __init__(self, flags: str):
        """flags: pipeline options as one text. Raises UserError where they cannot be read."""
        self._flags = f"--beam_flags={flags}"
        try:
            words = shlex.split(flags)
            self._options = PipelineOptions([*_QUIET, *words])
            self._options.get_all_options()  # reads them all
            name = self._options.view_as(StandardOptions).runner
        except ValueError as error:
            raise UserError(f"{self._flags} cannot be read: {error}") from error
        except SystemExit as error:  # argparse has said what is wrong
            raise UserError(f"{self._flags} cannot be read") from error
        if words and not words[0].startswith("--"):
            raise UserError(f"{self._flags} cannot be read: {words[0]} is no flag")
        self._name = None if name in _DIRECT else name
        if self._name:
            try:
                create_runner(self._name)
            except (ValueError, ImportError) as error:
                raise UserError(f"{self._flags}: {error}") from error
        self.counters: dict[str, int] = {}

    def run(
        self,
        build: Callable[[beam.Pipeline], object],
        folder: Path,
        files: str,
        total: int,
        label: str,
        unit: str,
    ) -> None:
        """Runs a job to its end.

        Args:
          build: adds the steps to a pipeline.
          folder: the job's own; exists. Its files tell the progress.
          files: glob of those.
          total: how many there will be.
          label: what is being done, for the progress.
          unit: the singular name of what a file stands for.

        Raises UserError where a worker has found one, or the job server does not answer;
        RuntimeError where the job fails otherwise.
        """
        error = folder / ERROR
        error.unlink(missing_ok=True)
        runner = create_runner(self._name) if self._name else FnApiRunner()
        pipeline = beam.Pipeline(runner=runner, options=self._options)
        build(pipeline)
        try:
            with _watch(folder, files, total, label, unit):
                result = pipeline.run()
                state = result.wait_until_finish()
        except (grpc.RpcError, grpc.FutureTimeoutError) as failure:
            raise UserError(f"the job server of {self._flags} does not answer") from failure
        except Exception as failure:
            if error.exists():
                raise UserError(error.read_text()) from failure
            raise
        if error.exists() and state != PipelineState.DONE:
            raise UserError(error.read_text())
        if state not in (PipelineState.DONE, None):
            raise RuntimeError(f"the Beam job ({label}) ended as {state}: see the runner's log")
        self._add(result)

    def _add(self, result) -> None:
        for found in result.metrics().query()["counters"]:
            if found.key.metric.namespace == NAMESPACE:
                name = found.key.metric.name
                self.counters[name] = self.counters.get(name, 0) + (found.result or 0)


@contextlib.contextmanager
def _watch(folder: Path, files: str, total: int, label: str, unit: str) -> Iterator[None]:
    """Shows how many files there are, as they come, while the block runs."""
    done = threading.Event()

    def come() -> Iterator[None]:
        seen = 0
        while seen < total:
            last = done.wait(POLL_SECONDS)
            now = min(total, sum(1 for _ in folder.glob(files)))
            yield from [None] * (now - seen)
            seen = max(seen, now)
            if last:
                return

    def show() -> None:
        for _ in track(come(), total=total, label=label, unit=unit):
            pass

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
