"""Which of two adversaries learns in the next step, in variables that a checkpoint holds.

The rules are `lorbms_tf.gan.balance.training_flags` (seed 000): r is the discriminator's loss over
the adversarial one of the generator. All devices decide by the means over all of them.
"""

from typing import Any

import keras
import tensorflow as tf

from lorbms_tf.gan import balance

NETWORKS = ("discriminator", "generator")


class Pausing:
    """The two flags, and their rules.

    Args:
      model: whose variables the flags become.
      low: below this r the discriminator stops, while it learns.
      high: above it the discriminator goes on again.
      top: above it the generator stops, while it learns.
      active: False: both always learn; r is told all the same.
    """

    def __init__(
        self,
        model: keras.Model,
        low: float = 0.1,
        high: float = 0.5,
        top: float = 10.0,
        active: bool = True,
    ):
        self._limits, self._active = (low, high, top), active
        self._flags = {
            name: model.add_weight(
                name=f"{name}_on",
                initializer="ones",
                trainable=False,
                aggregation="only_first_replica",
            )
            for name in NETWORKS
        }

    @property
    def state(self) -> dict:
        """The flags by name, 1 or 0: "discriminator_on", "generator_on"."""
        return {f"{name}_on": flag for name, flag in self._flags.items()}

    def learns(self, name: str) -> Any:
        """Whether a network learns now, a bool scalar; None: always."""
        return tf.convert_to_tensor(self._flags[name]) > 0.5 if self._active else None

    def update(self, real_loss: Any, fake_loss: Any, adversarial: Any) -> dict:
        """Decides who learns in the next step, by this device's losses of this one, scalars.

        Returns r and who has learned in this step, float32 scalars by name.
        """
        replica = tf.distribute.get_replica_context()
        values = tf.stack([real_loss, fake_loss, adversarial])
        real, fake, own = tf.unstack(replica.all_reduce(tf.distribute.ReduceOp.MEAN, values))
        now = {name: tf.convert_to_tensor(flag) for name, flag in self._flags.items()}
        logs = {f"balance/{name}_on": value for name, value in now.items()}
        logs["balance/ratio"] = (real + fake) / tf.maximum(own, 1e-12)
        if self._active:
            flags = balance.training_flags(real, fake, own, *now.values(), *self._limits)
            for variable, flag in zip(self._flags.values(), flags, strict=True):
                variable.assign(tf.cast(flag, tf.float32))
        return logs
