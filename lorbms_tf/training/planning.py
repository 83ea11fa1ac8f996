"""A run before it starts: what it would do, resolved and checked against what is there."""

import dataclasses

import numpy as np

from lorbms_tf.data import dataset_file, fingerprint, index_making, pipeline, records, storage
from lorbms_tf.data.damage import BadRecords
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.config import TrainConfig
from lorbms_tf.lorbms.scores import registry
from lorbms_tf.training import run_directory


def resolve_tau(config: TrainConfig, shards: list[str]) -> TrainConfig:
    """The configuration with `tau` set from --tau_quantile, where that is asked for.

    The quantile of all [N, 4, 10] distances is read from the dataset.json beside the shards,
    interpolated between those that are stored. Raises UserError where it is missing.
    """
    if config.tau_quantile < 0:
        return config
    folders = sorted(set(map(storage.folder, shards)))
    if len(folders) > 1:
        raise UserError(
            "--tau_quantile needs all --records in one folder with one dataset.json; they lie in "
            f"{', '.join(folders)}: name --tau instead"
        )
    points = _distance_quantiles(folders[0])
    if not points:
        path = storage.joined(folders[0], records.DATASET_FILE)
        raise UserError(f"--tau_quantile needs distance_quantiles in {path}; build anew or --tau")
    tau = float(np.interp(config.tau_quantile, *zip(*points, strict=True)))
    return dataclasses.replace(config, tau=tau)


def _distance_quantiles(folder: str) -> list[tuple[float, float]]:
    """(quantile, squared distance) pairs of a folder's records, ascending; empty if not known."""
    described = dataset_file.read(folder)
    return described.distance_quantiles if described else []


@dataclasses.dataclass(frozen=True)
class Plan:
    """A run before it starts: what it would do, resolved and checked."""

    config: TrainConfig
    shards: list[str]
    steps_per_epoch: int
    total_steps: int
    data: list[dict]  # the shards' fingerprint
    changes: list[str]  # what --allow_changes lets differ from the run that is continued
    bad: BadRecords  # where damaged records are counted
    notes: list[str]  # what else differs from it, without having been asked for


def plan(config: TrainConfig, chief: bool = True) -> Plan:
    """Finds and checks the records, resolves tau and the number of steps. Writes nothing.

    The run directory is the business of the chief alone, where there are several workers.

    Raises UserError for records that are missing, cut short, or of another image size, and for
    a run directory that the run may not be started in.
    """
    registry.check_names([config.best_metric], flag="best_metric")
    for name in ("records", "run_dir"):
        if not getattr(config, name):
            raise UserError(f"--{name} is required")
    shards = records.find_shards(config.records)
    bad = BadRecords(config.max_bad_records)
    for found in (shards, records.find_shards(config.eval_records) if config.eval_records else []):
        bad.scan(found)
        pipeline.check_image_size(found, config.image_size, bad)
    steps_per_epoch = pipeline.count_steps(index_making.count(shards, bad), config.batch_size)
    total = config.epochs * steps_per_epoch
    if config.max_steps:
        total = min(total, config.max_steps)
    resolved = run_directory.continued(resolve_tau(config, shards))
    data = fingerprint.fingerprint(shards)
    changes = run_directory.check(resolved, data) if chief else []
    notes = run_directory.retired(config.run_dir) if chief else []
    return Plan(resolved, shards, steps_per_epoch, total, data, changes, bad, notes)


def autoencoder_note(planned: Plan) -> str:
    """A sentence on the steps without mixing, a warning where there are no others; "" without."""
    alone, total = planned.config.autoencoder_steps, planned.total_steps
    if not alone:
        return ""
    if total <= alone:
        return (
            f"warning: all {total} steps are of the --autoencoder_steps={alone}, so the model "
            "learns to reconstruct and never to mix: raise --epochs, or lower --autoencoder_steps"
        )
    return (
        f"steps 1 to {alone} train encoder and decoder alone, as an autoencoder (AE in the "
        f"progress lines is its loss); the {total - alone} steps after them mix"
    )


def never_mixed(config: TrainConfig, step: int) -> str:
    """A caution where a model after so many steps has not begun to learn to mix; else ""."""
    if not config.autoencoder_steps or step > config.autoencoder_steps:
        return ""
    return (
        f"caution: all {step} steps of this model were of its --autoencoder_steps="
        f"{config.autoencoder_steps}: it has never learned to mix, and the scores of its mixes, "
        "also high ones, are those of an autoencoder"
    )


def tau_warning(planned: Plan) -> str:
    """A sentence where tau lies outside the records' distances, so that it decides nothing."""
    points = _distance_quantiles(storage.folder(planned.shards[0]))
    tau = planned.config.tau
    if not points or points[0][1] <= tau <= points[-1][1]:
        return ""
    return (
        f"warning: --tau={tau:g} lies outside the records' distances "
        f"({points[0][1]:.4g} to {points[-1][1]:.4g}), so every mix replaces "
        "the same number of quadrants; --tau_quantile=0.5 takes their median"
    )
