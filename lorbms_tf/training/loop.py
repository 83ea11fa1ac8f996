"""The training run: data, model and optimizers under a strategy, `strategy.run` over train_step.

Keras's own `fit` is not used: it fails under several workers, and this loop is the same for one
device and many.
"""

import dataclasses
from pathlib import Path

import numpy as np
import tensorflow as tf

from lorbms_tf import flags, run_directory
from lorbms_tf.config import TrainConfig
from lorbms_tf.data import pipeline, records
from lorbms_tf.data.damage import BadRecords
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json
from lorbms_tf.model import Lorbms
from lorbms_tf.training.checkpoints import Checkpoints
from lorbms_tf.training.reporting import Reporter, Samples


def resolve_tau(config: TrainConfig, shards: list[str]) -> TrainConfig:
    """The configuration with `tau` set from --tau_quantile, where that is asked for.

    The quantile of all [N, 4, 10] distances is read from the dataset.json beside the shards,
    interpolated between those that are stored. Raises UserError where it is missing.
    """
    if config.tau_quantile < 0:
        return config
    folders = sorted({Path(shard).parent for shard in shards})
    if len(folders) > 1:
        raise UserError(
            "--tau_quantile needs all --records in one folder with one dataset.json; they lie in "
            f"{', '.join(map(str, folders))}: name --tau instead"
        )
    path = folders[0] / records.DATASET_FILE
    points = _distance_quantiles(path)
    if not points:
        raise UserError(f"--tau_quantile needs distance_quantiles in {path}; build anew or --tau")
    tau = float(np.interp(config.tau_quantile, *zip(*points, strict=True)))
    return dataclasses.replace(config, tau=tau)


def _distance_quantiles(path: Path) -> list[tuple[float, float]]:
    """(quantile, squared distance) pairs of a dataset.json, ascending; empty where it has none."""
    stored = read_json(path)
    stored = stored.get("distance_quantiles") if isinstance(stored, dict) else None
    return sorted((float(q), float(d)) for q, d in (stored or {}).items())


def build_model(config: TrainConfig, total_steps: int) -> Lorbms:
    """A compiled model for a run. UserError where the sizes do not fit each other."""
    try:
        model = Lorbms(config, seed=config.seed, precision=config.precision)
    except ValueError as error:
        raise UserError(f"the networks cannot be built with these sizes: {error}") from error
    model.compile_optimizers(total_steps, config.schedule)
    return model


def parameter_table(model: Lorbms) -> str:
    """Trainable parameters of each network, as table 3.6 of the thesis counts them."""
    counts = {
        name: sum(v.value.shape.num_elements() for v in network.trainable_variables)
        for name, network in model.networks._asdict().items()
    }
    rows = [
        ("discriminator", counts["discriminator"]),
        ("generator", counts["encoder"] + counts["decoder"]),
        ("  encoder", counts["encoder"]),
        ("  decoder", counts["decoder"]),
        ("classifier", counts["classifier"]),
        ("total", sum(counts.values())),
    ]
    return "\n".join(f"{name:<15}{count:>12,}" for name, count in rows)


@dataclasses.dataclass(frozen=True)
class Plan:
    """A run before it starts: what it would do, resolved and checked."""

    config: TrainConfig
    shards: list[str]
    steps_per_epoch: int
    total_steps: int
    bad: BadRecords = dataclasses.field(default_factory=BadRecords)


def plan(config: TrainConfig) -> Plan:
    """Finds and checks the records, resolves tau and the number of steps. Writes nothing.

    Raises UserError for records that are missing, cut short, or of another image size, and for
    a run directory that the run may not be started in.
    """
    for name in ("records", "run_dir"):
        if not getattr(config, name):
            raise UserError(f"--{name} is required")
    shards = records.find_shards(config.records)
    bad = BadRecords(config.max_bad_records)
    for found in (shards, records.find_shards(config.eval_records) if config.eval_records else []):
        bad.scan(found)
        pipeline.check_image_size(found, config.image_size, bad)
    steps_per_epoch = pipeline.count_steps(shards, config.batch_size, bad)
    total = config.epochs * steps_per_epoch
    if config.max_steps:
        total = min(total, config.max_steps)
    resolved = resolve_tau(config, shards)
    run_directory.check(resolved)
    return Plan(resolved, shards, steps_per_epoch, total, bad)


def tau_warning(planned: Plan) -> str:
    """A sentence where tau lies outside the records' distances, so that it decides nothing."""
    path = Path(planned.shards[0]).parent / records.DATASET_FILE
    points = _distance_quantiles(path) if path.is_file() else []
    tau = planned.config.tau
    if not points or points[0][1] <= tau <= points[-1][1]:
        return ""
    return (
        f"warning: --tau={tau:g} lies outside the records' distances "
        f"({points[0][1]:.4g} to {points[-1][1]:.4g}), so every mix replaces "
        "the same number of quadrants; --tau_quantile=0.5 takes their median"
    )


class Run:
    """One run in its run directory, new or continued.

    Args:
      planned: what `plan` gave.
      strategy: a tf.distribute strategy; None: the one in scope, usually one device.
    """

    def __init__(self, planned: Plan, strategy: tf.distribute.Strategy | None = None):
        self.plan, config = planned, planned.config
        self.strategy = strategy or tf.distribute.get_strategy()
        replicas = self.strategy.num_replicas_in_sync
        if config.batch_size % replicas:
            raise UserError(
                f"--batch_size={config.batch_size} must be a multiple of the {replicas} devices"
            )
        with self.strategy.scope():
            self.model = build_model(config, planned.total_steps)
            self.model.loss_share = 1.0 / replicas
            self.folder = run_directory.prepare(config)
            self.checkpoints = Checkpoints(
                self.folder / run_directory.CHECKPOINTS, self.model, config.keep_checkpoints
            )
        self.first_step = self.checkpoints.restore()
        # There is no control flow on tensors to convert, and converting costs many seconds.
        self._step_function = tf.function(self._distributed_step, autograph=False)

    def _distributed_step(self, batch) -> dict:
        values = self.strategy.run(self.model.train_step, args=(batch,))
        reduce = self.strategy.reduce
        return {k: reduce(tf.distribute.ReduceOp.MEAN, v, axis=None) for k, v in values.items()}

    def batches(self, first_step: int):
        """The batches of the run from a step on."""
        config = self.plan.config
        dataset = pipeline.training_batches(
            self.plan.shards,
            config.image_size,
            config.batch_size,
            seed=config.seed,
            first_step=first_step,
            shuffle_buffer=config.shuffle_buffer,
            bad=self.plan.bad,
        )
        return iter(self.strategy.experimental_distribute_dataset(dataset))

    def _samples(self) -> Samples:
        config = self.plan.config
        pattern = config.eval_records or config.records
        held_out = pipeline.evaluation_batches(
            pattern,
            config.image_size,
            config.sample_rows,
            config.seed,
            config.sample_rows,
            self.plan.bad,
        )
        render = tf.function(self.model.render, autograph=False)
        first = next(pipeline.checked(held_out, pattern))
        return Samples(first, render, self.folder / run_directory.SAMPLES)

    def _rates(self) -> dict[str, float]:
        optimizers = {
            name: getattr(self.model, f"{name}_optimizer")
            for name in ("generator", "discriminator", "classifier")
        }
        # As a tensor first: with several devices the rate is a variable mirrored over them.
        return {
            f"learning_rate/{name}": float(tf.convert_to_tensor(optimizer.learning_rate))
            for name, optimizer in optimizers.items()
        }

    def train(self) -> int:
        """Trains to the last step; returns how many steps this call has made."""
        config, total = self.plan.config, self.plan.total_steps
        if self.first_step >= total:
            return 0
        reporter = Reporter(
            self.folder / run_directory.LOGS,
            config.batch_size,
            self.plan.steps_per_epoch,
            total,
            config.log_every_steps,
        )
        reporter.text("configuration", flags.as_text(config))
        samples = self._samples()
        if self.first_step == 0:
            samples.write(0, reporter.writer)
        batches = pipeline.checked(self.batches(self.first_step), config.records)
        for step in range(self.first_step + 1, total + 1):
            values = self._step_function(next(batches))
            reporter.step_done(step, values, self._rates)
            if step % config.sample_every_steps == 0 or step == total:
                samples.write(step, reporter.writer)
                reporter.pause()
            if step % config.checkpoint_every_steps == 0 or step == total:
                self._refuse_non_finite(values, step)
                self.checkpoints.save(step)
                reporter.pause()
        reporter.writer.close()
        return total - self.first_step

    def _refuse_non_finite(self, values: dict, step: int) -> None:
        """Keeps a run that has diverged from overwriting its last good checkpoints."""
        broken = sorted(name for name, value in values.items() if not np.isfinite(value))
        if broken:
            raise UserError(
                f"{', '.join(broken)} not finite at step {step}; the checkpoints before it are "
                f"kept in {self.folder / run_directory.CHECKPOINTS}. Lower the learning rates"
            )
