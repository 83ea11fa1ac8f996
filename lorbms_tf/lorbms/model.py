"""The model: four networks, three optimizers, and one training step (thesis, 3.3 and 3.6)."""

import math

import tensorflow as tf
from keras import ops

from lorbms_tf.distances.draws import Draws
from lorbms_tf.features import named_distances
from lorbms_tf.lorbms import (
    attribute_parts,
    augmentations,
    losses,
    objective,
    scalars,
    signatures,
)
from lorbms_tf.lorbms.adams import adams
from lorbms_tf.lorbms.building import (
    Networks,
    build_generator,
    build_networks,
    build_part_classifier,
)
from lorbms_tf.lorbms.config import ModelConfig
from lorbms_tf.lorbms.mixing_autoencoder import MixingAutoencoder
from lorbms_tf.lorbms.objective import Scene
from lorbms_tf.networks.spectral_norm import advance_spectral_norms
from lorbms_tf.networks.stateless import stateless
from lorbms_tf.training import moving_average
from lorbms_tf.training.pausing import Pausing


class Lorbms(MixingAutoencoder):
    """The mixing autoencoder with its discriminator and classifier.

    Images are float [B, H, W, 3] in [-1, 1], codes [B, 2, 2, C], masks bool [B, 4] (True where
    the quadrant is replaced).

    Args:
      config: sizes, loss weights and rates; the defaults are the thesis.
      seed: seed of all initial weights.
      precision: arithmetic of the networks, "float32", "mixed_bfloat16" or "mixed_float16";
        weights, codes, images and losses are float32 in all.
    """

    def __init__(self, config: ModelConfig, seed: int = 0, precision: str = "float32", **kwargs):
        super().__init__(name="lorbms", **kwargs)
        self.config = config
        networks = build_networks(config, seed, precision)
        self.encoder, self.decoder, self.discriminator, self.classifier = networks
        self.part_classifier = build_part_classifier(config, seed, precision)
        self.averaged = None  # encoder and decoder of the moving average
        if config.ema_decay:
            self.averaged = build_generator(config, seed, precision)
            for network in self.averaged:
                network.trainable = False
        self.pausing = Pausing(self, top=math.inf) if config.pause_discriminator else None
        self.precision, self._seed = precision, seed
        self.perceptual = None  # the distance of --perceptual, from `compile` on
        self.tau = config.tau
        self.loss_share = 1.0  # one over the number of replicas: their gradients are summed
        self.dynamic_shapes = True  # False where XLA compiles the step (`objective.forward`)
        self.built = True

    @property
    def networks(self) -> Networks:
        """The four networks by name."""
        return Networks(self.encoder, self.decoder, self.discriminator, self.classifier)

    @property
    def saved_networks(self) -> dict:
        """Every network that a checkpoint holds, by name."""
        named = self.networks._asdict()
        if self.part_classifier:
            named["part_classifier"] = self.part_classifier
        if self.averaged:
            named["averaged_encoder"], named["averaged_decoder"] = self.averaged
        return named

    @property
    def optimizers_by_name(self) -> dict:
        """The three Adams by the name of what they change."""
        return {
            "generator": self.generator_optimizer,
            "discriminator": self.discriminator_optimizer,
            "classifier": self.classifier_optimizer,
        }

    @property
    def state(self) -> dict:
        """Whether the discriminator pauses, where it may."""
        return self.pausing.state if self.pausing else {}

    def phase(self, step: int) -> str:
        """The step method of training step `step` (from 1)."""
        if step > self.config.autoencoder_steps:
            return "train_step"
        interpolates = augmentations.is_due(step, self.config.augint_share)
        return "interpolation_step" if interpolates else "autoencoder_step"

    def monitor(self) -> dict:
        """Spectral norms, as float32 scalars by name."""
        return scalars.spectral_sigmas(self.networks)

    def signatures(self) -> dict:
        """What is served, by name (`lorbms_tf.lorbms.signatures`)."""
        return signatures.signatures(self)

    def compile_optimizers(
        self, total_steps: int = 0, schedule: str = "constant", warmup_steps: int = 0
    ) -> None:
        """Makes the three Adams of section 3.6.

        Args:
          total_steps: length of the run in training steps; needed by the cosine schedule.
          schedule: "constant" or "cosine" (to zero at the end of the run, from the end of the
            autoencoder steps on).
          warmup_steps: training steps over which the rates rise from 0 before that.
        """
        self.compile(**adams(self.config, self.precision, total_steps, schedule, warmup_steps))

    def compile(self, generator_optimizer, discriminator_optimizer, classifier_optimizer):
        """Sets the optimizers, of the kind `optimizers.Adam`, and makes their variables.

        So a checkpoint can hold them before the first step. Makes the perceptual distance too;
        UserError where its weights cannot be had.
        """
        super().compile()
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.classifier_optimizer = classifier_optimizer
        if self.config.lambda_perceptual:
            self.perceptual = named_distances.make(self.config.perceptual, self.config, self._seed)
        generator_optimizer.build(self.generator_variables)
        discriminator_optimizer.build(self.discriminator.trainable_variables)
        classifier_optimizer.build(
            [v for name in self._classifiers for v in getattr(self, name).trainable_variables]
        )

    @property
    def generator_variables(self) -> list:
        """What a generator update changes: the trainable variables of encoder and decoder."""
        return self.encoder.trainable_variables + self.decoder.trainable_variables

    @property
    def _classifiers(self) -> tuple[str, ...]:
        return ("classifier", "part_classifier") if self.part_classifier else ("classifier",)

    def train_step(self, batch):
        """One training step on one batch (thesis, section 3.6).

        Args:
          batch: dict of reference [B, H, W, 3], candidates [B, 4, H, W, 3] and distances [B, 4].

        Returns:
          dict of float32 scalars (see `lorbms_tf.lorbms.scalars`), means over this replica's batch;
          those of the last generator update.
        """
        self.advance_spectral_norms()
        logs = {}
        for _ in range(self.config.generator_updates):  # twice in the thesis
            scene = self._update_generator(batch, logs)  # eq. 3.6
        self._update_discriminator(scene, logs)  # eq. 3.9
        self._update_classifier(scene, logs)  # eq. 3.5
        self._update_average()
        return logs

    def autoencoder_step(self, batch):
        """One step in which encoder and decoder learn to reconstruct and nothing is mixed.

        Not in the thesis. It costs a fraction of a training step, so that a small budget reaches
        sharp reconstructions sooner; mixing is then learnt by a decoder that can already draw.

        Takes what `train_step` takes and returns dict of float32 scalars, fewer of them.
        """
        reference = batch["reference"]
        return self._reconstruct(
            reference, lambda: self.decoder(self.encoder(reference, training=True), training=True)
        )

    def interpolation_step(self, batch):
        """An `autoencoder_step` from the codes of two augmentations to the one between them."""
        step = self.generator_optimizer.iterations
        seen = augmentations.views(batch["reference"], self._seed, step)
        return self._reconstruct(
            seen.target,
            lambda: objective.interpolated_views(*self.networks[:2], seen),
            scalars.of_interpolation,
        )

    def _reconstruct(self, target, decoded, tell=scalars.of_autoencoder) -> dict:
        """A step of encoder and decoder towards images [B, H, W, 3].

        decoded: () -> theirs; tell: names what is to tell of them (`lorbms_tf.lorbms.scalars`).
        """
        advance_spectral_norms(self.decoder)
        logs = {}
        with tf.GradientTape() as tape:
            reconstruction = decoded()
            loss = losses.distance(target, reconstruction, self.config.reconstruction_norm)
            perceptual = None
            if self.perceptual and self.config.perceptual_autoencoder:
                perceptual = losses.perceptual(self._distance, target, reconstruction)
                loss += self.config.lambda_perceptual * perceptual
        self._descend(tape, loss, self.generator_optimizer, ("encoder", "decoder"), logs)
        self._update_average()
        return {**tell(target, reconstruction, loss, perceptual), **logs}

    def advance_spectral_norms(self) -> None:
        """One power iteration in every spectrally normalised layer; once per training step."""
        advance_spectral_norms(self.decoder)
        advance_spectral_norms(self.discriminator)
        if self.averaged:
            advance_spectral_norms(self.averaged[1])

    def _update_generator(self, batch, logs) -> Scene:
        # The classifier judges with the batch's own statistics, as it is trained, but here its
        # moving averages must stay as they are: they belong to the classifier's update.
        networks = self._at_a_place()
        networks = networks._replace(classifier=stateless(self.classifier))
        draws = Draws(self.generator_optimizer.iterations, self._seed + 2)
        with tf.GradientTape() as tape:
            encoded = None
            if self.part_classifier:  # which needs all candidates: encoded once for both scenes
                pictures = batch["reference"], batch["candidates"]
                encoded = objective.encode_scene(self.encoder, *pictures, training=True)
            scene, distances = objective.scene(
                networks, batch, self.config, self.tau, draws, self.dynamic_shapes, encoded
            )
            distance = self._distance if self.perceptual else None
            loss = objective.generator_loss(networks, scene, self.config, distance)
            total, part_loss = loss.total, None
            if self.part_classifier:
                draws = Draws(self.generator_optimizer.iterations, self._seed + 3)
                parts = attribute_parts.scene(networks, batch, encoded, self.config, draws)
                judge = stateless(self.part_classifier)
                part_loss = attribute_parts.generator_loss(networks, judge, parts, self.config)
                total += part_loss.total
                scene = scene._replace(parts=parts)
        self._descend(tape, total, self.generator_optimizer, ("encoder", "decoder"), logs)
        logs |= scalars.of_generator(scene, loss, distances, part_loss)
        return scene

    def _at_a_place(self) -> Networks:
        """The networks; where the discriminator looks at a patch, at that of this update.

        By the generator's updates, which go on while a discriminator pauses.
        """
        update = self.generator_optimizer.iterations
        return objective.at_a_place(self.networks, self.config, update, seed=self._seed + 1)

    def _distance(self, images, others):
        """The perceptual distance [N] by the draw of this update, which a checkpoint holds."""
        return self.perceptual(images, others, self.generator_optimizer.iterations)

    def _update_discriminator(self, scene: Scene, logs) -> None:
        with tf.GradientTape() as tape:
            networks = self._at_a_place()
            judged = attribute_parts.judged(scene)
            loss, real, fake = objective.discriminator_loss(networks, judged)
        learns = self.pausing.learns("discriminator") if self.pausing else None
        self._descend(tape, loss, self.discriminator_optimizer, ("discriminator",), logs, learns)
        logs |= scalars.of_discriminator(loss, real, fake)
        if self.pausing:
            logs |= self.pausing.update(loss, 0.0, logs["loss/adversarial"])

    def _update_classifier(self, scene: Scene, logs) -> None:
        with tf.GradientTape() as tape:
            loss, logits, labels = objective.classifier_loss(self.networks, scene, self.config)
            total, told = loss, ()
            if scene.parts:
                told = attribute_parts.classifier_loss(
                    self.part_classifier, scene.parts, self.config
                )
                total += told[0]
        self._descend(tape, total, self.classifier_optimizer, self._classifiers, logs)
        logs |= scalars.of_classifier(loss, logits, labels)
        if told:
            logs |= scalars.of_part_classifier(*told)

    def _descend(self, tape, loss, optimizer, names, logs, learns=None) -> None:
        """One update of the named networks along the gradient of the loss, unless they pause."""
        groups = [getattr(self, name).trainable_variables for name in names]
        sources = [variable.value for group in groups for variable in group]
        seed = self.loss_share * optimizer.output_gradient
        gradients = tape.gradient(loss, sources, output_gradients=seed)
        for name, norm in zip(names, optimizer.update(gradients, groups, learns), strict=True):
            logs[f"gradient_norm/{name}"] = norm
        if optimizer.scale_loss:
            logs[f"loss_scale/{names[-1]}"] = optimizer.output_gradient

    def _update_average(self) -> None:
        """Moves the averaged encoder and decoder towards the present ones."""
        if not self.averaged:
            return
        steps = ops.cast(self.generator_optimizer.iterations, "float32")
        steps = steps / self.config.generator_updates
        moving_average.move(self.averaged, self.networks[:2], self.config.ema_decay, steps)
