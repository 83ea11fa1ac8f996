"""What the thesis leaves to others (chapter 5), as settings: what a chunk itself is made of.

Two of its proposals divide the numbers of a chunk. `attribute_parts` cuts it into parts that are
mixed each for itself, so that a part may come to hold one attribute of an object (Hu et al., 2018).
`place_factors` keeps its last numbers for where something lies.
"""

from dataclasses import dataclass
from typing import Any

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms import variants

PLACE = "place"  # the part that says where
COORDINATES = 2  # of a place: x, y


@dataclass(frozen=True, kw_only=True)
class OutlookConfig:
    """What the numbers of a chunk are for."""

    attribute_parts: int = setting(
        1,
        "Parts of a chunk that are mixed between objects, each by a fair coin, beside the mixing "
        "of whole chunks; a second classifier tells where each part is from (Hu et al., 2018). 1, "
        "the thesis: chunks are whole.",
    )
    lambda_parts: float = setting(
        0.044, "With --attribute_parts, the weight of the second classifier in the joint loss."
    )
    place_factors: int = setting(
        0,
        "Places in a chunk: its last numbers are their x and y in the quadrant, -1 to 1, each the "
        "soft arg-max of a heat map; the decoder sees where it is relative to them. 0, the thesis: "
        "none.",
    )


def place_width(config: OutlookConfig) -> int:
    """Numbers at the end of a chunk that are places."""
    return COORDINATES * config.place_factors


def parts(config: Any) -> dict[str, int]:
    """The parts of a chunk in their order: how many numbers each has, by name.

    One part, the whole chunk, where a chunk is not divided.
    """
    rest = config.chunk_size - place_width(config)
    each = rest // config.attribute_parts
    named = {f"part {number + 1}": each for number in range(config.attribute_parts)}
    return {**named, PLACE: place_width(config)} if config.place_factors else named


def check(config: Any) -> None:
    """Raises UserError, naming the flag, for the first bad setting of a `ModelConfig`."""
    require("attribute_parts", config.attribute_parts, minimum=1)
    require("lambda_parts", config.lambda_parts, minimum=0)
    require("place_factors", config.place_factors, minimum=0)
    rest = config.chunk_size - place_width(config)
    if rest < 1:
        raise UserError(
            f"--place_factors={config.place_factors} leaves nothing of --chunk_size="
            f"{config.chunk_size}: at most {(config.chunk_size - 1) // COORDINATES}"
        )
    if rest % config.attribute_parts:
        places = f" less {place_width(config)} of --place_factors" if config.place_factors else ""
        raise UserError(
            f"--attribute_parts={config.attribute_parts} does not divide --chunk_size="
            f"{config.chunk_size}{places}"
        )
    if config.attribute_parts > 1 and config.mixing != variants.CANDIDATES:
        raise UserError(
            "--attribute_parts mixes the parts of candidates: it needs "
            f"--mixing={variants.CANDIDATES}, not {config.mixing}"
        )
    if config.place_factors:
        _check_places(config)


def _check_places(config: Any) -> None:
    if config.mixing == variants.TILES or config.decoder == "broadcast":
        raise UserError("--place_factors goes with neither --mixing=tiles nor --decoder=broadcast")
    if config.decoder_attention:
        raise UserError("--place_factors does not go with --decoder_attention")
    if config.decoder_separate_blocks > 2:
        raise UserError(
            f"--decoder_separate_blocks={config.decoder_separate_blocks}: with --place_factors the "
            "first two blocks are convolutions around the places; 0 to 2 of them see chunks alone"
        )
