"""DeePSiM: a generator that draws photos back from a network's features (seed 000).

Images are float [B, S, S, 3] in [-1, 1]; features [B, h, w, C], or [B, D], also where maps have
1x1 places. In the modes autoencoder and vae the features are codes [B, D] of an encoder that
learns, too.
"""

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from lorbms_tf.deepsim import building, draws, objective, signatures
from lorbms_tf.deepsim.config import DeepsimConfig
from lorbms_tf.deepsim.signs import CONTRAST
from lorbms_tf.gan import losses
from lorbms_tf.latent import normal
from lorbms_tf.training.pausing import Pausing

REENCODINGS = 4  # passes through encoder and generator that `infer` looks at


class Deepsim(keras.Model):
    """Encoder, generator, and a discriminator where the configuration asks for one.

    A frozen encoder and the comparator belong to no checkpoint: they come from where their flags
    say. So do the first weights of an encoder that learns.

    Args:
      config: networks, weights of the losses and rates.
      seed: of all initial weights, and of random encoders and comparators.
      precision: arithmetic of the trained networks.

    Raises UserError for networks, layers and weights that cannot be used; ValueError where sizes do
    not fit each other.
    """

    may_start_anew = ("discriminator",)  # a run without an adversary may be followed by one with

    def __init__(self, config: DeepsimConfig, seed: int = 0, precision: str = "float32"):
        super().__init__(name="deepsim")
        self.config, self.precision = config, precision
        self._encoder = building.frozen(config, "encoder", [config.layer], seed)
        self.coder = None
        if config.has_coder:
            self.coder = building.coder(config, self._encoder, seed, precision)
        shape = (1, config.image_size, config.image_size, config.channels)
        self._feature_shape = tuple(self.encode(ops.zeros(shape)).shape[1:])
        self.generator = building.generator(config, self._feature_shape, seed, precision)
        self.discriminator, self._step_count = None, None
        if config.has_adversary or config.mode == "vae":
            self._step_count = self.add_weight(
                name="steps",
                dtype="int64",
                initializer="zeros",
                trainable=False,
                aggregation="only_first_replica",
            )
        if config.has_adversary:
            self.discriminator = building.discriminator(
                config, self._feature_shape, seed, precision
            )
            limits = (config.pause_below, config.resume_above, config.generator_pause_above)
            self._pausing = Pausing(self, *limits, active=config.pausing)
        self.loss_share = 1.0  # one over the number of devices: their gradients are summed
        self.dynamic_shapes = True
        self.built = True

    @property
    def saved_networks(self) -> dict:
        """Every network that a checkpoint holds, by name."""
        named = {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "encoder": self.coder,
        }
        return {name: network for name, network in named.items() if network is not None}

    def _learners(self, name: str) -> dict:
        """The networks that an optimizer changes, by name."""
        together = {"generator": ("generator", "encoder")}.get(name, (name,))
        return {key: one for key, one in self.saved_networks.items() if key in together}

    @property
    def optimizers_by_name(self) -> dict:
        """The optimizers by the name of what they change."""
        return self._optimizers

    @property
    def state(self) -> dict:
        """Who learns in the next step, and how many steps were made, where anything is drawn."""
        if self._step_count is None:
            return {}
        flags = {} if self.discriminator is None else self._pausing.state
        return {"steps": self._step_count, **flags}

    @property
    def feature_shape(self) -> tuple[int, ...]:
        """Of one picture's features."""
        return self._feature_shape

    @property
    def encoder_network(self) -> Any:
        """The Keras model of the encoder."""
        return self.coder or self._encoder.network

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

    def encode(self, images: Any) -> Any:
        """Images [B, S, S, 3] -> features; of a vae the means of its codes."""
        if self.coder is None:
            features = ops.cast(self._encoder(images)[self.config.layer], "float32")
            # Maps of one place are a vector, which the generator for vectors spreads over places.
            return _flat(features) if tuple(features.shape[1:-1]) == (1, 1) else features
        codes = self.coder(images)
        return normal.mean(codes) if self.config.mode == "vae" else codes

    def decode(self, features: Any) -> Any:
        """Features -> images [B, S, S, 3] in [-1, 1]."""
        return ops.clip(self.generator(self._read(features), training=False), -1.0, 1.0)

    def _read(self, features: Any) -> Any:
        """What the generator reads of frozen features; codes lie around 1 of themselves."""
        return features if self.coder else self.config.feature_scale * features

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
            layers = config.comparator_layer
            self._comparator = building.frozen(config, "comparator", layers, config.seed)
            shape = (1, config.image_size, config.image_size, 3)
            maps = self._comparator(ops.zeros(shape)).values()
            self._compared_numbers = sum(int(ops.size(one)) for one in maps)
        self._optimizers = {
            name: building.adam(config, self._learners(name), total_steps, self.precision)
            for name in self.saved_networks
            if name != "encoder"
        }

    def train_step(self, batch: dict) -> dict:
        """One step on photos "image" [B, S, S, 3]; float32 scalars by name, means over them."""
        images, dropout = batch["image"], None
        if self.discriminator is not None:
            dropout = draws.dropout(*self._draw(), images, self.discriminator.draw_count)
        with tf.GradientTape() as tape:
            features, parts = self._features(images)
            made = self.generator(features, training=True)
            parts |= self._loss_parts(images, made, features, dropout)
            total = sum(parts.values())
        logs = {"loss/total": total, **{f"loss/{name}": value for name, value in parts.items()}}
        logs["psnr/train"] = _psnr(ops.clip(made, -1.0, 1.0), images)
        logs[CONTRAST] = _spread(made) / tf.maximum(_spread(images), 1e-6)
        if self.discriminator is None:
            self._descend("generator", tape, total, logs)
        else:
            fixed = (ops.stop_gradient(made), ops.stop_gradient(features))
            self._adversarial_updates(images, *fixed, dropout, tape, parts, logs)
        if self._step_count is not None:
            self._step_count.assign_add(1)
        return logs

    def _draw(self) -> tuple[int, Any]:
        """Seed and number of this step, by which it draws."""
        return self.config.seed, tf.convert_to_tensor(self._step_count)

    def _features(self, images: Any) -> tuple[Any, dict]:
        """What the generator reads in a step, and the losses of an encoder that learns."""
        if self.coder is None:
            return self._read(ops.stop_gradient(self.encode(images))), {}
        codes = self.coder(images, training=True)
        if self.config.mode != "vae":
            return codes, {}
        noise = draws.noise(*self._draw(), images, self.config.latent_size)
        divergence = self.config.kl_weight * ops.mean(normal.divergences(codes))
        return normal.draws(codes, noise), {"divergence": divergence}

    def _adversarial_updates(
        self, images: Any, made: Any, features: Any, dropout: Any, tape: Any, parts: dict, logs
    ) -> None:
        """Both networks' updates, and who learns in the next step."""
        with tf.GradientTape() as other_tape:
            real, fake = self._judged(images, made, features, dropout)
            real_loss, fake_loss = losses.two_way_losses(real, fake)
            judged = real_loss + fake_loss
        logs |= {"loss/discriminator": judged, "loss/real": real_loss, "loss/fake": fake_loss}
        self._descend("generator", tape, logs["loss/total"], logs)
        self._descend("discriminator", other_tape, judged, logs)
        own = parts["adversarial"] / self.config.adversarial_weight
        logs |= self._pausing.update(real_loss, fake_loss, own)

    def _loss_parts(self, images: Any, made: Any, features: Any, dropout: Any) -> dict:
        """The weighted losses of the generator by name."""
        config, parts = self.config, {}
        if config.image_weight:
            parts["image"] = config.image_weight * objective.image_loss(made, images)
        if config.feature_weight:
            wanted = {k: ops.stop_gradient(v) for k, v in self._comparator(images).items()}
            loss = objective.feature_loss(self._comparator(made), wanted)
            parts["feature"] = config.feature_weight * loss
        if self.discriminator is not None:
            logits = self.discriminator(made, features, dropout[0])
            parts["adversarial"] = config.adversarial_weight * losses.two_way_generator(logits)
        return parts

    def _judged(self, images: Any, made: Any, features: Any, dropout: Any) -> tuple[Any, Any]:
        """The discriminator's logits of real and of made images, [B, 2] each."""
        both = ops.concatenate([images, made], axis=0)
        own = ops.concatenate([features] * 2, axis=0)
        logits = self.discriminator(both, own, ops.concatenate(dropout[1:], axis=0))
        return tuple(ops.split(logits, 2, axis=0))

    def _descend(self, name: str, tape: Any, loss: Any, logs: dict) -> None:
        """One update of an optimizer's networks, unless they pause."""
        networks, optimizer = self._learners(name), self._optimizers[name]
        groups = [network.trainable_variables for network in networks.values()]
        variables = [variable for group in groups for variable in group]
        decayed = [variable for network in networks.values() for variable in network.decayed]
        share = self.loss_share * optimizer.output_gradient
        gradients = tape.gradient(
            loss, [variable.value for variable in variables], output_gradients=share
        )
        gradients = objective.decayed_gradients(
            gradients, variables, decayed, share * self.config.weight_decay
        )
        learns = None if self.discriminator is None else self._pausing.learns(name)
        norms = optimizer.update(gradients, groups, learns)
        logs |= {f"gradient_norm/{key}": norm for key, norm in zip(networks, norms, strict=True)}


def _flat(features: Any) -> Any:
    return ops.reshape(features, (-1, math.prod(features.shape[1:])))


def _psnr(images: Any, others: Any) -> Any:
    squared = tf.reduce_mean(tf.square(images - others), axis=(1, 2, 3))
    return tf.reduce_mean(10.0 * tf.math.log(4.0 / tf.maximum(squared, 1e-10)) / 2.302585093)


def _spread(images: Any) -> Any:
    """The mean over pictures of the deviation of their values."""
    return tf.reduce_mean(tf.math.reduce_std(images, axis=(1, 2, 3)))
