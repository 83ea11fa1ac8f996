"""Any trained model as a generator of problems: a run of this package, or a SavedModel."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lorbms_tf.data import images
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.batches import in_batches
from lorbms_tf.features import saved_model
from lorbms_tf.perceptual import problems
from lorbms_tf.perceptual.mean_config import ImageMeanConfig
from lorbms_tf.serving import functions
from lorbms_tf.serving.functions import Function

_BATCH = 25  # codes in one pass of the networks


class Codec(NamedTuple):
    """What a generator can do.

    decode: codes float32 [B, ...] -> images [B, s, s, 3] in [-1, 1].
    code: the shape of one code.
    encode: images [B, s, s, 3] -> codes; None where it has no encoder.
    side: s.
    """

    decode: Callable[[Any], Any]
    code: tuple[int, ...]
    encode: Callable[[Any], Any] | None
    side: int


def problem_set(config: ImageMeanConfig) -> problems.Generator:
    """The problems that a configuration's generator makes.

    The code in the middle of a set is that of a photo, where photos are named, else it is drawn
    from a normal distribution.

    Raises UserError where the model cannot be used as a generator, makes pictures that are too
    small, or there are fewer photos than problems.
    """
    codec = of_saved_model(config.saved_model) if config.saved_model else of_run(config)
    if codec.side < config.image_size:
        raise UserError(
            f"--image_size={config.image_size} is more than the {codec.side} px of the generator"
        )
    middle = _of_photos(config, codec) if config.images else _drawn(codec)
    return problems.Generator(
        lambda codes: in_batches(codec.decode, _BATCH, codes),
        middle,
        config.image_size,
        config.code_variance,
        config.seed,
    )


def of_run(config: ImageMeanConfig) -> Codec:
    """What the model of a run serves as "decode", and its encoder.

    Raises UserError where it makes no pictures of codes.
    """
    served = functions.of_run(config.run_dir, config.checkpoint)
    return _codec(served, "decode", f"--run_dir={config.run_dir}")


def of_saved_model(text: str) -> Codec:
    """The signatures of a SavedModel, "FOLDER" or "FOLDER,signature=NAME".

    Raises UserError where there is none, or not one signature from codes to images.
    """
    named, flag = f"saved_model:{text}", f"--saved_model={text}"
    saved_model.check(named)
    source = saved_model.parse(named)
    served = functions.of_saved_model(str(source.folder), flag)
    painting = [name for name, one in served.items() if _decoder(one)]
    usual = [name for name in ("decode", "serving_default") if name in painting]
    wanted = source.signature or next(iter([*usual, *painting]), "decode")
    return _codec(served, wanted, flag)


def _takes_codes(one: Function) -> bool:
    """Whether a function takes floats of a known shape that are no pictures."""
    shape, floats = one.input.shape, one.input.dtype.is_floating
    known = bool(shape.rank) and None not in shape[1:]
    return floats and known and not _is_pictures(one.input)


def _giving(one: Function, wanted: Callable[[Any], bool]) -> Callable | None:
    """A function to its one output that is wanted; None where there is not one."""
    names = [name for name, spec in one.outputs().items() if wanted(spec)]
    if len(names) != 1:
        return None
    return lambda values: one.call(tf.cast(values, one.input.dtype))[names[0]]


def _decoder(one: Function) -> Callable | None:
    return _giving(one, _is_pictures) if _takes_codes(one) else None


def _codec(served: dict[str, Function], wanted: str, flag: str) -> Codec:
    decode = _decoder(served[wanted]) if wanted in served else None
    if decode is None:
        valid = ", ".join(name for name, one in served.items() if _decoder(one)) or "none"
        raise UserError(
            f"{flag}: there is no signature {wanted!r} from one float code to images "
            f"[B, S, S, 3]; valid: {valid}"
        )
    code = tuple(served[wanted].input.shape[1:])
    side = int(decode(tf.zeros((1, *code))).shape[1])
    encoders = [
        _giving(one, lambda spec: tuple(spec.shape[1:]) == code)
        for one in served.values()
        if one.input.dtype.is_floating
        and _is_pictures(one.input)
        and one.input.shape[1] in (None, side)
    ]
    return Codec(decode, code, next(filter(None, encoders), None), side)


def _is_pictures(spec: Any) -> bool:
    shape = spec.shape
    return shape.rank == 4 and shape[-1] == 3 and shape[1] == shape[2]


def _of_photos(config: ImageMeanConfig, codec: Codec) -> Callable:
    """(number, draws) -> the code of that photo."""
    if codec.encode is None:
        raise UserError("--images: this generator has no encoder; leave it out to draw codes")
    photos = images.list_photos(config.images)
    if len(photos) < config.num_problems:
        raise UserError(
            f"--images={config.images} has {len(photos)} photos, fewer than "
            f"--num_problems={config.num_problems}"
        )
    order = np.random.default_rng(config.seed).permutation(len(photos))

    def middle(number: int, _: np.random.Generator) -> np.ndarray:
        picture = images.read_square(photos[order[number]], codec.side)
        return np.asarray(codec.encode(tf.constant(picture[None])))[0]

    return middle


def _drawn(codec: Codec) -> Callable:
    return lambda _, rng: rng.standard_normal(codec.code, np.float32)
