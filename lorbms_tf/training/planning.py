"""A run before it starts: what it would do, resolved and checked against what is there."""

import dataclasses

from lorbms_tf import methods
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.scores import check_names
from lorbms_tf.training import run_directory
from lorbms_tf.training.method import Data, Method
from lorbms_tf.training.run_config import RunConfig


@dataclasses.dataclass(frozen=True)
class Plan:
    """A run before it starts: what it would do, resolved and checked."""

    config: RunConfig
    method: Method
    data: Data
    total_steps: int
    changes: list[str]  # what --allow_changes lets differ from the run that is continued
    notes: list[str]  # what else differs from it, without having been asked for


def plan(config: RunConfig, chief: bool = True) -> Plan:
    """Finds and checks the data, resolves the settings and the number of steps. Writes nothing.

    The run directory is the business of the chief alone, where there are several workers.

    Raises UserError for data that are missing or cannot be used, and for a run directory that the
    run may not be started in.
    """
    method = methods.get(config.method)
    check_names([config.best_metric], "best_metric", method.scores())
    if not config.run_dir:
        raise UserError("--run_dir is required")
    if config.init_from:
        from lorbms_tf.training import initial_weights  # loads TensorFlow

        initial_weights.check(config.init_from)
    data = method.data(config)
    total = config.epochs * data.steps_per_epoch
    if config.max_steps:
        total = min(total, config.max_steps)
    resolved = run_directory.continued(method.resolve(config, data))
    changes = run_directory.check(resolved, data.fingerprint) if chief else []
    notes = run_directory.retired(config.run_dir) if chief else []
    return Plan(resolved, method, data, total, changes, notes)
