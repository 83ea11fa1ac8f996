"""The settings of model and training: frozen dataclasses whose defaults are the thesis.

`ModelConfig` holds what the networks and the objective are; `TrainConfig` adds data and run.
Each field is one flag of `python -m lorbms_tf.train` (see `lorbms_tf.cli.flags`).
"""

import math
from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Networks (thesis, tables 3.1 to 3.5) and objective (equations 3.3 to 3.9, section 3.6)."""

    image_size: int = setting(64, "Side of the images in pixels, a power of two, at least 32.")
    chunk_size: int = setting(192, "Width of one chunk of the code; a code is four chunks.")
    encoder_stem: int = setting(48, "Feature maps of the encoder's first convolution.")
    encoder_layers: tuple[int, ...] = setting(
        (4, 5, 7, 10, 12),
        "Layers of each dense block of the encoder, from the image on; 0 leaves a block empty.",
    )
    encoder_growth: int = setting(16, "Maps that each dense layer of the encoder adds.")
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
        1, "The p of the reconstruction loss, equation 3.3.", choices=(1, 2)
    )
    generator_updates: int = setting(2, "Generator updates in one training step.")
    autoencoder_steps: int = setting(
        0, "First steps, in which encoder and decoder learn as a plain autoencoder, without mixing."
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
        blocks = _positive_power(self.image_size)
        for name in ("encoder_layers", "decoder_layers", "decoder_widths"):
            values = getattr(self, name)
            # A block of the encoder may be empty: the decoder passes on nothing but new maps.
            _all_at_least(name, values, minimum=0 if name == "encoder_layers" else 1)
            if len(values) != blocks:
                raise UserError(
                    f"--{name} has {len(values)} entries; --image_size={self.image_size} needs "
                    f"{blocks} (each block halves or doubles between the image and a 2x2 code)"
                )
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
        require("generator_updates", self.generator_updates, minimum=1)
        require("autoencoder_steps", self.autoencoder_steps, minimum=0)
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


@dataclass(frozen=True, kw_only=True)
class TrainConfig(ModelConfig):
    """Everything that `python -m lorbms_tf.train` needs (thesis, section 3.6)."""

    records: str = setting("", "Glob of the training shards.", may_change=True)
    eval_records: str = setting(
        "", "Glob of held-out shards, for pictures and scores.", may_change=True
    )
    run_dir: str = setting("", "Folder of the run: made, or continued.", may_change=True)
    batch_size: int = setting(12, "References in a step, over all devices.")
    epochs: int = setting(50, "Passes over the references.", may_change=True)
    max_steps: int = setting(0, "Stop after this many steps; 0: by --epochs.", may_change=True)
    tau_quantile: float = setting(
        -1.0,
        "Take tau as this quantile (0 to 1) of the distances in the training data's "
        "dataset.json; negative: use --tau.",
    )
    schedule: str = setting(
        "constant",
        "Learning rates over the run: as they are, or to zero on a half cosine.",
        choices=("constant", "cosine"),
    )
    warmup_steps: int = setting(
        0, "Steps over which the learning rates rise from 0 before --schedule begins."
    )
    precision: str = setting(
        "float32",
        "Arithmetic of the networks in training; weights, norms and losses stay in float32. "
        "mixed_float16 scales the losses.",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
    )
    strategy: str = setting(
        "auto",
        "Devices: one; mirrored: all of this host; multi_worker: of all hosts in TF_CONFIG; auto: "
        "the last of these that there is.",
        choices=("auto", "one", "mirrored", "multi_worker"),
        may_change=True,
    )
    device: str = setting(
        "auto",
        "Kind of device; gpu is an error where there is none.",
        choices=("auto", "cpu", "gpu"),
        may_change=True,
    )
    intra_op_threads: int = setting(
        0,
        "CPU threads within one operation, where operations also run beside each other; 0: as many "
        "as cores. Small networks train faster with 1.",
        may_change=True,
    )
    jit: str = setting(
        "auto",
        "Compile the training step with XLA; auto: on a single GPU.",
        choices=("auto", "on", "off"),
        may_change=True,
    )
    seed: int = setting(0, "Seed of weights, order and draws.")
    max_bad_records: int = setting(
        0,
        "Leave out up to so many damaged records. Above 0 all record files are read once at the "
        "start, to find them.",
        may_change=True,
    )
    checkpoint_every_steps: int = setting(1000, "Steps between checkpoints.", may_change=True)
    keep_checkpoints: int = setting(3, "How many of the last checkpoints stay.", may_change=True)
    log_every_steps: int = setting(50, "Steps between TensorBoard scalars.", may_change=True)
    sample_every_steps: int = setting(500, "Steps between sample pictures.", may_change=True)
    sample_rows: int = setting(8, "References in a sample picture.", may_change=True)
    evaluate_every_steps: int = setting(
        0, "Steps between evaluations on --eval_records; 0: none, and no best.", may_change=True
    )
    evaluate_records: int = setting(
        256, "Score at most so many of --eval_records; 0: all.", may_change=True
    )
    best_metric: str = setting(
        "mix_fidelity",
        "Score (see evaluate) by which the best checkpoint is kept.",
        may_change=True,
    )
    allow_changes: bool = setting(
        False, "Continue a run with other settings or records than it had.", may_change=True
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
        for name in ("batch_size", "epochs", "checkpoint_every_steps"):
            require(name, getattr(self, name), minimum=1)
        for name in ("keep_checkpoints", "log_every_steps", "sample_every_steps", "sample_rows"):
            require(name, getattr(self, name), minimum=1)
        counts = ("max_steps", "warmup_steps", "collapse_steps", "intra_op_threads")
        for name in (*counts, "evaluate_every_steps", "evaluate_records"):
            require(name, getattr(self, name), minimum=0)
        if self.evaluate_every_steps and not self.eval_records:
            raise UserError("--evaluate_every_steps needs --eval_records to evaluate on")
        if self.tau_quantile > 1 or math.isnan(self.tau_quantile):
            raise UserError(f"--tau_quantile={self.tau_quantile}: 0 to 1, or negative for --tau")
        require("seed", self.seed, minimum=0)
        require("max_bad_records", self.max_bad_records, minimum=0)


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
