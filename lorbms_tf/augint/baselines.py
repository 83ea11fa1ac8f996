"""The baselines that are no plain autoencoders (seed 003): VAE, WGAN-GP, DAGAN."""

import tensorflow as tf
from keras import ops

from lorbms_tf.augint import building, objective
from lorbms_tf.augint.model import Autoencoder, weighted
from lorbms_tf.errors import UserError
from lorbms_tf.gan import losses
from lorbms_tf.latent import normal
from lorbms_tf.latent.slerp import great_circle, unit_norm
from lorbms_tf.networks.stateless import stateless
from lorbms_tf.training import optimizers

INVERSION_MOMENTUM = 0.1
_CUTS = 5  # the inversion's rate falls to a tenth after each fifth of its steps


class Vae(Autoencoder):
    """The encoder gives mean and logarithm of the variance of a code, which has any length.

    Images are encoded as their means; paths between codes are great circles whose length changes
    evenly.
    """

    def _make_networks(self, seed: int) -> None:
        config, precision = self.config, self.precision
        self.encoder = building.encoder(config, 2 * config.code_size, seed, precision)
        self.decoder = building.decoder(config, config.code_size, seed + 1, precision)
        self.discriminator = self.k = None

    def encode(self, images):
        return self.encoder(images, training=False)[:, : self.config.code_size]

    def between(self, start, end, shares):
        return great_circle(start, end, shares)

    def blend(self, codes, weights):
        return weighted(codes, weights)

    def train_step(self, batch: dict) -> dict:
        config, images = self.config, batch["image"]
        noise = self.draws(images, config.code_size, "normal")
        with tf.GradientTape() as tape:
            statistics = self.encoder(images, training=True)
            output = self.decoder(normal.draws(statistics, noise), training=True)
            loss = objective.vae_loss(
                images, output, statistics, config.kl_weight, config.reconstruction_norm
            )
        logs = {
            "loss/autoencoder": loss,
            "loss/divergence": ops.mean(normal.divergences(statistics)),
            "psnr/train": objective.psnr(images, output),
            "diversity/output": objective.diversity(output, images),
        }
        self.descend("generator", tape, loss, ("encoder", "decoder"), logs)
        return logs


class WganGp(Autoencoder):
    """A generator of noise of length one, and a critic with a gradient penalty.

    In the last `inversion_steps` the finished generator stays as it is, and an encoder learns to
    tell the codes of its images (seed 003, A.2); `lorbms_tf.augint.invert` then refines them.
    """

    def _make_networks(self, seed: int) -> None:
        config, precision = self.config, self.precision
        self.encoder = building.encoder(config, config.code_size, seed, precision)
        self.decoder = building.decoder(config, config.code_size, seed + 1, precision)
        self.discriminator = building.encoder(config, 1, seed + 2, precision, norm="layer")
        self.k = None

    def compile_optimizers(self, total_steps: int = 0) -> None:
        config = self.config
        adversarial = total_steps - self._inversion_steps
        if total_steps and adversarial < 1:
            raise UserError(
                f"--inversion_steps={config.inversion_steps} leaves no step for the generator: the "
                f"run has {total_steps} steps"
            )
        super(Autoencoder, self).compile()
        self._adversarial_steps = adversarial
        self._optimizers = {
            "generator": self._adam(
                config.learning_rate, adversarial // config.critic_updates, *self._generator
            ),
            "discriminator": self._adam(
                config.discriminator_learning_rate, adversarial, self.discriminator
            ),
        }
        if self._inversion_steps:
            fifth = self._inversion_steps / _CUTS
            rate = optimizers.tenths(config.inversion_rate, [fifth * n for n in range(1, _CUTS)])
            self._optimizers["inversion"] = optimizers.Sgd(rate, momentum=INVERSION_MOMENTUM)
            self._optimizers["inversion"].build(self.encoder.trainable_variables)

    @property
    def _inversion_steps(self) -> int:
        return self.config.inversion_steps

    @property
    def _generator(self) -> tuple:
        return (self.decoder,)

    _generator_names = ("decoder",)

    def phase(self, step: int) -> str:
        """Critic steps, each fifth with an update of the generator; the inversion at the end."""
        if step > self._adversarial_steps:
            return "inversion_step"
        return "critic_step" if step % self.config.critic_updates else "train_step"

    def train_step(self, batch: dict) -> dict:
        """One update of the critic, then one of the generator."""
        logs = self._update_critic(batch)
        noise = self._noise(batch["image"], "generator")
        with tf.GradientTape() as tape:
            output = self._generated(batch, noise)
            loss = losses.wgan_generator(stateless(self.discriminator)(self._shown(batch, output)))
        self.descend("generator", tape, loss, self._generator_names, logs)
        return logs | self._of_generator(batch, output, loss)

    def critic_step(self, batch: dict) -> dict:
        """One update of the critic; the same scalars as of `train_step`."""
        logs = self._update_critic(batch)
        output = self._generated(batch, self._noise(batch["image"], "discriminator"))
        loss = losses.wgan_generator(stateless(self.discriminator)(self._shown(batch, output)))
        logs |= {f"gradient_norm/{name}": ops.zeros(()) for name in self._generator_names}
        return logs | self._of_generator(batch, output, loss)

    def _of_generator(self, batch, output, loss) -> dict:
        return {
            "loss/generator": loss,
            "diversity/output": objective.diversity(output, batch["image"]),
        }

    def _update_critic(self, batch: dict) -> dict:
        images = batch["image"]
        real = self._real(batch)
        fake = self._generated(batch, self._noise(images, "discriminator"))
        fake = ops.stop_gradient(self._shown(batch, fake))
        shares = self.draws(images, 1, by="discriminator")[:, 0]
        points = losses.interpolates(real, fake, shares)
        with tf.GradientTape() as tape:
            scores = [self.discriminator(shown, training=True) for shown in (real, fake)]
            with tf.GradientTape() as inner:
                inner.watch(points)
                at_points = self.discriminator(points, training=True)
            penalty = losses.gradient_penalty(inner.gradient(at_points, points))
            critic = losses.wgan_critic(*scores)
            loss = critic + self.config.gradient_penalty * penalty
        logs = {
            "loss/critic": loss,
            "score/distance": -critic,
            "score/penalty": penalty,
        }
        self.descend("discriminator", tape, loss, ("discriminator",), logs)
        return logs

    def _noise(self, images, by: str):
        return unit_norm(self.draws(images, self.config.code_size, "normal", by))

    def _generated(self, batch: dict, noise):
        return self.decoder(noise, training=True)

    def _shown(self, batch: dict, images):
        """What the critic sees of generated images."""
        return images

    def _real(self, batch: dict):
        """What the critic sees of real images."""
        return batch["image"]

    def inversion_step(self, batch: dict) -> dict:
        """The encoder learns the codes of generated images by their squared error."""
        codes = self._noise(batch["image"], "inversion")
        images = self.decoder(codes, training=False)
        with tf.GradientTape() as tape:
            loss = objective.code_error(self.encoder(images, training=True), codes)
        logs = {"loss/inversion": loss, "diversity/output": objective.diversity(images, images)}
        self.descend("inversion", tape, loss, ("encoder",), logs)
        return logs


class Dagan(WganGp):
    """A generator of an image and noise; the critic sees the image beside another of its class.

    A code is that of the image, then the noise; both halves have length one. Between two codes the
    noise stays that of the first.
    """

    def _make_networks(self, seed: int) -> None:
        config, precision = self.config, self.precision
        self.encoder = building.encoder(config, config.code_size, seed, precision)
        self.decoder = building.decoder(config, 2 * config.code_size, seed + 1, precision)
        self.discriminator = building.encoder(
            config, 1, seed + 2, precision, channels=2 * config.channels, norm="layer"
        )
        self.k = None

    _inversion_steps = 0
    _generator_names = ("encoder", "decoder")

    @property
    def _generator(self) -> tuple:
        return (self.encoder, self.decoder)

    def encode(self, images):
        codes = super().encode(images)
        still = ops.zeros_like(codes) + 1.0 / self.config.code_size**0.5
        return ops.concatenate([codes, still], axis=-1)

    def between(self, start, end, shares):
        size = self.config.code_size
        codes = super().between(start[:, :size], end[:, :size], shares)
        return ops.concatenate([codes, start[:, size:]], axis=-1)

    def blend(self, codes, weights):
        size = self.config.code_size
        return ops.concatenate(
            [super().blend(codes[..., :size], weights), codes[:, 0, size:]], axis=-1
        )

    def _generated(self, batch: dict, noise):
        codes = objective.codes(self.encoder, batch["image"])
        return self.decoder(ops.concatenate([codes, noise], axis=-1), training=True)

    def _shown(self, batch: dict, images):
        return ops.concatenate([batch["image"], images], axis=-1)

    def _real(self, batch: dict):
        others, _ = objective.class_partners(batch["image"], batch["label"])
        return self._shown(batch, others)


MODELS = {
    "augint": Autoencoder,
    "ae": Autoencoder,
    "intae": Autoencoder,
    "vae": Vae,
    "wgan_gp": WganGp,
    "dagan": Dagan,
}
