"""AugIntAE, and the autoencoders that it is compared with (seed 003): networks and training step.

Images are float [B, S, S, C] in [-1, 1], codes [B, D] of length one.
"""

import keras
import tensorflow as tf
from keras import ops

from lorbms_tf.augint import building, objective, signatures
from lorbms_tf.augint.config import AugintConfig
from lorbms_tf.data import augmented_views
from lorbms_tf.gan import balance, losses
from lorbms_tf.latent.slerp import great_circle, unit_norm
from lorbms_tf.networks.stateless import stateless
from lorbms_tf.training import draws, optimizers

SHARES = (0.25, 0.5, 0.75)  # of a path: the points that `infer` decodes (seed 003, A.3)


class Autoencoder(keras.Model):
    """Encoder and decoder, and a discriminator where the configuration asks for one.

    Args:
      config: sizes, objective and rates.
      seed: of all initial weights.
      precision: arithmetic of the networks; weights, codes, images and losses are float32.
    """

    def __init__(self, config: AugintConfig, seed: int = 0, precision: str = "float32"):
        super().__init__(name=config.objective)
        self.config, self.precision = config, precision
        self._make_networks(3 * seed)
        self.loss_share = 1.0  # one over the number of devices: their gradients are summed
        self.dynamic_shapes = True
        self.built = True

    def _make_networks(self, seed: int) -> None:
        config, precision = self.config, self.precision
        self.encoder = building.encoder(config, config.code_size, seed, precision)
        self.decoder = building.decoder(config, config.code_size, seed + 1, precision)
        self.discriminator = self.k = None
        if config.has_adversary:
            self.discriminator = building.encoder(config, 1, seed + 2, precision)
            self.k = self.add_weight(  # equation 3
                name="k", initializer="ones", trainable=False, aggregation="only_first_replica"
            )

    @property
    def saved_networks(self) -> dict:
        """Every network that a checkpoint holds, by name."""
        named = {name: getattr(self, name) for name in ("encoder", "decoder", "discriminator")}
        return {name: network for name, network in named.items() if network is not None}

    @property
    def optimizers_by_name(self) -> dict:
        """The optimizers by the name of what they change."""
        return self._optimizers

    @property
    def state(self) -> dict:
        """The weight k of the adversarial gradient, where there is one (equation 5)."""
        return {} if self.k is None else {"k": self.k}

    def phase(self, step: int) -> str:
        """The step method of training step `step` (from 1)."""
        return "train_step"

    def monitor(self) -> dict:
        """Nothing beside what each step tells."""
        return {}

    def encode(self, images):
        """Images [B, S, S, C] -> codes [B, D]."""
        return objective.codes(self.encoder, images, training=False)

    def decode(self, codes):
        """Codes [B, D] -> images [B, S, S, C] in [-1, 1]."""
        return self.decoder(codes, training=False)

    def between(self, start, end, shares):
        """Codes on the paths from start to end [B, D]; shares: a number, or one a code [B]."""
        return great_circle(start, end, shares, unit=True)

    def blend(self, codes, weights):
        """Codes in the simplex of some: [M, K, D] and weights [M, K] that sum to one -> [M, D]."""
        return unit_norm(weighted(codes, weights))

    def infer(self, batch: dict) -> dict:
        """What the model makes of held-out images, without any draw.

        Returns reconstruction [B, S, S, C]; partner, each one's neighbour in the batch; path
        [B, 3, S, S, C], the images at `SHARES` of the way to it; and of these the middle.
        """
        images = batch["image"]
        codes = self.encode(images)
        ends = objective.partners(codes)
        path = ops.stack([self.decode(self.between(codes, ends, t)) for t in SHARES], axis=1)
        return {
            "reconstruction": self.decode(codes),
            "partner": objective.partners(images),
            "path": path,
            "middle": path[:, 1],
        }

    def signatures(self) -> dict:
        """What is served, by name."""
        return signatures.signatures(self)

    def compile_optimizers(self, total_steps: int = 0) -> None:
        """Makes the optimizers of a run of so many steps, and their variables."""
        super().compile()
        self._optimizers = {
            "generator": self._adam(
                self.config.learning_rate, total_steps, self.encoder, self.decoder
            )
        }
        if self.discriminator is not None:
            self._optimizers["discriminator"] = self._adam(
                self.config.discriminator_learning_rate, total_steps, self.discriminator
            )

    def _adam(self, rate: float, updates: int, *networks) -> optimizers.Adam:
        config = self.config
        adam = optimizers.Adam(
            optimizers.rate_over_run(
                rate, max(1, updates), config.warmup_steps, config.run_schedule
            ),
            clip_norm=config.clip_norm,
            scale_loss=self.precision == "mixed_float16",
            beta_1=config.adam_beta_1,
            beta_2=config.adam_beta_2,
        )
        adam.build([variable for network in networks for variable in network.trainable_variables])
        return adam

    def train_step(self, batch: dict) -> dict:
        """One step on images [B, S, S, C].

        Returns float32 scalars by name, means over this device's share of the batch.
        """
        config, images = self.config, batch["image"]
        seen = augmented_views.views(
            images,
            self.draws(images, augmented_views.DRAWS),
            objective.RANGES[config.augmentation],
            config.fill,
            ends=config.objective == "augint",
        )
        with tf.GradientTape() as tape:
            decoded = objective.forward(config)(self.encoder, self.decoder, seen)
        gradient, logs = self._output_gradient(seen.target, decoded)
        self.descend("generator", tape, decoded, ("encoder", "decoder"), logs, gradient)
        if self.discriminator is not None:
            fakes = ops.stop_gradient(decoded[-ops.shape(images)[0] :])
            self._update_discriminator(seen.target, fakes, logs)
        return logs

    def _output_gradient(self, target, decoded):
        """The gradient of equation 1 at the decoder's output, and what there is to tell of it."""
        count = ops.shape(target)[0]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(decoded)
            output = decoded[:count]
            loss = ops.mean(objective.distances(target, output, self.config.reconstruction_norm))
            if self.discriminator is not None:
                # Its moving averages stay: they belong to its own update.
                scores = stateless(self.discriminator)(decoded[-count:])
                adversarial = losses.lsgan_generator(scores, self.config.discriminator_targets)
        logs = {
            "loss/autoencoder": loss,
            "psnr/train": objective.psnr(target, output),
            "diversity/output": objective.diversity(output, target),
        }
        gradient = tape.gradient(loss, decoded)
        if self.discriminator is None:
            return gradient, logs
        ours, theirs = gradient[:count], tape.gradient(adversarial, decoded)[-count:]
        added = ops.convert_to_tensor(self.k) * balance.rescaled(ours, theirs)
        # To the end: to the outputs themselves, or to the pairs behind them.
        silent = ops.zeros_like(decoded[:-count])
        logs |= {
            "loss/adversarial": adversarial,
            "balance/gamma": ops.mean(balance.gammas(ours, theirs)),
        }
        return gradient + ops.concatenate([silent, added], axis=0), logs

    def _update_discriminator(self, real, fake, logs) -> None:
        with tf.GradientTape() as tape:
            real_scores = self.discriminator(real, training=True)
            fake_scores = self.discriminator(fake, training=True)
            loss = losses.lsgan_discriminator(
                real_scores, fake_scores, self.config.discriminator_targets
            )
        self.descend("discriminator", tape, loss, ("discriminator",), logs)
        replica = tf.distribute.get_replica_context()
        margin = ops.mean(real_scores) - ops.mean(fake_scores)
        margin = replica.all_reduce(tf.distribute.ReduceOp.MEAN, margin)
        self.k.assign(balance.next_k(ops.convert_to_tensor(self.k), margin))
        logs |= {
            "loss/discriminator": loss,
            "balance/k": ops.convert_to_tensor(self.k),
            "score/real": ops.mean(real_scores),
            "score/fake": ops.mean(fake_scores),
        }

    def draws(self, images, columns: int, kind: str = "uniform", by: str = "generator"):
        """Draws of this device for its images, [B, columns], by seed and step alone.

        Args:
          images: [B, ...].
          columns: numbers an image.
          kind: "uniform" in [0, 1), or "normal".
          by: the name of the optimizer whose updates count the steps.
        """
        step = tf.convert_to_tensor(self._optimizers[by].iterations)
        stream = list(self._optimizers).index(by) * 2 + (kind == "normal")
        return draws.for_images(images, columns, 8 * self.config.seed + stream, step, kind)

    def descend(self, optimizer, tape, loss, names, logs, gradient=None) -> None:
        """One update of the named networks.

        Args:
          optimizer: by its name.
          tape: which has seen the loss.
          loss: a scalar; or, with `gradient`, any tensor.
          names: of the networks.
          logs: takes the lengths of their gradients.
          gradient: of what is lowered, with respect to `loss`; None: one.
        """
        optimizer = self._optimizers[optimizer]
        groups = [getattr(self, name).trainable_variables for name in names]
        sources = [variable.value for group in groups for variable in group]
        share = self.loss_share * optimizer.output_gradient
        gradients = tape.gradient(
            loss, sources, output_gradients=share if gradient is None else share * gradient
        )
        for name, norm in zip(names, optimizer.update(gradients, groups), strict=True):
            logs[f"gradient_norm/{name}"] = norm


def weighted(codes, weights):
    """Sums of codes [M, K, D] with weights [M, K], [M, D]."""
    return ops.sum(codes * ops.expand_dims(weights, -1), axis=1)
