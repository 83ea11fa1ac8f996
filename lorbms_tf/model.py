"""The model: four networks, three optimizers, and one training step (thesis, 3.3 and 3.6)."""

import keras
import tensorflow as tf
from keras import ops

from lorbms_tf import mixing, objective
from lorbms_tf.config import ModelConfig
from lorbms_tf.networks.classifier import Classifier
from lorbms_tf.networks.decoder import Decoder
from lorbms_tf.networks.discriminator import Discriminator
from lorbms_tf.networks.encoder import Encoder
from lorbms_tf.networks.layers import advance_spectral_norms
from lorbms_tf.objective import Networks, Scene


def build_networks(config: ModelConfig, seed: int = 0, precision: str = "float32") -> Networks:
    """The four networks of table 3.6, built, with weights that follow from the seed.

    Raises ValueError where the sizes do not fit each other.
    """
    encoder = Encoder(
        image_size=config.image_size,
        chunk_size=config.chunk_size,
        stem_width=config.encoder_stem,
        block_layers=config.encoder_layers,
        growth=config.encoder_growth,
        seed=4 * seed,
        dtype=precision,
    )
    decoder = Decoder(
        image_size=config.image_size,
        chunk_size=config.chunk_size,
        block_layers=config.decoder_layers,
        up_widths=config.decoder_widths,
        growth=config.decoder_growth,
        spectral_norm=config.decoder_spectral_norm,
        seed=4 * seed + 1,
        dtype=precision,
    )
    discriminator = Discriminator(
        image_size=config.image_size,
        widths=config.discriminator_widths,
        seed=4 * seed + 2,
        dtype=precision,
    )
    classifier = Classifier(
        image_size=config.image_size,
        conv_widths=config.classifier_widths,
        dense_widths=config.classifier_dense,
        seed=4 * seed + 3,
        dtype=precision,
    )
    return Networks(encoder, decoder, discriminator, classifier)


class Lorbms(keras.Model):
    """The mixing autoencoder with its discriminator and classifier.

    Images are float [B, H, W, 3] in [-1, 1], codes [B, 2, 2, C], masks bool [B, 4] (True where
    the quadrant is replaced).

    Args:
      config: sizes, loss weights and rates; the defaults are the thesis.
      seed: seed of all initial weights.
      precision: arithmetic of the networks, "float32" or "mixed_bfloat16"; weights, codes,
        images and losses are float32 in both.
    """

    def __init__(self, config: ModelConfig, seed: int = 0, precision: str = "float32", **kwargs):
        super().__init__(name="lorbms", **kwargs)
        self.config = config
        networks = build_networks(config, seed, precision)
        self.encoder, self.decoder, self.discriminator, self.classifier = networks
        self.tau = config.tau
        self.loss_share = 1.0  # one over the number of replicas: their gradients are summed
        self.dynamic_shapes = True  # False where XLA compiles the step (`objective.forward`)
        self.built = True

    @property
    def networks(self) -> Networks:
        """The four networks by name."""
        return Networks(self.encoder, self.decoder, self.discriminator, self.classifier)

    def encode(self, images):
        """Images [B, H, W, 3] -> codes [B, 2, 2, C] (eq. 3.1)."""
        return self.encoder(images, training=False)

    def decode(self, codes):
        """Codes [B, 2, 2, C] -> images [B, H, W, 3] in [-1, 1] (eq. 3.2)."""
        return self.decoder(codes, training=False)

    def call(self, images, training=False):
        """Reconstructions I^ = Dec(Enc(I)), images in and out [B, H, W, 3]."""
        return self.decoder(self.encoder(images, training=training), training=training)

    def mix(self, reference, candidates, mask):
        """I_mix: the masked quadrants taken over from their candidates, in latent space.

        Reference [B, H, W, 3], candidates [B, 4, H, W, 3], mask bool [B, 4] -> [B, H, W, 3].
        """
        return self.decode(self.mix_codes(reference, candidates, mask)[1])

    def mix_codes(self, reference, candidates, mask):
        """The codes (f_ref, f_mix), each [B, 2, 2, C], of what `mix` takes."""
        codes, replacements = objective.encode_scene(self.encoder, reference, candidates)
        return codes, mixing.mix_codes(codes, replacements, mask)

    def render(self, reference, candidates, distances):
        """What a trained model makes of drawn candidates: (mask, I^_ref, I_mix).

        Reference [B, H, W, 3], candidates [B, 4, H, W, 3], distances [B, 4] -> bool [B, 4] and
        two times images [B, H, W, 3].
        """
        mask = mixing.replacement_mask(distances, self.tau)
        codes, mixed = self.mix_codes(reference, candidates, mask)
        return mask, self.decode(codes), self.decode(mixed)

    def compile_optimizers(self, total_steps: int = 0, schedule: str = "constant") -> None:
        """Makes the three Adams of section 3.6.

        Args:
          total_steps: length of the run in training steps; needed by the cosine schedule.
          schedule: "constant" or "cosine" (to zero at the end of the run).
        """
        config = self.config

        def adam(rate: float, updates: int) -> keras.optimizers.Optimizer:
            if schedule == "cosine":
                rate = keras.optimizers.schedules.CosineDecay(rate, max(1, total_steps * updates))
            return keras.optimizers.Adam(rate, beta_1=config.adam_beta_1, beta_2=config.adam_beta_2)

        self.compile(
            generator_optimizer=adam(config.generator_learning_rate, config.generator_updates),
            discriminator_optimizer=adam(config.discriminator_learning_rate, 1),
            classifier_optimizer=adam(config.classifier_learning_rate, 1),
        )

    def compile(self, generator_optimizer, discriminator_optimizer, classifier_optimizer):
        """Sets the optimizers and makes their variables, so that a checkpoint can hold them."""
        super().compile()
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.classifier_optimizer = classifier_optimizer
        generator_optimizer.build(self.generator_variables)
        discriminator_optimizer.build(self.discriminator.trainable_variables)
        classifier_optimizer.build(self.classifier.trainable_variables)

    @property
    def generator_variables(self) -> list:
        """What a generator update changes: the trainable variables of encoder and decoder."""
        return self.encoder.trainable_variables + self.decoder.trainable_variables

    def train_step(self, batch):
        """One training step on one batch (thesis, section 3.6).

        Args:
          batch: dict of reference [B, H, W, 3], candidates [B, 4, H, W, 3] and distances [B, 4].

        Returns:
          dict of float32 scalars: losses and accuracies, means over this replica's batch.
        """
        self.advance_spectral_norms()
        logs = {}
        for _ in range(self.config.generator_updates):  # twice in the thesis
            scene = self._update_generator(batch, logs)  # eq. 3.6
        self._update_discriminator(scene, logs)  # eq. 3.9
        self._update_classifier(scene, logs)  # eq. 3.5
        return logs

    def advance_spectral_norms(self) -> None:
        """One power iteration in every spectrally normalised layer; once per training step."""
        advance_spectral_norms(self.decoder)
        advance_spectral_norms(self.discriminator)

    def _update_generator(self, batch, logs) -> Scene:
        mask = mixing.replacement_mask(batch["distances"], self.tau)
        # The classifier judges with the batch's own statistics, as it is trained, but here its
        # moving averages must stay as they are: they belong to the classifier's update.
        networks = self.networks._replace(classifier=self._classify_statelessly)
        with tf.GradientTape() as tape:
            scene = objective.forward(
                networks, batch["reference"], batch["candidates"], mask, self.dynamic_shapes
            )
            loss = objective.generator_loss(networks, scene, self.config)
            objective_value = loss.total * self.loss_share
        self._apply(tape, objective_value, self.generator_variables, self.generator_optimizer)
        logs["loss/generator"] = loss.total
        logs["loss/reconstruction"] = loss.reconstruction
        logs["loss/adversarial"] = loss.adversarial
        logs["loss/classifier_generator"] = loss.classifier
        logs["mix/replaced_quadrants"] = ops.mean(ops.sum(ops.cast(mask, "float32"), axis=1))
        error = ops.cast(scene.reference, "float32") - ops.cast(scene.reconstruction, "float32")
        logs["psnr/train"] = _mean_psnr(error)
        return scene

    def _classify_statelessly(self, mixes, candidates, training=True):
        classifier = self.classifier
        logits, _ = classifier.stateless_call(
            [ops.convert_to_tensor(v) for v in classifier.trainable_variables],
            [ops.convert_to_tensor(v) for v in classifier.non_trainable_variables],
            mixes,
            candidates,
            training=training,
        )
        return logits

    def _update_discriminator(self, scene: Scene, logs) -> None:
        with tf.GradientTape() as tape:
            loss, real, fake = objective.discriminator_loss(self.networks, scene)
            objective_value = loss * self.loss_share
        variables = self.discriminator.trainable_variables
        self._apply(tape, objective_value, variables, self.discriminator_optimizer)
        logs["loss/discriminator"] = loss
        logs["accuracy/discriminator_real"] = ops.mean(ops.cast(real > 0, "float32"))
        logs["accuracy/discriminator_fake"] = ops.mean(ops.cast(fake < 0, "float32"))

    def _update_classifier(self, scene: Scene, logs) -> None:
        with tf.GradientTape() as tape:
            loss, logits, labels = objective.classifier_loss(self.networks, scene, self.config)
            objective_value = loss * self.loss_share
        variables = self.classifier.trainable_variables
        self._apply(tape, objective_value, variables, self.classifier_optimizer)
        right = ops.equal(logits > 0, labels > 0.5)  # [B, 4 pairs, 4 bits]
        logs["loss/classifier"] = loss
        logs["accuracy/classifier_bits"] = ops.mean(ops.cast(right, "float32"))
        logs["accuracy/classifier_pairs"] = ops.mean(ops.cast(ops.all(right, axis=-1), "float32"))

    def _apply(self, tape, loss, variables, optimizer) -> None:
        gradients = tape.gradient(loss, [v.value for v in variables])
        optimizer.apply(gradients, variables)


def _mean_psnr(error):
    """Mean over images of the PSNR of errors [B, H, W, 3] on a range of [-1, 1] (peak 2)."""
    squared = ops.mean(ops.square(error), axis=(1, 2, 3))  # [B]
    return ops.mean(10.0 * ops.log(4.0 / ops.maximum(squared, 1e-10)) / ops.log(10.0))
