"""The settings of model and training: frozen dataclasses whose defaults are the thesis.

`ModelConfig` holds what the networks and the objective are; `LorbmsConfig` adds data and run.
Each field is one flag of `python -m lorbms_tf.train` (see `lorbms_tf.cli.flags`).
"""

import math
from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.data.records_config import RecordsConfig
from lorbms_tf.distances.distance_config import DistanceConfig, check_names
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms import outlook, variants
from lorbms_tf.training.run_config import RunConfig


@dataclass(frozen=True, kw_only=True)
class ModelConfig(variants.VariantConfig, outlook.OutlookConfig, DistanceConfig):
    """Networks (thesis, tables 3.1 to 3.5) and objective (equations 3.3 to 3.9, section 3.6)."""

    image_size: int = setting(64, "Side of the images in pixels, a power of two, at least 32.")
    chunk_size: int = setting(192, "Width of one chunk of the code; a code is four chunks.")
    encoder_stem: int = setting(48, "Feature maps of the encoder's first convolution.")
    encoder_layers: tuple[int, ...] = setting(
        (4, 5, 7, 10, 12),
        "Layers of each dense block of the encoder, from the image on; 0 leaves a block empty.",
    )
    encoder_growth: int = setting(16, "Maps that each dense layer of the encoder adds.")
    encoder_receptive_field: int = setting(
        0,
        "Pixels that a chunk may see: dense layers of the encoder that would see more get 1x1 "
        "kernels (46: the thesis's remark in section 3.4); 0, the thesis: 3x3 in all.",
    )
    decoder_layers: tuple[int, ...] = setting(
        (12, 10, 7, 5, 4), "Layers of each dense block of the decoder, from the code on."
    )
    decoder_widths: tuple[int, ...] = setting(
        (656, 464, 304, 192, 112), "Maps of each transition up of the decoder."
    )
    decoder_growth: int = setting(16, "Maps that each dense layer of the decoder adds.")
    decoder_spectral_norm: bool = setting(
        True, "Spectral norm in the decoder (table 3.4); without it plain convolutions."
    )
    decoder_separate_blocks: int = setting(
        0,
        "First blocks of the decoder that see each chunk alone (0, the thesis: all see all).",
    )
    strided_widths: tuple[int, ...] = setting(
        (),
        "Encoder and decoder of 4x4 convolutions of stride 2 with these widths, from the image on, "
        "in place of dense blocks: small models that learn fast. Empty, the thesis: dense blocks.",
    )
    discriminator_widths: tuple[int, ...] = setting(
        (42, 84, 168, 336), "Maps of the discriminator's stride-2 convolutions."
    )
    classifier_widths: tuple[int, ...] = setting(
        (96, 256, 384, 384, 256), "Maps of the classifier's five convolutions."
    )
    classifier_dense: tuple[int, ...] = setting(
        (4096, 4096), "Widths of the classifier's two dense layers."
    )
    tau: float = setting(
        16000.0, "Threshold of squared distance above which a quadrant is kept (algorithm 1)."
    )
    lambda_rec: float = setting(0.904, "Weight of the reconstruction loss in equation 3.6.")
    lambda_adv: float = setting(0.052, "Weight of the adversarial loss in equation 3.6.")
    lambda_cls: float = setting(0.044, "Weight of the classifier loss in equation 3.6.")
    lambda_pair: float = setting(
        1.0, "Weight lambda_j of each of the four pairs in equation 3.5 (0.25 averages them)."
    )
    reconstruction_norm: int = setting(
        1,
        "The p of the reconstruction loss, equation 3.3: 1 for the mean of absolute differences, 2 "
        "for that of squared ones (no root).",
        choices=(1, 2),
    )
    perceptual: str = setting(
        "",
        "Distance that --lambda_perceptual weighs: mmd++, vgg19, squeezenet, taps:NETWORK:A+B, ... "
        "(lorbms_tf.features.named_distances names all).",
    )
    lambda_perceptual: float = setting(
        0.0,
        "Weight, beside those of equation 3.6, of --perceptual between the reference and its two "
        "reconstructions; 0, the thesis: none.",
    )
    perceptual_autoencoder: bool = setting(
        False, "The same in --autoencoder_steps, where its weight stands beside a 1."
    )
    pause_discriminator: bool = setting(
        False,
        "The discriminator stops to learn while its loss is below a tenth of the adversarial loss, "
        "until it is above a half (seed 000).",
    )
    generator_updates: int = setting(2, "Generator updates in one training step.")
    autoencoder_steps: int = setting(
        0, "First steps, in which encoder and decoder learn as a plain autoencoder, without mixing."
    )
    augint_share: float = setting(
        0.0,
        "Share of the --autoencoder_steps that learn to interpolate: from the codes of two "
        "augmentations of an image to the augmentation between them (seed 003); 0, the thesis: "
        "none.",
    )
    generator_learning_rate: float = setting(2e-4, "Adam's rate for encoder and decoder.")
    discriminator_learning_rate: float = setting(4e-4, "Adam's rate for the discriminator.")
    classifier_learning_rate: float = setting(2e-4, "Adam's rate for the classifier.")
    adam_beta_1: float = setting(0.5, "First-moment decay of all three Adams.")
    adam_beta_2: float = setting(0.999, "Second-moment decay of all three Adams.")
    adam_epsilon: float = setting(
        1e-8,
        "What all three Adams add to the root of the second moment. Runs begun before there was "
        "this flag keep their 1e-7.",
        former=1e-7,
    )
    clip_norm: float = setting(
        0.0, "Shorten each network's gradient to this length where it is longer; 0: never."
    )
    ema_decay: float = setting(
        0.0,
        "Keep a moving average of encoder and decoder with this decay a step (0.999, say), which "
        "then makes all pictures, scores and exports; 0: none.",
    )

    def validate(self) -> None:
        """Raises UserError, naming the flag and its valid values, for the first bad setting."""
        super().validate()
        self._validate_perceptual()
        variants.check_grid(self)
        blocks = _positive_power(self.image_size) - self.grid // 2 + 1  # one fewer to 4x4 cells
        self._validate_blocks(blocks)
        require("decoder_separate_blocks", self.decoder_separate_blocks, 0, below=blocks + 1)
        for name, count in (("classifier_widths", 5), ("classifier_dense", 2)):
            values = getattr(self, name)
            _all_at_least(name, values)
            if len(values) != count:
                raise UserError(f"--{name} must have {count} entries, not {len(values)}")
        if any(width % 2 for width in self.classifier_widths):
            raise UserError("--classifier_widths must be even: convolutions are in two groups")
        _all_at_least("discriminator_widths", self.discriminator_widths)
        for name in ("chunk_size", "encoder_stem", "encoder_growth", "decoder_growth"):
            require(name, getattr(self, name), minimum=1)
        variants.check(self)
        outlook.check(self)
        if self.encoder_receptive_field:  # the first convolution and the pools see so much already
            require("encoder_receptive_field", self.encoder_receptive_field, 2**blocks + 2)
        require("generator_updates", self.generator_updates, minimum=1)
        require("autoencoder_steps", self.autoencoder_steps, minimum=0)
        self._validate_augint_share()
        for name in ("tau", "lambda_rec", "lambda_adv", "lambda_cls", "lambda_pair"):
            require(name, getattr(self, name), minimum=0)
        for name in ("generator", "discriminator", "classifier"):
            name += "_learning_rate"
            require(name, getattr(self, name), minimum=0)
        require("clip_norm", self.clip_norm, minimum=0)
        for name in ("adam_beta_1", "adam_beta_2", "ema_decay"):
            require(name, getattr(self, name), minimum=0, below=1)
        if not 0 < self.adam_epsilon < 1:  # 0 would divide zero gradients by zero
            raise UserError(f"--adam_epsilon={self.adam_epsilon} is not valid: above 0 and below 1")

    def _validate_blocks(self, blocks: int) -> None:
        if self.strided_widths:
            _all_at_least("strided_widths", self.strided_widths)
            if len(self.strided_widths) != blocks - 1:
                raise UserError(
                    f"--strided_widths has {len(self.strided_widths)} entries; --image_size="
                    f"{self.image_size} needs {blocks - 1} (each halves the image, down to "
                    f"{2 * self.grid}x{2 * self.grid})"
                )
            return
        for name in ("encoder_layers", "decoder_layers", "decoder_widths"):
            values = getattr(self, name)
            # A block of the encoder may be empty: the decoder passes on nothing but new maps.
            _all_at_least(name, values, minimum=0 if name == "encoder_layers" else 1)
            if len(values) != blocks:
                raise UserError(
                    f"--{name} has {len(values)} entries; --image_size={self.image_size} needs "
                    f"{blocks} (each block halves or doubles between the image and a "
                    f"{self.grid}x{self.grid} code)"
                )

    def _validate_augint_share(self) -> None:
        if not 0 <= self.augint_share <= 1:
            raise UserError(f"--augint_share={self.augint_share} is not valid: from 0 to 1")
        if self.augint_share and not self.autoencoder_steps:
            raise UserError("--augint_share needs --autoencoder_steps above 0")

    def _validate_perceptual(self) -> None:
        require("lambda_perceptual", self.lambda_perceptual, minimum=0)
        if self.perceptual:
            check_names([self.perceptual], "perceptual")
        if self.perceptual and not self.lambda_perceptual:
            raise UserError(f"--perceptual={self.perceptual} needs a --lambda_perceptual above 0")
        if self.lambda_perceptual and not self.perceptual:
            weight = f"--lambda_perceptual={self.lambda_perceptual}"
            raise UserError(f"{weight} needs --perceptual=NAME, such as mmd++")
        if self.perceptual_autoencoder and not self.autoencoder_steps:
            raise UserError("--perceptual_autoencoder needs --autoencoder_steps above 0")


@dataclass(frozen=True, kw_only=True)
class LorbmsConfig(RunConfig, RecordsConfig, ModelConfig):
    """Everything that `python -m lorbms_tf.train` needs for the thesis (section 3.6)."""

    method: str = setting("lorbms", "What is trained (see `lorbms_tf.methods`).")
    tau_quantile: float = setting(
        -1.0,
        "Take tau as this quantile (0 to 1) of the distances in the training data's "
        "dataset.json; negative: use --tau.",
    )
    best_metric: str = setting(
        "mix_fidelity",
        "Score (see evaluate) by which the best checkpoint is kept.",
        may_change=True,
    )
    collapse_steps: int = setting(
        1000,
        "Warn when the discriminator is always right or always wrong, or all mixes of a batch are "
        "alike, for this many steps; 0: never.",
        may_change=True,
    )

    def validate(self) -> None:
        """As `ModelConfig.validate`, for all settings."""
        super().validate()
        self.validate_run()
        self.validate_records()
        if self.evaluate_every_steps and not self.eval_records:
            raise UserError("--evaluate_every_steps needs --eval_records to evaluate on")
        if self.mixing == variants.TILES and self.batch_size % 2:
            raise UserError(f"--batch_size={self.batch_size}: --mixing=tiles mixes its two halves")
        if self.tau_quantile > 1 or math.isnan(self.tau_quantile):
            raise UserError(f"--tau_quantile={self.tau_quantile}: 0 to 1, or negative for --tau")


def _all_at_least(name: str, values: tuple[int, ...], minimum: int = 1) -> None:
    if not values or min(values) < minimum:
        shown = ",".join(map(str, values))
        raise UserError(f"--{name}={shown}: whole numbers of at least {minimum}")


def _positive_power(image_size: int) -> int:
    """How many halvings lead from the image to the 2x2 code."""
    blocks = max(image_size, 1).bit_length() - 2
    if image_size < 32 or image_size & (image_size - 1):
        raise UserError(f"--image_size={image_size} is not valid: 32, 64, 128, 256, ...")
    return blocks
