"""The training run: data, model and optimizers under a strategy, `strategy.run` over train_step.

Keras's own `fit` is not used: it fails under several workers, and this loop is the same for one
device and many.
"""

import dataclasses
import tempfile
import zlib
from pathlib import Path

import numpy as np
import tensorflow as tf

from lorbms_tf import flags, run_directory, training_logs
from lorbms_tf.config import TrainConfig
from lorbms_tf.data import pipeline, records
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json
from lorbms_tf.model import Lorbms
from lorbms_tf.training import strategies
from lorbms_tf.training.checkpoints import Checkpoints
from lorbms_tf.training.reporting import Reporter, Samples
from lorbms_tf.training.watch import Watch


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
    model.compile_optimizers(total_steps, config.schedule, config.warmup_steps)
    return model


def _checksum(config: TrainConfig) -> int:
    """Of the settings that all workers must share; folders and devices are each one's own."""
    own = {"records": "", "eval_records": "", "run_dir": "", "device": "auto"}
    return zlib.crc32(flags.as_text(dataclasses.replace(config, **own)).encode())


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


def plan(config: TrainConfig, chief: bool = True) -> Plan:
    """Finds and checks the records, resolves tau and the number of steps. Writes nothing.

    The run directory is the business of the chief alone, where there are several workers.

    Raises UserError for records that are missing, cut short, or of another image size, and for
    a run directory that the run may not be started in.
    """
    for name in ("records", "run_dir"):
        if not getattr(config, name):
            raise UserError(f"--{name} is required")
    shards = records.find_shards(config.records)
    pipeline.check_image_size(shards, config.image_size)
    if config.eval_records:
        pipeline.check_image_size(records.find_shards(config.eval_records), config.image_size)
    steps_per_epoch = pipeline.count_steps(shards, config.batch_size)
    total = config.epochs * steps_per_epoch
    if config.max_steps:
        total = min(total, config.max_steps)
    resolved = resolve_tau(config, shards)
    if chief:
        run_directory.check(resolved)
    return Plan(resolved, shards, steps_per_epoch, total)


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
        jit = strategies.compiles(config.jit, self.strategy)
        self.chief = strategies.is_chief(self.strategy)
        with self.strategy.scope():
            self.model = build_model(config, planned.total_steps)
            self.model.loss_share = 1.0 / replicas
            self.folder = self._prepare()
            self.checkpoints = Checkpoints(
                self.folder / run_directory.CHECKPOINTS, self.model, config.keep_checkpoints
            )
        self.first_step = self._restore()
        # There is no control flow on tensors to convert, and converting costs many seconds.
        self._sigmas = tf.function(
            lambda: training_logs.spectral_sigmas(self.model.networks), autograph=False
        )
        self._step_function = tf.function(
            self._distributed_step, autograph=False, jit_compile=jit or None
        )

    def _prepare(self) -> Path:
        """Where this process writes: the run directory, or a temporary folder beside the chief.

        Saving is the work of all devices together, so every worker must write something.
        """
        if self.chief:
            return run_directory.prepare(self.plan.config)
        self._scratch = tempfile.TemporaryDirectory(prefix="lorbms-worker-")
        return Path(self._scratch.name)

    def _restore(self) -> int:
        """Restores the last checkpoint in all workers, the chief first; returns its step.

        Called outside the strategy's scope: to make a variable there is the work of all workers.
        """
        config, step = self.plan.config, 0
        if self.chief:
            step = self.checkpoints.restore()
        wanted = {
            "the number of steps": self.plan.total_steps,
            "their flags (checksums)": _checksum(config),
        }
        strategies.check_agreement(self.strategy, wanted)
        if not self.chief:
            shared = Path(config.run_dir) / run_directory.CHECKPOINTS
            step = Checkpoints(shared, self.model).restore()
        found = {"the step of the last checkpoint": step}
        strategies.check_agreement(self.strategy, found)
        return step

    def _distributed_step(self, batch) -> dict:
        names = []

        def on_each_device(batch):
            values = self.model.train_step(batch)
            names[:] = values
            return tf.stack([tf.cast(value, tf.float32) for value in values.values()])

        # One vector, not a scalar each: several hosts exchange it in one message.
        stacked = self.strategy.run(on_each_device, args=(batch,))
        means = self.strategy.reduce(tf.distribute.ReduceOp.MEAN, stacked, axis=None)
        return dict(zip(names, tf.unstack(means), strict=True))

    def batches(self, first_step: int):
        """The batches of the run from a step on; each device's share of every one."""
        config = self.plan.config

        def own_share(context: tf.distribute.InputContext) -> tf.data.Dataset:
            dataset = pipeline.training_batches(
                self.plan.shards,
                config.image_size,
                config.batch_size,
                seed=config.seed,
                first_step=first_step,
                shuffle_buffer=config.shuffle_buffer,
                devices=context.num_replicas_in_sync,
                worker=context.input_pipeline_id,
                workers=context.num_input_pipelines,
            )
            # Or the workers would ask each other before each step whether any is at its end.
            endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
            return dataset.apply(endless)

        return iter(self.strategy.distribute_datasets_from_function(own_share))

    def _samples(self) -> Samples:
        config = self.plan.config
        pattern = config.eval_records or config.records
        held_out = pipeline.evaluation_batches(
            pattern, config.image_size, config.sample_rows, config.seed, config.sample_rows
        )
        render = tf.function(self.model.render, autograph=False)
        first = next(pipeline.checked(held_out, pattern))
        return Samples(first, render, self.folder / run_directory.SAMPLES)

    def _rates(self) -> dict[str, float]:
        """Learning rates and spectral norms, for when scalars are written."""
        optimizers = {
            name: getattr(self.model, f"{name}_optimizer")
            for name in ("generator", "discriminator", "classifier")
        }
        # As a tensor first: with several devices the rate is a variable mirrored over them.
        rates = {
            f"learning_rate/{name}": float(tf.convert_to_tensor(optimizer.learning_rate))
            for name, optimizer in optimizers.items()
        }
        return {**rates, **{name: float(value) for name, value in self._sigmas().items()}}

    def train(self) -> int:
        """Trains to the last step; returns how many steps this call has made."""
        config, total = self.plan.config, self.plan.total_steps
        if self.first_step >= total:
            return 0
        reporter = Reporter(
            self.folder / run_directory.LOGS,
            config,
            self.plan.steps_per_epoch,
            total,
            Watch(Path(config.run_dir) / run_directory.CHECKPOINTS, config.collapse_steps),
        )
        reporter.settings()
        samples = self._samples()
        if self.first_step == 0:
            samples.write(0, reporter.writer)
        batches = pipeline.checked(self.batches(self.first_step), config.records)
        batches = reporter.timed(batches)
        for step in range(self.first_step + 1, total + 1):
            values = self._step_function(next(batches))
            reporter.step_done(step, values, self._rates)
            if step % config.sample_every_steps == 0 or step == total:
                samples.write(step, reporter.writer)
                reporter.pause()
            if step % config.checkpoint_every_steps == 0 or step == total:
                reporter.check(step)  # a run that has diverged keeps its last good checkpoint
                self.checkpoints.save(step)
                reporter.pause()
        reporter.writer.close()
        return total - self.first_step
