"""DeePSiM: a generator that draws photos back from a network's features (seed 000).

Images are float [B, S, S, 3] in [-1, 1]; features [B, h, w, C] or [B, D].
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from lorbms_tf.deepsim import objective, signatures
from lorbms_tf.deepsim.config import DeepsimConfig
from lorbms_tf.deepsim.signs import CONTRAST
from lorbms_tf.features import taps
from lorbms_tf.gan import balance, losses
from lorbms_tf.networks.deepsim_discriminator import DeepsimDiscriminator
from lorbms_tf.networks.upconv import UpConv
from lorbms_tf.training import optimizers

REENCODINGS = 4  # passes through encoder and generator that `infer` looks at


class Deepsim(keras.Model):
    """Encoder (frozen), generator, and a discriminator where the configuration asks for one.

    The encoder and the comparator belong to no checkpoint: they come from where their flags say.

    Args:
      config: networks, weights of the losses and rates.
      seed: of all initial weights, and of random encoders and comparators.
      precision: arithmetic of the trained networks.

    Raises UserError for networks, layers and weights that cannot be used; ValueError where sizes do
    not fit each other.
    """

    def __init__(self, config: DeepsimConfig, seed: int = 0, precision: str = "float32"):
        super().__init__(name="deepsim")
        self.config, self.precision = config, precision
        self._encoder = taps.make(config.encoder, [config.layer], config.encoder_weights, seed)
        shape = (1, config.image_size, config.image_size, config.channels)
        self._feature_shape = tuple(self._encode(ops.zeros(shape)).shape[1:])
        self.generator = UpConv(
            config.image_size,
            self._feature_shape,
            config.widths,
            config.dense,
            config.head,
            seed=seed,
            dtype=precision,
        )
        self.discriminator = None
        if config.has_adversary:
            self._make_discriminator(seed)
        self.loss_share = 1.0  # one over the number of devices: their gradients are summed
        self.dynamic_shapes = True
        self.built = True

    def _make_discriminator(self, seed: int) -> None:
        config, numbers = self.config, 1
        for extent in self._feature_shape:
            numbers *= extent
        self.discriminator = DeepsimDiscriminator(
            config.image_size,
            config.discriminator_widths,
            config.discriminator_dense,
            numbers if config.discriminator_features else 0,
            seed=seed,
            dtype=self.precision,
        )
        shared = {"trainable": False, "aggregation": "only_first_replica"}
        self._step_count = self.add_weight(
            name="steps", dtype="int64", initializer="zeros", **shared
        )
        self._learning = {
            name: self.add_weight(name=f"{name}_on", initializer="ones", **shared)
            for name in ("discriminator", "generator")
        }

    @property
    def saved_networks(self) -> dict:
        """Every network that a checkpoint holds, by name."""
        both = {"generator": self.generator, "discriminator": self.discriminator}
        return {name: network for name, network in both.items() if network is not None}

    @property
    def optimizers_by_name(self) -> dict:
        """The optimizers by the name of what they change."""
        return self._optimizers

    @property
    def state(self) -> dict:
        """Who learns in the next step, and how many steps were made."""
        if self.discriminator is None:
            return {}
        return {"steps": self._step_count, **{f"{k}_on": v for k, v in self._learning.items()}}

    @property
    def feature_shape(self) -> tuple[int, ...]:
        """Of one picture's features."""
        return self._feature_shape

    @property
    def encoder_network(self) -> Any:
        """The Keras model of the encoder."""
        return self._encoder.network

    def origins(self) -> list[str]:
        """Where the weights of the networks that are not trained are from, a sentence each."""
        config, found = self.config, [("encoder", self._encoder)]
        if getattr(self, "_comparator", None):
            found.append(("comparator", self._comparator))
        lines = []
        for name, one in found:
            warning = "warning: " if one.weights == "random" else ""
            layers = ", ".join(one.layers)
            flag = getattr(config, f"{name}_weights") or "none given"
            lines.append(
                f"{warning}{name} {one.name} ({layers}): {one.weights} weights (--{name}_weights: "
                f"{flag})"
            )
        return lines

    def phase(self, step: int) -> str:
        """Every step is alike."""
        return "train_step"

    def monitor(self) -> dict:
        """How many times mean squared errors the weighted losses are (see `objective`)."""
        config = self.config
        factors = {"scale/image": objective.image_factor(config.image_weight, config.image_size)}
        if config.feature_weight:
            factors["scale/feature"] = objective.feature_factor(
                config.feature_weight, self._compared_numbers
            )
        return {name: tf.constant(value, tf.float32) for name, value in factors.items()}

    def _encode(self, images: Any) -> Any:
        return ops.cast(self._encoder(images)[self.config.layer], "float32")

    def encode(self, images: Any) -> Any:
        """Images [B, S, S, 3] -> features."""
        return self._encode(images)

    def decode(self, features: Any) -> Any:
        """Features -> images [B, S, S, 3] in [-1, 1]."""
        read = self.config.feature_scale * features
        return ops.clip(self.generator(read, training=False), -1.0, 1.0)

    def infer(self, batch: dict) -> dict:
        """What the model makes of held-out photos, without any draw.

        Returns reconstruction [B, S, S, 3]; reencoded, after `REENCODINGS` passes; and of photos
        and both the features, [B, D]: features, reconstruction_features, reencoded_features.
        """
        features = self.encode(batch["image"])
        images, found = [], [features]
        for _ in range(REENCODINGS):
            images.append(self.decode(found[-1]))
            found.append(self.encode(images[-1]))
        return {
            "reconstruction": images[0],
            "reencoded": images[-1],
            "features": _flat(features),
            "reconstruction_features": _flat(found[1]),
            "reencoded_features": _flat(found[-1]),
        }

    def signatures(self) -> dict:
        """What is served, by name."""
        return signatures.signatures(self)

    def compile_optimizers(self, total_steps: int = 0) -> None:
        """Makes the comparator, the optimizers of a run of so many steps, and their variables.

        Raises UserError where the comparator cannot be used.
        """
        super().compile()
        config = self.config
        self._comparator = None
        if config.feature_weight:
            self._comparator = taps.make(
                config.comparator, config.comparator_layer, config.comparator_weights, config.seed
            )
            shape = (1, config.image_size, config.image_size, 3)
            maps = self._comparator(ops.zeros(shape)).values()
            self._compared_numbers = sum(int(ops.size(one)) for one in maps)
        self._optimizers = {
            name: self._adam(network, total_steps) for name, network in self.saved_networks.items()
        }

    def _adam(self, network: Any, total_steps: int) -> optimizers.Adam:
        config = self.config
        rate = optimizers.rate_over_run(
            config.learning_rate, max(1, total_steps), config.warmup_steps, config.schedule
        )
        adam = optimizers.Adam(
            optimizers.halved(rate, config.halvings),
            scale_loss=self.precision == "mixed_float16",
            beta_1=config.adam_beta_1,
            beta_2=config.adam_beta_2,
        )
        adam.build(network.trainable_variables)
        return adam

    def train_step(self, batch: dict) -> dict:
        """One step on photos "image" [B, S, S, 3]; float32 scalars by name, means over them."""
        images = batch["image"]
        features = self.config.feature_scale * ops.stop_gradient(self._encode(images))
        draws = None
        if self.discriminator is not None:
            draws = self._draws(ops.shape(images)[0])
        with tf.GradientTape() as tape:
            made = self.generator(features, training=True)
            parts = self._loss_parts(images, made, features, draws)
            total = sum(parts.values())
        logs = {"loss/total": total, **{f"loss/{name}": value for name, value in parts.items()}}
        logs["psnr/train"] = _psnr(ops.clip(made, -1.0, 1.0), images)
        logs[CONTRAST] = _spread(made) / tf.maximum(_spread(images), 1e-6)
        if self.discriminator is None:
            self._descend("generator", tape, total, logs)
            return logs
        with tf.GradientTape() as other_tape:
            real, fake = self._judged(images, ops.stop_gradient(made), features, draws)
            real_loss, fake_loss = losses.two_way_losses(real, fake)
            judged = real_loss + fake_loss
        logs |= {"loss/discriminator": judged, "loss/real": real_loss, "loss/fake": fake_loss}
        self._descend("generator", tape, total, logs)
        self._descend("discriminator", other_tape, judged, logs)
        self._set_learning(
            real_loss, fake_loss, parts["adversarial"] / self.config.adversarial_weight, logs
        )
        self._step_count.assign_add(1)
        return logs

    def _loss_parts(self, images: Any, made: Any, features: Any, draws: Any) -> dict:
        """The weighted losses of the generator by name."""
        config, parts = self.config, {}
        if config.image_weight:
            parts["image"] = config.image_weight * objective.image_loss(made, images)
        if config.feature_weight:
            wanted = {k: ops.stop_gradient(v) for k, v in self._comparator(images).items()}
            loss = objective.feature_loss(self._comparator(made), wanted)
            parts["feature"] = config.feature_weight * loss
        if self.discriminator is not None:
            logits = self.discriminator(made, features, draws[0])
            parts["adversarial"] = config.adversarial_weight * losses.two_way_generator(logits)
        return parts

    def _judged(self, images: Any, made: Any, features: Any, draws: Any) -> tuple[Any, Any]:
        """The discriminator's logits of real and of made images, [B, 2] each."""
        both = ops.concatenate([images, made], axis=0)
        own = ops.concatenate([features] * 2, axis=0)
        logits = self.discriminator(both, own, ops.concatenate(draws[1:], axis=0))
        return tuple(ops.split(logits, 2, axis=0))

    def _draws(self, count: Any) -> list:
        """Uniform draws for dropout, three times [count, n], by seed and step alone.

        Those of the whole batch are drawn, and this device takes its own: any number of devices
        sees what one sees.
        """
        replica = tf.distribute.get_replica_context()
        step = tf.cast(tf.convert_to_tensor(self._step_count), tf.int64)
        seed = tf.stack([tf.constant(self.config.seed, tf.int64), step])
        shape = [count * replica.num_replicas_in_sync, 3, self.discriminator.draw_count]
        first = tf.cast(replica.replica_id_in_sync_group, tf.int32) * count
        drawn = tf.random.stateless_uniform(shape, seed)[first : first + count]
        return [drawn[:, kind] for kind in range(3)]

    def _descend(self, name: str, tape: Any, loss: Any, logs: dict) -> None:
        """One update of a network, unless it pauses."""
        network, optimizer = self.saved_networks[name], self._optimizers[name]
        variables = network.trainable_variables
        share = self.loss_share * optimizer.output_gradient
        gradients = tape.gradient(
            loss, [variable.value for variable in variables], output_gradients=share
        )
        gradients = objective.decayed_gradients(
            gradients, variables, network.decayed, share * self.config.weight_decay
        )
        learns = None
        if self.discriminator is not None and self.config.pausing:
            learns = tf.convert_to_tensor(self._learning[name]) > 0.5
        logs[f"gradient_norm/{name}"] = optimizer.update(gradients, [variables], learns)[0]

    def _set_learning(self, real_loss: Any, fake_loss: Any, adversarial: Any, logs: dict) -> None:
        """Decides by the means over all devices who learns in the next step."""
        config, replica = self.config, tf.distribute.get_replica_context()
        values = tf.stack([real_loss, fake_loss, adversarial])
        real, fake, own = tf.unstack(replica.all_reduce(tf.distribute.ReduceOp.MEAN, values))
        logs["balance/ratio"] = (real + fake) / tf.maximum(own, 1e-12)
        now = {name: tf.convert_to_tensor(one) for name, one in self._learning.items()}
        logs |= {f"balance/{name}_on": value for name, value in now.items()}
        if not config.pausing:
            return
        flags = balance.training_flags(
            real,
            fake,
            own,
            now["discriminator"],
            now["generator"],
            config.pause_below,
            config.resume_above,
            config.generator_pause_above,
        )
        for variable, flag in zip(self._learning.values(), flags, strict=True):
            variable.assign(tf.cast(flag, tf.float32))


def _flat(features: Any) -> Any:
    return ops.reshape(features, (ops.shape(features)[0], -1))


def _psnr(images: Any, others: Any) -> Any:
    squared = tf.reduce_mean(tf.square(images - others), axis=(1, 2, 3))
    return tf.reduce_mean(10.0 * tf.math.log(4.0 / tf.maximum(squared, 1e-10)) / 2.302585093)


def _spread(images: Any) -> Any:
    """The mean over pictures of the deviation of their values."""
    return tf.reduce_mean(tf.math.reduce_std(images, axis=(1, 2, 3)))
