"""What the thesis tried and gave up, and where it points to, as settings.

Appendix D, figure 3.9; chapter 5.
"""

from dataclasses import dataclass
from typing import Any

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError

CANDIDATES, BATCH, TILES, SEGMENTS = "candidates", "batch", "tiles", "segments"
PAIRS, SIX = "pairs", "six_images"


@dataclass(frozen=True, kw_only=True)
class VariantConfig:
    """Other networks, another task of the classifier, another mixing."""

    decoder: str = setting(
        "dense",
        "The decoder: of table 3.3; with transposed convolutions as transitions up (figure 3.9); "
        "or the spatial broadcast decoder (appendix D.5), which --broadcast_widths shapes.",
        choices=("dense", "transposed", "broadcast"),
    )
    broadcast_widths: tuple[int, ...] = setting(
        (64, 64, 64, 64), "Maps of the broadcast decoder's 3x3 convolutions."
    )
    decoder_attention: int = setting(
        0, "Block of the decoder that self-attention follows (appendix D.6); 0: none."
    )
    discriminator: str = setting(
        "patch",
        "The discriminator: PatchGAN (table 3.5); one that judges the whole image (appendix D.6); "
        "or the global-local one (appendix D.7).",
        choices=("patch", "global", "global_local"),
    )
    discriminator_dense: int = setting(
        1024, "Length of the two vectors of the global-local discriminator."
    )
    discriminator_coordinates: bool = setting(
        False, "CoordConv before every convolution of the discriminator (appendix D.4)."
    )
    discriminator_attention: int = setting(
        0, "Convolution of the discriminator that self-attention follows (appendix D.6); 0: none."
    )
    classifier: str = setting(
        "alexnet",
        "The classifier: AlexNet; SqueezeNet 1.0, which collapses (appendix D.8); or that without "
        "the ReLU behind its last convolution, which does not.",
        choices=("alexnet", "squeezenet", "squeezenet_linear"),
    )
    classifier_task: str = setting(
        PAIRS,
        "What the classifier is asked: of each pair of mix and candidate, what comes from it "
        "(figure 3.5); or of all six images, where each quadrant comes from (appendix D.3).",
        choices=(PAIRS, SIX),
    )
    mixing: str = setting(
        CANDIDATES,
        "What replaces a quadrant in training: a candidate of the record (algorithm 1); the image "
        "of the batch whose chunk is nearest (appendix D.2); of nine tiles that are encoded "
        "alone, a random choice from the other half of the batch (appendix D.1); or a random "
        "connected segment of the grid's cells, from the candidates of their quadrants.",
        choices=(CANDIDATES, BATCH, TILES, SEGMENTS),
    )
    grid: int = setting(
        2,
        "Cells a side of a code: 2, the thesis, one for each quadrant; or 4, four for each, which "
        "masks of more shapes can mix.",
        choices=(2, 4),
    )
    batch_threshold: float = setting(
        0.6,
        "With --mixing=batch a quadrant is replaced where the squared distance of the nearest "
        "chunk is below this share of the mean one in the batch.",
    )


def tiles_a_side(config: VariantConfig) -> int:
    """Cells a side of a code: 2, 3 or 4."""
    return 3 if config.mixing == TILES else config.grid


def window_size(config: Any) -> int:
    """Side of the images, in pixels, that encoder and decoder would have a 2x2 code for.

    Networks of convolutions make as many cells more of larger images.
    """
    return 2 * config.image_size // config.grid


def check_grid(config: Any) -> None:
    """Raises UserError where --grid does not go with another setting of a `ModelConfig`."""
    if config.grid == 2:
        return
    for name, valid in (("mixing", (CANDIDATES, SEGMENTS)), ("decoder", ("dense", "transposed"))):
        if getattr(config, name) not in valid:
            raise UserError(
                f"--grid={config.grid} does not go with --{name}={getattr(config, name)}; valid: "
                f"{', '.join(valid)}"
            )
    if config.place_factors or config.attribute_parts > 1:
        raise UserError(
            f"--grid={config.grid} goes with neither --place_factors nor --attribute_parts, whose "
            "chunks are of four quadrants"
        )


def check(config: Any) -> None:
    """Raises UserError, naming the flag, for the first bad setting of a `ModelConfig`."""
    widths, decoder = config.discriminator_widths, config.decoder
    require("discriminator_attention", config.discriminator_attention, 0, len(widths) + 1)
    require("decoder_attention", config.decoder_attention, 0, len(config.decoder_layers) + 1)
    require("discriminator_dense", config.discriminator_dense, minimum=1)
    require("batch_threshold", config.batch_threshold, minimum=0)
    if not config.broadcast_widths or min(config.broadcast_widths) < 1:
        raise UserError("--broadcast_widths needs whole numbers of at least 1")
    if config.mixing == TILES:
        if decoder == "broadcast":
            raise UserError("--mixing=tiles does not go with --decoder=broadcast")
        if config.classifier_task != PAIRS:
            raise UserError("--mixing=tiles has one other image for a mix, and no six_images")
    of_dense_blocks = (decoder != "dense", config.decoder_attention, config.mixing == TILES)
    if config.strided_widths and any((*of_dense_blocks, config.encoder_receptive_field)):
        raise UserError(
            "--strided_widths has networks of its own, which go with none of --decoder, "
            "--decoder_attention, --mixing=tiles and --encoder_receptive_field"
        )
    for name in ("decoder_attention", "decoder_separate_blocks"):
        if decoder == "broadcast" and getattr(config, name):
            raise UserError(f"--{name} does not go with --decoder=broadcast, which has no blocks")
    if config.discriminator == "patch":
        return
    halvings = len(widths)
    if config.image_size % 2**halvings:
        raise UserError(
            f"--discriminator={config.discriminator} halves images {halvings} times: "
            f"--discriminator_widths has too many entries for --image_size={config.image_size}"
        )
    if config.discriminator == "global_local" and halvings < 2:
        raise UserError("--discriminator=global_local needs two --discriminator_widths or more")
