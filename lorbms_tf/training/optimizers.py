"""The optimizer of each network: Adam with rates over the run, clipping and loss scaling."""

import keras
import tensorflow as tf

INITIAL_LOSS_SCALE = 2.0**15
STEP_SHARES = (0.35, 0.7)  # of a run (seed 003)
GROWTH_STEPS = 2000  # updates with finite gradients after which the loss scale is doubled


def rate_over_run(
    rate: float, updates: int, warmup_updates: int, schedule: str, held_updates: int = 0
):
    """A learning rate over a run: a number where it is constant, else a Keras schedule.

    Args:
      rate: the highest learning rate.
      updates: of the whole run, the warm-up included.
      warmup_updates: over which the rate rises in equal steps from 0 to `rate`.
      schedule: what follows, "constant", "cosine" (to zero at the end of the run) or "steps" (to a
        tenth after each of `STEP_SHARES` of the run).
      held_updates: first updates, the warm-up among them, before which no cosine falls.
    """
    if schedule == "cosine":
        held = max(0, held_updates - warmup_updates)
        after = keras.optimizers.schedules.CosineDecay(
            rate, max(1, updates - warmup_updates - held), warmup_target=rate, warmup_steps=held
        )
    elif schedule == "steps":
        after = tenths(rate, [share * updates - warmup_updates for share in STEP_SHARES])
    elif warmup_updates:
        after = _Constant(rate)
    else:
        return rate
    return _WarmUp(rate, warmup_updates, after) if warmup_updates else after


def tenths(rate: float, updates):
    """A Keras schedule: the rate, and a tenth of what it was from each of the updates on."""
    # Keras's own goes down after its boundary.
    boundaries = [max(0, round(update)) - 1 for update in updates]
    values = [rate * 0.1**index for index in range(len(boundaries) + 1)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, values)


def halved(rate, updates):
    """A Keras schedule: a rate (a number or a schedule), halved at each of the updates."""
    return _Halved(rate, updates) if updates else rate


class _Halved(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, rate, updates):
        self._rate, self._updates = rate, tuple(updates)

    def __call__(self, step):
        done = sum(
            tf.cast(tf.cast(step, tf.int64) >= update, tf.float32) for update in self._updates
        )
        rate = self._rate(step) if callable(self._rate) else self._rate
        return rate * tf.pow(0.5, done)

    def get_config(self):
        return {"rate": self._rate, "updates": self._updates}


class _Constant(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, rate: float):
        self._rate = rate

    def __call__(self, step):
        return tf.constant(self._rate, tf.float32)

    def get_config(self):
        return {"rate": self._rate}


class _WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Rises in a line to `rate` over `updates` updates, then follows another schedule."""

    def __init__(self, rate: float, updates: int, after):
        self._rate, self._updates, self._after = rate, updates, after

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        rising = self._rate * (step + 1.0) / self._updates
        # A schedule may not be asked for a step before its first.
        after = self._after(tf.maximum(step - self._updates, 0.0))
        return tf.where(step < self._updates, rising, after)

    def get_config(self):
        return {"rate": self._rate, "updates": self._updates, "after": self._after}


class _Door:
    """One door, `update`, before an optimizer of Keras, that sees all devices' gradients together.

    Norms, clipping and the search for overflow need the gradients of the global batch. Keras sums
    over the devices only inside its own update, so here that is done before, and not again.
    """

    clip_norm = 0.0
    scale_loss = False

    def build(self, variables):
        super().build(variables)
        if self.scale_loss:  # among the optimizer's variables, so that checkpoints hold them
            self.loss_scale = self._scalar("loss_scale", "float32", INITIAL_LOSS_SCALE)
            self.good_updates = self._scalar("good_updates", "int64", 0)

    def _scalar(self, name: str, dtype: str, value):
        return self.add_variable(
            shape=(),
            dtype=dtype,
            initializer=keras.initializers.Constant(value),
            name=name,
            aggregation="only_first_replica",
        )

    @property
    def output_gradient(self):
        """What the gradient of the loss with respect to itself is taken to be, a scalar."""
        return tf.convert_to_tensor(self.loss_scale) if self.scale_loss else tf.constant(1.0)

    def update(self, gradients, groups: list[list], learns=None) -> list:
        """Updates the variables; called on each device with the gradients of its own share.

        Args:
          gradients: one a variable, times `output_gradient`; their sum over the devices counts.
          groups: the Keras variables, network by network.
          learns: a bool scalar, the same on all devices; where it is False nothing changes (moments
            and the count of updates neither), but for the scale of the loss. None: True.

        Returns:
          The length of each network's gradient before clipping, float32 scalars; 0 where
          overflow had the update left out.
        """
        replica = tf.distribute.get_replica_context()
        gradients = replica.all_reduce(tf.distribute.ReduceOp.SUM, list(gradients))
        if self.scale_loss:
            gradients = [gradient / self.output_gradient for gradient in gradients]
        rest, norms, clipped = iter(gradients), [], []
        for group in groups:
            own = [next(rest) for _ in group]
            norm = tf.linalg.global_norm(own)
            norms.append(norm)
            if self.clip_norm:
                factor = self.clip_norm / tf.maximum(norm, self.clip_norm)
                own = [gradient * factor for gradient in own]
            clipped += own
        variables = [variable for group in groups for variable in group]
        if not self.scale_loss:
            if learns is None:
                self.apply(clipped, variables)
            else:
                self._apply_if(learns, clipped, variables)
            return norms
        finite = tf.reduce_all(tf.math.is_finite(tf.stack(norms)))
        self._apply_if(
            finite if learns is None else tf.logical_and(finite, learns), clipped, variables
        )
        self._adapt_scale(finite)
        return [tf.where(finite, norm, 0.0) for norm in norms]

    def _apply_if(self, finite, gradients, variables) -> None:
        def across(strategy, finite, gradients):
            # The same on all devices, for the gradients are.
            finite = strategy.experimental_local_results(finite)[0]

            def apply():
                strategy.extended.call_for_each_replica(self.apply, args=(gradients, variables))

            tf.cond(finite, apply, lambda: None)

        # Between the devices: a branch may not wait for others inside one of them.
        tf.distribute.get_replica_context().merge_call(across, args=(finite, gradients))

    def _adapt_scale(self, finite) -> None:
        scale = tf.convert_to_tensor(self.loss_scale)
        good = tf.where(finite, tf.convert_to_tensor(self.good_updates) + 1, 0)
        grow = good >= GROWTH_STEPS
        grown = tf.where(grow, scale * 2.0, scale)
        self.loss_scale.assign(tf.where(finite, grown, tf.maximum(scale / 2.0, 1.0)))
        self.good_updates.assign(tf.where(grow, tf.zeros_like(good), good))

    def _all_reduce_sum_gradients(self, grads_and_vars):
        return list(grads_and_vars)  # `update` has summed them


class Adam(_Door, keras.optimizers.Adam):
    """Keras's Adam behind the door `update`.

    Update t moves a weight by `-rate * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + epsilon)`, m
    and v being the plain moments: the second, cheaper form of Kingma and Ba (2015, section 2),
    whose epsilon they call "epsilon hat". TensorFlow 1's Adam is the same formula, with 1e-8.

    Args:
      rate: learning rate, a number or a schedule.
      epsilon: see above, above 0.
      clip_norm: length to which a network's gradient is shortened; 0: never.
      scale_loss: whether losses are scaled up for the way back, so that float16 gradients do not
        vanish. An update whose gradients overflow is left out and the scale halved; after
        `GROWTH_STEPS` good ones it is doubled (Micikevicius et al. 2018).
    """

    def __init__(
        self,
        rate,
        epsilon: float = 1e-8,
        clip_norm: float = 0.0,
        scale_loss: bool = False,
        **kwargs,
    ):
        super().__init__(rate, epsilon=epsilon, **kwargs)
        self.clip_norm = clip_norm
        self.scale_loss = scale_loss

    def update_step(self, gradient, variable, learning_rate):
        """Both moments and the weight in one operation: Keras's ten read all of them each time."""
        number = self._get_variable_index(variable)
        moments = [kept[number].value for kept in (self._momentums, self._velocities)]
        dtype = variable.dtype
        count = tf.cast(tf.convert_to_tensor(self.iterations) + 1, dtype)
        decays = [tf.constant(beta, dtype) for beta in (self.beta_1, self.beta_2)]
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=moments[0].handle,
            v=moments[1].handle,
            beta1_power=tf.pow(decays[0], count),
            beta2_power=tf.pow(decays[1], count),
            lr=tf.cast(learning_rate, dtype),
            beta1=decays[0],
            beta2=decays[1],
            epsilon=tf.constant(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )


class Sgd(_Door, keras.optimizers.SGD):
    """Keras's SGD behind the same door. Args: rate, a number or a schedule; momentum."""

    def __init__(self, rate, momentum: float = 0.0, **kwargs):
        super().__init__(rate, momentum=momentum, **kwargs)
