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


class _Function(NamedTuple):
    """A served function: specs of what it takes and gives, and the call with one tensor."""

    inputs: list[Any]
    outputs: dict[str, Any]
    call: Callable[[Any], dict[str, Any]]

    def takes(self, codes: bool) -> bool:
        """Whether it takes one tensor of floats: codes of a known shape, or pictures."""
        if len(self.inputs) != 1 or not self.inputs[0].dtype.is_floating:
            return False
        spec = self.inputs[0]
        if not codes:
            return _is_pictures(spec)
        return bool(spec.shape.rank) and None not in spec.shape[1:] and not _is_pictures(spec)

    def giving(self, wanted: Callable[[Any], bool]) -> Callable | None:
        """The function to its one output that is wanted; None where there is not one."""
        names = [name for name, spec in self.outputs.items() if wanted(spec)]
        if len(names) != 1:
            return None
        kind = self.inputs[0].dtype
        return lambda values: self.call(tf.cast(values, kind))[names[0]]


def of_run(config: ImageMeanConfig) -> Codec:
    """What the model of a run serves as "decode", and its encoder.

    Raises UserError where it makes no pictures of codes.
    """
    model, _ = run_directory.load_model(config.run_dir, config.checkpoint)
    functions = {}
    for name, one in model.signatures().items():
        graph = tf.function(one.function, input_signature=list(one.inputs), autograph=False)
        outputs = graph.get_concrete_function().structured_outputs
        functions[name] = _Function(list(one.inputs), outputs, graph)
    return _codec(functions, "decode", f"--run_dir={config.run_dir}")


def of_saved_model(text: str) -> Codec:
    """The signatures of a SavedModel, "FOLDER" or "FOLDER,signature=NAME".

    Raises UserError where there is none, or not one signature from codes to images.
    """
    named = f"saved_model:{text}"
    saved_model.check(named)
    source = saved_model.parse(named)
    try:
        with without_signs(source.folder) as readable:
            loaded = tf.saved_model.load(readable)
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise UserError(f"--saved_model={text}: cannot be loaded: {error}") from error
    functions = {name: _loaded(loaded, name) for name in loaded.signatures}
    painting = [name for name, one in functions.items() if _decoder(one)]
    usual = [name for name in ("decode", "serving_default") if name in painting]
    wanted = source.signature or next(iter([*usual, *painting]), "decode")
    return _codec(functions, wanted, f"--saved_model={text}")


def _loaded(loaded: Any, name: str) -> _Function:
    run = loaded.signatures[name]
    inputs = run.structured_input_signature[1]

    def call(values: Any) -> dict[str, Any]:
        # Through the loaded model, which holds the variables; the function alone does not.
        return loaded.signatures[name](**{next(iter(inputs)): values})

    return _Function(list(inputs.values()), run.structured_outputs, call)


def _decoder(one: _Function) -> Callable | None:
    return one.giving(_is_pictures) if one.takes(codes=True) else None


def _codec(functions: dict[str, _Function], wanted: str, flag: str) -> Codec:
    decode = _decoder(functions[wanted]) if wanted in functions else None
    if decode is None:
        valid = ", ".join(name for name, one in functions.items() if _decoder(one)) or "none"
        raise UserError(
            f"{flag}: there is no signature {wanted!r} from one float code to images "
            f"[B, S, S, 3]; valid: {valid}"
        )
    code = tuple(functions[wanted].inputs[0].shape[1:])
    side = int(decode(tf.zeros((1, *code))).shape[1])
    encoders = [
        one.giving(lambda spec: tuple(spec.shape[1:]) == code)
        for one in functions.values()
        if one.takes(codes=False) and one.inputs[0].shape[1] in (None, side)
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
