"""What TensorBoard's tab HParams shows: the settings of each run, and what a search changes.

A run tells its settings alone. From them TensorBoard finds the columns itself, those that differ
between runs first. An experiment that a run described for itself would hide them: the tab takes the
first description that it finds for all runs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tensorboard.plugins.hparams import api as hparams

from lorbms_tf.cli.settings import to_dict
from lorbms_tf.training.event_files import EventWriter
from lorbms_tf.training.run_config import RunConfig
from lorbms_tf.training.search_space import Choice, Range


def write_settings(config: RunConfig) -> None:
    """Writes the settings of a run by the writer that is the default one (`EventWriter.at`)."""
    hparams.hparams({name: shown(value) for name, value in to_dict(config).items()})


def shown(value: Any) -> int | float | str:
    """A setting as the tab shows it: several values with commas between them."""
    return value if isinstance(value, int | float | str) else ",".join(map(str, value))


def write_search(logs: Path, space: Sequence[Range | Choice], metric: str) -> None:
    """Describes a search in the folder of its runs, once: its settings and its metric.

    Raises UserError where the file cannot be written.
    """
    if any(logs.glob("events.out.tfevents.*")):
        return
    events = EventWriter(logs)
    with events.at(0):
        settings = [hparams.HParam(one.name, _domain(one)) for one in space]
        hparams.hparams_config(settings, [hparams.Metric(metric)])
    events.close()


def _domain(one: Range | Choice) -> hparams.Domain:
    if isinstance(one, Choice):
        return hparams.Discrete([shown(value) for value in one.values])
    kind = hparams.IntInterval if isinstance(one.low, int) else hparams.RealInterval
    return kind(one.low, one.high)
