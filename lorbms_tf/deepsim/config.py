"""The settings of DeePSiM, `--method=deepsim`; the defaults are the paper's for fc6 of CaffeNet.

Dosovitskiy and Brox (2016), seed 000. Each field is one flag of `python -m lorbms_tf.train`.
"""

import math
from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.data.photos_config import PhotosConfig
from lorbms_tf.errors import UserError
from lorbms_tf.training.run_config import RunConfig

_NETWORKS = (
    "caffenet, vgg16, vgg19, squeezenet, alexnet, mobilenet_v2, keras:NAME, encoder:RUN_DIR or "
    "discriminator:RUN_DIR"
)
_WEIGHTS = (
    "an .npz or .caffemodel file, for networks of Keras also their file or imagenet; none: random "
    "ones."
)

MODES = ("inversion", "autoencoder", "vae")


@dataclass(frozen=True, kw_only=True)
class DeepsimConfig(RunConfig, PhotosConfig):
    """Drawing photos back from the features of any network."""

    method: str = setting("deepsim", "What is trained (see `lorbms_tf.methods`).")
    batch_size: int = setting(64, "Photos in a step, over all devices.")
    epochs: int = setting(
        50, "Passes over the photos; ImageNet's 50 are a million steps.", may_change=True
    )
    best_metric: str = setting(
        "feature_error",
        "Score (see evaluate) by which the best checkpoint is kept.",
        may_change=True,
    )
    mode: str = setting(
        "inversion",
        "What is drawn back: the features of a frozen encoder; or codes of one that learns, too, "
        "as an autoencoder or a variational one.",
        choices=MODES,
    )
    latent_size: int = setting(256, "Numbers in a code of an autoencoder or vae.")
    kl_weight: float = setting(
        1.0, "Weight of a vae's divergence from the standard normal, in nats an image."
    )
    image_size: int = setting(227, "Side of the images in pixels, at least 21.")
    encoder: str = setting("caffenet", f"Network whose features are inverted: {_NETWORKS}.")
    layer: str = setting("fc6", "Its layer; a name that there is not lists those that there are.")
    encoder_weights: str = setting(
        "", f"Its weights: {_WEIGHTS} Empty: random for caffenet and alexnet, else imagenet."
    )
    feature_scale: float = setting(
        1.0, "The networks that learn read features times this; best where they then lie around 1."
    )
    comparator: str = setting("caffenet", f"Network whose features are to agree: {_NETWORKS}.")
    comparator_layer: tuple[str, ...] = setting(("pool5",), "Its layer, or several.")
    comparator_weights: str = setting("", "Its weights, likewise.")
    image_weight: float = setting(
        2e-6, "Weight of the squared differences of pixels of 0 to 255, half their sum an image."
    )
    feature_weight: float = setting(
        0.01, "Weight of the squared differences in the comparator, half their sum an image."
    )
    adversarial_weight: float = setting(
        100.0, "Weight of the loss against the discriminator; 0: there is none."
    )
    widths: tuple[int, ...] = setting(
        (256, 256, 128, 64, 32),
        "Maps after each doubling of the generator but the last. Fine features need fewer "
        "doublings, and take the last of these.",
    )
    dense: int = setting(4096, "Width of the generator's dense layers, for features without place.")
    head: int = setting(512, "Maps of its first convolutions, for features with places.")
    discriminator_widths: tuple[int, ...] = setting(
        (32, 64, 128, 256, 256), "Maps of the discriminator's five convolutions."
    )
    discriminator_dense: int = setting(512, "Width of its dense layer.")
    discriminator_stride: int = setting(
        4, "Pixels that its first convolution moves by; less where images are too small."
    )
    discriminator_features: bool = setting(False, "The discriminator reads the features, too.")
    pausing: bool = setting(
        True,
        "Discriminator or generator pause by r = (L_real + L_fake) / L_adversarial: below "
        "--pause_below the discriminator stops until r is above --resume_above; above "
        "--generator_pause_above the generator stops until r is below --pause_below. Progress "
        "lines tell which share of the steps each learns in: D_on, G_on.",
    )
    pause_below: float = setting(0.1, "See --pausing.")
    resume_above: float = setting(0.5, "See --pausing.")
    generator_pause_above: float = setting(10.0, "See --pausing.")
    learning_rate: float = setting(2e-4, "Adam's rate for generator and discriminator.")
    halvings: tuple[int, ...] = setting(
        (300_000, 500_000, 700_000, 900_000, 1_100_000), "Updates after which it is halved."
    )
    adam_beta_1: float = setting(0.9, "First-moment decay of both Adams.")
    adam_beta_2: float = setting(0.999, "Second-moment decay of both Adams.")
    weight_decay: float = setting(
        4e-4,
        "Times a kernel is added to its gradient: in the discriminator and in the generator's "
        "convolutions on features.",
    )

    @property
    def has_adversary(self) -> bool:
        """Whether there is a discriminator."""
        return self.adversarial_weight > 0

    @property
    def has_coder(self) -> bool:
        """Whether the encoder learns."""
        return self.mode != "inversion"

    def validate(self) -> None:
        """Raises UserError, naming the flag and its valid values, for the first bad setting."""
        self.validate_run()
        self.validate_photos()
        for name in ("dense", "head", "discriminator_dense", "discriminator_stride", "latent_size"):
            require(name, getattr(self, name), minimum=1)
        require("image_size", self.image_size, minimum=21)
        weights = ("image_weight", "feature_weight", "adversarial_weight")
        limits = ("pause_below", "resume_above", "generator_pause_above")
        others = ("weight_decay", "learning_rate", "feature_scale", "kl_weight")
        for name in (*weights, *limits, *others):
            require(name, getattr(self, name), minimum=0, below=math.inf)
        for name in ("adam_beta_1", "adam_beta_2"):
            require(name, getattr(self, name), minimum=0, below=1)
        if not any(getattr(self, name) for name in weights):
            raise UserError(f"--{weights[0]}: one of {', '.join(weights)} must be above 0")
        for name in ("widths", "discriminator_widths", "halvings"):
            values = getattr(self, name)
            if (not values and name != "halvings") or min(values, default=1) < 1:
                shown = ",".join(map(str, values))
                raise UserError(f"--{name}={shown} is not valid: whole numbers from 1 on")
        if self.dense % 16:
            raise UserError(f"--dense={self.dense} is not valid: a multiple of 16")
        if not self.comparator_layer and self.feature_weight:
            raise UserError("--comparator_layer is required; or --feature_weight=0")
        if self.channels != 3:
            raise UserError(f"--channels={self.channels} is not valid: --method=deepsim needs 3")
        if self.evaluate_every_steps and not self.eval_photos:
            raise UserError("--evaluate_every_steps needs --eval_photos to evaluate on")


@dataclass(frozen=True, kw_only=True)
class SpeedConfig(DeepsimConfig):
    """A training configuration, and how long to measure."""

    steps: int = setting(5, "Training steps that are timed.")

    def validate(self) -> None:
        """As `DeepsimConfig.validate`, for all settings."""
        super().validate()
        require("steps", self.steps, minimum=1)
