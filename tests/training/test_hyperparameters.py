"""What TensorBoard's own code finds for its tab HParams in files of runs and of a search."""

import pytest
import tensorflow as tf
from tensorboard import context
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import (
    api_pb2,
    backend_context,
    get_experiment,
    list_session_groups,
)

from lorbms_tf.training import hyperparameters
from lorbms_tf.training.event_files import EventWriter
from lorbms_tf.training.run_directory import LOGS
from lorbms_tf.training.search_space import Choice, Range
from tests import tiny

RATES = (0.25, 0.5)
SPACE = [
    Range("generator_learning_rate", 0.125, 1.0, True),
    Range("decoder_separate_blocks", 0, 2, False),
    Choice("encoder_layers", ("1,1,1,1", "2,1,1,1"), ((1, 1, 1, 1), (2, 1, 1, 1))),
]


class Tab:
    """The answers from which the tab is drawn, of all runs in a folder."""

    def __init__(self, folder):
        runs = plugin_event_multiplexer.EventMultiplexer()
        runs.AddRunsFromDirectory(str(folder))
        runs.Reload()
        provider = data_provider.MultiplexerDataProvider(runs, str(folder))
        given = base_plugin.TBContext(data_provider=provider, logdir=str(folder))
        self._files, self._request = backend_context.Context(given), context.RequestContext()

    def experiment(self):
        asked = self._request, self._files, "", api_pb2.GetExperimentRequest(include_metrics=True)
        return get_experiment.Handler(*asked).run()

    def sessions(self, experiment):
        """By name of the run: its settings and its metrics."""
        columns = [api_pb2.ColParams(hparam=one.name) for one in experiment.hparam_infos]
        columns += [api_pb2.ColParams(metric=one.name) for one in experiment.metric_infos]
        asked = api_pb2.ListSessionGroupsRequest(
            col_params=columns,
            allowed_statuses=[0, 1, 2, 3],
            slice_size=10,
            include_metrics=True,
        )
        groups = list_session_groups.Handler(self._request, self._files, "", asked).run()
        return {
            group.sessions[0].name: (
                dict(group.hparams),
                {one.name.tag: one.value for one in group.metric_values},
            )
            for group in groups.session_groups
        }


@pytest.fixture
def runs(tmp_path):
    """Two runs that differ in a rate, and in their scores."""
    for number, rate in enumerate(RATES):
        run_dir = tmp_path / "runs" / f"trial_000{number}"
        events = EventWriter(run_dir / LOGS)
        with events.at(0):
            config = tiny.config(run_dir=str(run_dir), generator_learning_rate=rate)
            hyperparameters.write_settings(config)
        with events.at(20):
            tf.summary.scalar("eval/psnr", 10 * rate)
            tf.summary.scalar("loss/generator", 1.0)
        events.close()
    return tmp_path / "runs"


def test_the_tab_shows_the_settings_of_runs_those_that_differ_first(runs):
    tab = Tab(runs)
    experiment = tab.experiment()
    names = [one.name for one in experiment.hparam_infos]
    assert names[:2] == ["generator_learning_rate", "run_dir"] and "encoder_layers" in names
    assert [one.differs for one in experiment.hparam_infos[:3]] == [True, True, False]
    settings, metrics = tab.sessions(experiment)[f"trial_0001/{LOGS}"]
    assert settings["generator_learning_rate"].number_value == 0.5
    assert settings["encoder_layers"].string_value == "1,1,1,1"
    assert metrics == {"eval/psnr": 5.0, "loss/generator": 1.0}


def test_the_tab_shows_what_a_search_changes_and_its_metric(runs):
    for _ in range(2):  # a search that goes on does not describe itself again
        hyperparameters.write_search(runs, SPACE, "eval/psnr")
    assert len(list(runs.glob("events.*"))) == 1
    tab = Tab(runs)
    experiment = tab.experiment()
    infos = {one.name: one for one in experiment.hparam_infos}
    assert set(infos) == {one.name for one in SPACE}
    rate, blocks = infos["generator_learning_rate"], infos["decoder_separate_blocks"]
    assert (rate.domain_interval.min_value, rate.domain_interval.max_value) == (0.125, 1.0)
    assert (blocks.domain_interval.min_value, blocks.domain_interval.max_value) == (0, 2)
    layers = infos["encoder_layers"].domain_discrete.values
    assert [one.string_value for one in layers] == ["1,1,1,1", "2,1,1,1"]
    assert [one.name.tag for one in experiment.metric_infos] == ["eval/psnr"]
    sessions = tab.sessions(experiment)
    assert set(sessions) == {f"trial_0000/{LOGS}", f"trial_0001/{LOGS}"}
    settings, metrics = sessions[f"trial_0000/{LOGS}"]
    assert settings["generator_learning_rate"].number_value == 0.25
    assert metrics == {"eval/psnr": 2.5}
