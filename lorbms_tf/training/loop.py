"""The training run: data, model and optimizers under a strategy, `strategy.run` over train_step.

Keras's own `fit` is not used: it fails under several workers, and this loop is the same for one
device and many.
"""

import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from lorbms_tf.cli import command, flags
from lorbms_tf.errors import Stopped, UserError
from lorbms_tf.training import event_files, initial_weights, run_directory, strategies
from lorbms_tf.training.checkpoints import Best, Checkpoints
from lorbms_tf.training.evaluator import Evaluator
from lorbms_tf.training.interrupts import Interrupts
from lorbms_tf.training.method import Method, Share, Trainable
from lorbms_tf.training.planning import Plan
from lorbms_tf.training.reporting import Reporter, Samples
from lorbms_tf.training.run_config import RunConfig
from lorbms_tf.training.watch import Watch

# Settings that differ between workers: where they find the files, and their devices.
_EACH_ONES_OWN = (
    *("records", "eval_records", "photos", "eval_photos", "images", "run_dir", "device"),
)


def build_model(method: Method, config: RunConfig, total_steps: int) -> Trainable:
    """A compiled model for a run. UserError where the sizes do not fit each other."""
    try:
        return method.model(config, total_steps)
    except ValueError as error:
        raise UserError(f"the networks cannot be built with these sizes: {error}") from error


def _checksum(config: RunConfig) -> int:
    """Of the settings that all workers must share; folders and devices are each one's own."""
    lines = flags.as_text(config).splitlines()
    shared = [line for line in lines if line.partition("=")[0].lstrip("-") not in _EACH_ONES_OWN]
    return zlib.crc32("\n".join(shared).encode())


class Run:
    """One run in its run directory, new or continued.

    Args:
      planned: what `planning.plan` gave.
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
        # Several workers save together or not at all, but a signal comes to one of them.
        self._alone = strategies.is_alone(self.strategy)
        if config.evaluate_every_steps and not self._alone:
            raise UserError(
                "--evaluate_every_steps is for a single worker; score the checkpoints of several "
                f"with {command.line('lorbms_tf.evaluate', run_dir=config.run_dir)} ..."
            )
        with self.strategy.scope():
            self.model = build_model(planned.method, config, planned.total_steps)
            self.model.loss_share = 1.0 / replicas
            self.model.dynamic_shapes = not jit
            self.folder = self._prepare()
            self.checkpoints = Checkpoints(
                self.folder / run_directory.CHECKPOINTS, self.model, config.keep_checkpoints
            )
        self.first_step = self._done = self._saved = self._restore()
        self._jit = jit or None
        self._steps: dict[str, Callable] = {}  # by the name of the step method, when first wanted
        # There is no control flow on tensors to convert, and converting costs many seconds.
        self._monitor = tf.function(self.model.monitor, autograph=False)
        self._infer = tf.function(self.model.infer, autograph=False, reduce_retracing=True)

    def _prepare(self) -> Path:
        """Where this process writes: the run directory, or a temporary folder beside the chief.

        Saving is the work of all devices together, so every worker must write something.
        """
        if self.chief:
            return run_directory.prepare(self.plan.config, self.plan.data.fingerprint)
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
            step = Checkpoints(shared, self.model).restore(tidy=False)  # the chief does that
        if not step and config.init_from:
            initial_weights.load(self.model, config.init_from)
        found = {"the step of the last checkpoint": step}
        strategies.check_agreement(self.strategy, found)
        return step

    def _over_devices(self, step):
        """A step on each device's share of a batch -> one on the batch: the means of its values."""
        names = []

        def on_each_device(batch):
            values = step(batch)
            names[:] = values
            return tf.stack([tf.cast(value, tf.float32) for value in values.values()])

        def on_all(batch) -> dict:
            # One vector, not a scalar each: several hosts exchange it in one message.
            stacked = self.strategy.run(on_each_device, args=(batch,))
            means = self.strategy.reduce(tf.distribute.ReduceOp.MEAN, stacked, axis=None)
            return dict(zip(names, tf.unstack(means), strict=True))

        return on_all

    def batches(self, first_step: int):
        """The batches of the run from a step on; each device's share of every one."""

        def own_share(context: tf.distribute.InputContext) -> tf.data.Dataset:
            share = Share(
                context.num_replicas_in_sync,
                context.input_pipeline_id,
                context.num_input_pipelines,
            )
            dataset = self.plan.data.training(first_step, share)
            # Or the workers would ask each other before each step whether any is at its end.
            endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
            return dataset.apply(endless)

        return iter(self.strategy.distribute_datasets_from_function(own_share))

    def _samples(self) -> Samples:
        rows = self.plan.config.sample_rows
        first = next(iter(self.plan.data.held_out(rows, rows)()))
        folder = self.folder / run_directory.SAMPLES
        return Samples(first, self._infer, self.plan.method.pictures, folder)

    def _evaluator(self, interrupts: Interrupts) -> Evaluator | None:
        config = self.plan.config
        if not config.evaluate_every_steps:
            return None
        limit = config.evaluate_records or None
        held_out = self.plan.data.held_out(config.batch_size, limit)
        best = Best(self.folder / run_directory.CHECKPOINTS, self.model, config.best_metric)

        def batches():
            return interrupts.watch(held_out())

        return Evaluator(self._infer, batches, self.plan.method.scores(), best)

    def _extras(self) -> dict[str, float]:
        """Learning rates and what the model monitors, for when scalars are written."""
        # As a tensor first: with several devices the rate is a variable mirrored over them.
        rates = {
            f"learning_rate/{name}": float(tf.convert_to_tensor(optimizer.learning_rate))
            for name, optimizer in self.model.optimizers_by_name.items()
        }
        return {**rates, **{name: float(value) for name, value in self._monitor().items()}}

    def _step(self, phase: str) -> Callable:
        """A step method as a graph over all devices."""
        if phase not in self._steps:
            self._reporter.say(self.plan.method.tracing(self.plan.config, phase))
            over_devices = self._over_devices(getattr(self.model, phase))
            self._steps[phase] = tf.function(over_devices, autograph=False, jit_compile=self._jit)
        return self._steps[phase]

    def train(self) -> int:
        """Trains to the last step; returns how many steps this call has made.

        SIGTERM and Ctrl-C let it finish the step in hand, save, and raise `Stopped`; where there
        are several workers they are not waited for, and the last checkpoint is as it was. Raises
        UserError where the records cannot be read any more, a file cannot be written, another
        worker is gone, or the run diverges; the last good checkpoint stays.
        """
        total = self.plan.total_steps
        if self.first_step >= total:
            return 0
        with Interrupts() as interrupts:
            try:
                self._train(interrupts)
            except Stopped as stop:
                if self._alone:
                    self._save()
                raise Stopped(
                    f"{stop} after step {self._done} of {total}; the same command continues "
                    f"{self.plan.config.run_dir} from step {self._saved}",
                    stop.signal_number,
                ) from None
            except strategies.LOST_WORKER as error:
                if self._alone:
                    raise
                raise strategies.lost_worker(self._done, self._saved) from error
        return total - self.first_step

    def _train(self, interrupts: Interrupts) -> None:
        config, total = self.plan.config, self.plan.total_steps
        logs = self.folder / run_directory.LOGS
        event_files.forget_from(logs, self.first_step + 1 if self.first_step else 0)
        method, data = self.plan.method, self.plan.data
        checkpoints = Path(config.run_dir) / run_directory.CHECKPOINTS
        watch = Watch(checkpoints, config.collapse_steps, method.signs, method.judged)
        reporter = Reporter(logs, config, method, data.steps_per_epoch, total, watch)
        self._reporter = reporter
        reporter.settings()
        samples, evaluator = self._samples(), self._evaluator(interrupts)
        if self.first_step == 0:
            reporter.say("drawing the first pictures")
            samples.write(0, reporter.events)
        batches = reporter.timed(data.checked(self.batches(self.first_step)))
        for step in range(self.first_step + 1, total + 1):
            values = self._step(self.model.phase(step))(self._next(batches))
            self._done = step
            if self._alone:
                interrupts.work_begun()
            reporter.step_done(step, values, self._extras)
            if step % config.sample_every_steps == 0 or step == total:
                samples.write(step, reporter.events)
                reporter.pause()
            if evaluator and (step % config.evaluate_every_steps == 0 or step == total):
                evaluator.evaluate(step, reporter.events)
                reporter.pause()
            if step % config.checkpoint_every_steps == 0 or step == total:
                self._save()
                reporter.pause()
            interrupts.check()
        reporter.events.close()

    def _next(self, batches) -> dict:
        try:
            return next(batches)
        except UserError:
            if self._alone:
                self._save()  # the records may come back, and the run go on where it was
            raise

    def _save(self) -> None:
        """Saves the state after the last step that was made, unless it is saved already."""
        if self._done > self._saved:
            self._reporter.check(self._done)  # a run that has diverged keeps its last good one
            self.checkpoints.save(self._done)
            self._saved = self._done
