"""Super-resolution: SRGAN's generator trained on any distance (Amir and Weiss, 2021)."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from lorbms_tf.features import named_distances
from lorbms_tf.networks.srgan import SRResNet
from lorbms_tf.perceptual import reduction
from lorbms_tf.perceptual.config import FACTOR, SuperresConfig
from lorbms_tf.perceptual.signs import CONTRAST
from lorbms_tf.serving.signature import Signature
from lorbms_tf.training import optimizers


class Superres(keras.Model):
    """A network that enlarges pictures by 4.

    Images are float [B, H, W, 3] in [-1, 1].

    Args:
      config: sizes, distance and rates; the defaults are the paper's.
      seed: of all initial weights.
      precision: arithmetic of the network, "float32", "mixed_bfloat16" or "mixed_float16".
    """

    def __init__(
        self, config: SuperresConfig, seed: int = 0, precision: str = "float32", **kwargs: Any
    ):
        super().__init__(name="superres", **kwargs)
        self.config, self.precision = config, precision
        self.generator = SRResNet(
            config.blocks, config.width, config.batch_norm, seed, dtype=precision
        )
        self.loss_share = 1.0  # one over the number of replicas: their gradients are summed
        self.dynamic_shapes = True
        self.built = True

    @property
    def saved_networks(self) -> dict:
        """The network, which is all that learns."""
        return {"generator": self.generator}

    @property
    def optimizers_by_name(self) -> dict:
        """Its Adam."""
        return {"generator": self.generator_optimizer}

    @property
    def state(self) -> dict:
        """Nothing: the draws of a distance follow from the updates that Adam counts."""
        return {}

    def phase(self, step: int) -> str:
        """Every step is alike."""
        return "train_step"

    def monitor(self) -> dict:
        """Nothing beside the scalars of the steps."""
        return {}

    def compile_optimizers(self, total_steps: int = 0) -> None:
        """Makes the distance and its Adam, whose rate is halved over the run.

        Raises UserError where the weights of the distance cannot be used.
        """
        config = self.config
        # Not an attribute of Keras's: its networks are neither trained nor saved.
        distance = named_distances.make(config.distance, config, config.seed)
        if distance.window > config.image_size:
            raise ValueError(
                f"--mmd_window={config.mmd_window} is larger than --image_size={config.image_size}"
            )
        self._distance = distance
        rate = optimizers.rate_over_run(
            config.learning_rate, total_steps, config.warmup_steps, config.schedule
        )
        if config.halvings and total_steps:
            rate = Halved(rate, total_steps, config.halvings)
        self.compile(
            optimizers.Adam(rate, scale_loss=self.precision == "mixed_float16", epsilon=1e-8)
        )

    def compile(self, generator_optimizer: optimizers.Adam) -> None:
        """Sets the optimizer and makes its variables, so that a checkpoint can hold them."""
        super().compile()
        self.generator_optimizer = generator_optimizer
        generator_optimizer.build(self.generator.trainable_variables)

    def call(self, images: Any, training: bool = False) -> Any:
        """Images [B, h, w, 3] enlarged: [B, 4 h, 4 w, 3] in [-1, 1]."""
        return ops.clip(self.generator(images, training=training), -1.0, 1.0)

    def infer(self, batch: dict) -> dict:
        """Of photos "image" [B, S, S, 3] the "small" ones, and these enlarged.

        "bicubic" is enlarged without learning, "upscaled" by the network.
        """
        small = reduction.reduced(batch["image"], FACTOR)
        return {
            "small": small,
            "bicubic": reduction.enlarged(small, FACTOR),
            "upscaled": self(small),
        }

    def signatures(self) -> dict[str, Signature]:
        """What is served: pictures of any size, enlarged."""
        spec = tf.TensorSpec((None, None, None, 3), tf.float32, "images")

        def examples(rng: Any, count: int) -> dict[str, Any]:
            return {"images": tf.constant(rng.uniform(-1, 1, (count, 9, 12, 3)), tf.float32)}

        def upscale(images: Any) -> dict[str, Any]:
            return {"images": self(images)}

        return {"upscale": Signature(upscale, (spec,), (self.generator,), examples)}

    def train_step(self, batch: dict) -> dict:
        """One update on photos "image" [B, S, S, 3]; float32 scalars by name, means over them."""
        config, images = self.config, batch["image"]
        small = reduction.reduced(images, FACTOR)
        variables = self.generator.trainable_variables
        optimizer = self.generator_optimizer
        draw = tf.convert_to_tensor(optimizer.iterations)
        with tf.GradientTape() as tape:
            made = self.generator(small, training=True)
            distance = tf.reduce_mean(self._distance(made, images, draw))
            squared = tf.reduce_mean(tf.square(made - images))
            loss = distance + config.pixel_weight * squared
        gradients = tape.gradient(
            loss,
            [variable.value for variable in variables],
            output_gradients=self.loss_share * optimizer.output_gradient,
        )
        norm = optimizer.update(gradients, [variables])[0]
        logs = {
            "loss/total": loss,
            "loss/distance": distance,
            "loss/pixels": squared,
            "psnr/train": _psnr(ops.clip(made, -1.0, 1.0), images),
            CONTRAST: _spread(made) / tf.maximum(_spread(images), 1e-6),
            "gradient_norm/generator": norm,
        }
        if optimizer.scale_loss:
            logs["loss_scale/generator"] = optimizer.output_gradient
        return logs


class Halved(keras.optimizers.schedules.LearningRateSchedule):
    """A rate, halved `times` times at equal distances over a run of `steps` updates."""

    def __init__(self, rate: Any, steps: int, times: int):
        self._rate, self._steps, self._times = rate, steps, times

    def __call__(self, step: Any) -> Any:
        done = tf.floor(tf.cast(step, tf.float32) * (self._times + 1) / self._steps)
        rate = self._rate(step) if callable(self._rate) else self._rate
        return rate * tf.pow(0.5, tf.minimum(done, float(self._times)))

    def get_config(self) -> dict:
        return {"rate": self._rate, "steps": self._steps, "times": self._times}


def _psnr(images: Any, others: Any) -> Any:
    squared = tf.reduce_mean(tf.square(images - others), axis=(1, 2, 3))
    return tf.reduce_mean(10.0 * tf.math.log(4.0 / tf.maximum(squared, 1e-10)) / 2.302585093)


def _spread(images: Any) -> Any:
    """The mean over pictures of the deviation of their values."""
    return tf.reduce_mean(tf.math.reduce_std(images, axis=(1, 2, 3)))
