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
from lorbms_tf.tensorflow_paths import without_signs
from lorbms_tf.training import run_directory

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
    """The decoder of a run, and its encoder. UserError where its model has none."""
    model, trained = run_directory.load_model(config.run_dir, config.checkpoint)
    if not (hasattr(model, "encode") and hasattr(model, "decode")):
        raise UserError(f"--run_dir={config.run_dir}: its model makes no pictures of codes")
    encode, decode = (tf.function(f, autograph=False) for f in (model.encode, model.decode))
    side = trained.image_size
    code = encode(tf.zeros((1, side, side, 3))).shape[1:]
    return Codec(decode, tuple(code), encode, side)


def of_saved_model(text: str) -> Codec:
    """The signatures of a SavedModel, "FOLDER" or "FOLDER,signature=NAME".

    Raises UserError where there is none, or not one signature from codes to images.
    """
    named = f"saved_model:{text}"
    saved_model.check(named)
    source = saved_model.parse(named)
    with without_signs(source.folder) as readable:
        loaded = tf.saved_model.load(readable)
    found = {
        name: made for name, run in loaded.signatures.items() if (made := _decoder(run, loaded))
    }
    wanted = source.signature or ("decode" if "decode" in found else "serving_default")
    if wanted not in found and not source.signature and len(found) == 1:
        wanted = next(iter(found))
    if wanted not in found:
        valid = ", ".join(f"signature={name}" for name in sorted(found)) or "none"
        raise UserError(
            f"--saved_model={text}: there is no signature {wanted!r} from one float code to "
            f"images [B, S, S, 3]; valid: {valid}"
        )
    decode, code, side = found[wanted]
    encoders = (_encoder(run, loaded, code, side) for run in loaded.signatures.values())
    return Codec(decode, code, next(filter(None, encoders), None), side)


def _decoder(run: Any, loaded: Any) -> tuple[Callable, tuple[int, ...], int] | None:
    """A signature as (decode, shape of a code, s), where it is one from codes to images."""
    keyword, spec = _only_input(run)
    pictures = [name for name, out in run.structured_outputs.items() if _is_pictures(out)]
    fixed = spec is not None and spec.shape.rank and None not in spec.shape[1:]
    if not fixed or _is_pictures(spec) or len(pictures) != 1 or not spec.dtype.is_floating:
        return None
    output = pictures[0]

    def decode(codes: Any) -> Any:
        _ = loaded  # which holds the variables; the function alone does not
        return run(**{keyword: tf.cast(codes, spec.dtype)})[output]

    code = tuple(spec.shape[1:])
    return decode, code, int(decode(tf.zeros((1, *code))).shape[1])


def _encoder(run: Any, loaded: Any, code: tuple[int, ...], side: int) -> Callable | None:
    """A signature as a function from images to codes of a shape; None where it is none."""
    keyword, spec = _only_input(run)
    outputs = [n for n, out in run.structured_outputs.items() if tuple(out.shape[1:]) == code]
    if spec is None or not _is_pictures(spec) or len(outputs) != 1:
        return None
    if spec.shape[1] not in (None, side) or not spec.dtype.is_floating:
        return None

    def encode(pictures: Any) -> Any:
        _ = loaded
        return run(**{keyword: tf.cast(pictures, spec.dtype)})[outputs[0]]

    return encode


def _only_input(run: Any) -> tuple[str, Any]:
    inputs = run.structured_input_signature[1]
    return next(iter(inputs.items())) if len(inputs) == 1 else ("", None)


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
