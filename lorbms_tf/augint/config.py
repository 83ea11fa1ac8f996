"""The settings of AugIntAE and its baselines; the defaults are the paper's for characters."""

from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.data.photos_config import PhotosConfig
from lorbms_tf.errors import UserError
from lorbms_tf.training.run_config import RunConfig

OBJECTIVES = ("augint", "ae", "intae", "vae", "wgan_gp", "dagan")
# By their names in `lorbms_tf.gan.losses` and `lorbms_tf.networks.strided`, which load TensorFlow.
TARGETS = ("01", "pm1")
NORMS = ("batch", "layer", "none")
CRITICS = ("wgan_gp", "dagan")  # objectives with a critic in place of a reconstruction loss


@dataclass(frozen=True, kw_only=True)
class AugintConfig(RunConfig, PhotosConfig):
    """Everything that `python -m lorbms_tf.train --method=augint` needs (seed 003)."""

    method: str = setting("augint", "What is trained (see `lorbms_tf.methods`).")
    image_size: int = setting(28, "Side of the images in pixels.")
    channels: int = setting(1, "Colours of the images: 3, or 1 for grey.", choices=(1, 3))
    batch_size: int = setting(128, "Images in a step, over all devices.")
    epochs: int = setting(100, "Passes over the images.", may_change=True)
    schedule: str = setting(
        "paper",
        "Learning rates over the run: steps: a tenth from 35 % of it on, and a tenth of that from "
        "70 % on; paper: steps without an adversary, constant with one.",
        choices=("paper", "constant", "cosine", "steps"),
    )
    objective: str = setting(
        "augint",
        "What is learned: augint, or a baseline: an autoencoder (ae), with an adversary on "
        "interpolations of pairs (intae), or one of the others.",
        choices=OBJECTIVES,
    )
    adversarial: bool = setting(
        False, "augint also has a least-squares discriminator; intae always has one."
    )
    judged: str = setting(
        "outputs",
        "Which images augint's discriminator takes for fakes: its outputs, or interpolations "
        "between the images of a batch, as those of intae.",
        choices=("outputs", "pairs"),
    )
    discriminator_targets: str = setting(
        "01",
        "Scores that the discriminator is taught for real and other images: 1 and 0, or 1 and -1. "
        "With 01 a perfect discriminator has a margin of 1, so that k can fall but hardly rise.",
        choices=TARGETS,
    )
    network: str = setting(
        "infogan",
        "Kind of encoder, decoder and discriminator: infogan has a dense layer, dcgan none.",
        choices=("infogan", "dcgan"),
    )
    widths: tuple[int, ...] = setting(
        (64, 128), "Maps of the encoder's convolutions from the image on; of the decoder backwards."
    )
    dense: int = setting(1024, "Width of the dense layer of --network=infogan.")
    code_size: int = setting(32, "Numbers in a code.")
    norm: str = setting(
        "batch", "Norm between layers; critics of wgan_gp and dagan have layer norms.", NORMS
    )
    augmentation: str = setting(
        "characters",
        "Ranges of the augmentations: characters: turned by 20 degrees, shifted by 4 px, scaled by "
        "0.8 to 1.2, sheared by 6 degrees; natural: 10, 8, 0.8 to 1.2, 3, and colours.",
        choices=("characters", "natural", "none"),
    )
    fill: str = setting(
        "constant",
        "What an augmentation shows from outside of the image: black, its edge, or its mirror.",
        choices=("constant", "nearest", "reflect"),
    )
    reconstruction_norm: int = setting(
        1, "The reconstruction loss: mean absolute (1) or squared (2) differences.", choices=(1, 2)
    )
    kl_weight: float = setting(1.0, "Weight of the divergence in the loss of a vae, per image.")
    gradient_penalty: float = setting(10.0, "Weight of the penalty of wgan_gp and dagan.")
    critic_updates: int = setting(5, "Updates of a critic to one of the generator.")
    inversion_steps: int = setting(
        6400,
        "Last steps of wgan_gp, in which an encoder learns to invert the finished generator; the "
        "rate falls to a tenth after each fifth of them.",
    )
    inversion_rate: float = setting(1e-4, "Rate of that encoder's SGD, of momentum 0.1.")
    learning_rate: float = setting(1e-3, "Adam's rate for encoder and decoder.")
    discriminator_learning_rate: float = setting(1e-3, "Adam's rate for discriminators.")
    adam_beta_1: float = setting(0.9, "First-moment decay of all Adams.")
    adam_beta_2: float = setting(0.999, "Second-moment decay of all Adams.")
    clip_norm: float = setting(
        0.0, "Shorten each network's gradient to this length where it is longer; 0: never."
    )
    best_metric: str = setting(
        "reconstruction_error",
        "Score (see evaluate) by which the best checkpoint is kept.",
        may_change=True,
    )

    @property
    def has_adversary(self) -> bool:
        """Whether a discriminator judges beside a reconstruction loss."""
        return self.objective == "intae" or self.adversarial

    @property
    def run_schedule(self) -> str:
        """The schedule by its name in `lorbms_tf.training.optimizers`."""
        if self.schedule != "paper":
            return self.schedule
        alone = not self.has_adversary and self.objective not in CRITICS
        return "steps" if alone else "constant"

    def validate(self) -> None:
        """Raises UserError, naming the flag and its valid values, for the first bad setting."""
        self.validate_run()
        self.validate_photos()
        if not self.widths or min(self.widths) < 1:
            shown = ",".join(map(str, self.widths))
            raise UserError(f"--widths={shown} is not valid: whole numbers of at least 1")
        factor = 2 ** len(self.widths)
        if self.image_size % factor:
            raise UserError(
                f"--image_size={self.image_size} is not valid: {len(self.widths)} --widths halve "
                f"it as many times, so a multiple of {factor}"
            )
        for name in ("dense", "code_size", "critic_updates"):
            require(name, getattr(self, name), minimum=1)
        for name in ("kl_weight", "gradient_penalty", "inversion_steps", "inversion_rate"):
            require(name, getattr(self, name), minimum=0)
        for name in ("learning_rate", "discriminator_learning_rate", "clip_norm"):
            require(name, getattr(self, name), minimum=0)
        for name in ("adam_beta_1", "adam_beta_2"):
            require(name, getattr(self, name), minimum=0, below=1)
        if self.adversarial and self.objective not in ("augint", "intae"):
            raise UserError(
                f"--adversarial is for --objective=augint, not {self.objective}; an autoencoder "
                "with an adversary is --objective=intae"
            )
        if self.evaluate_every_steps and not self.eval_photos:
            raise UserError("--evaluate_every_steps needs --eval_photos to evaluate on")
