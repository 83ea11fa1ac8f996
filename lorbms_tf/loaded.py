"""A trained model in Python, for notebooks: `model = lorbms_tf.load("pretrained:scenes64")`.

    codes = model.encode("photo.jpg")
    picture = model.decode(codes)
    mix = model.mix("photo.jpg", ["a.jpg", "b.jpg", "c.jpg", "d.jpg"], "0110")

Pictures go in as paths, Pillow images or arrays, and come out as uint8 arrays.
"""

import os
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from lorbms_tf.data import images, quadrants
from lorbms_tf.errors import UserError
from lorbms_tf.serving.picture_signatures import is_image
from lorbms_tf.serving.saved_model import own_signatures
from lorbms_tf.training import run_directory


def load(run_dir: str, checkpoint: str = "latest") -> "Loaded":
    """The model of a run.

    Args:
      run_dir: run directory, or pretrained:NAME.
      checkpoint: latest, best, or a step.

    Raises UserError where there is no such run or checkpoint.
    """
    model, _ = run_directory.load_model(str(run_dir), str(checkpoint))
    return Loaded(model)


class Loaded:
    """What `lorbms_tf.export` serves of a model, each signature as a method.

    A method takes its signature's inputs in their order or by name, single ones or lists of them,
    and gives the first output: for single inputs without the batch dimension. `outputs` gives all.
    The thesis's model has encode, decode and mix.

    Attributes:
      model: the `keras.Model` itself (`lorbms_tf.training.method.Trainable`).
      signatures: by name.
    """

    def __init__(self, model: Any):
        self.model = model
        self.signatures = own_signatures(model)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.signatures]

    def __getattr__(self, name: str):
        signatures = self.__dict__.get("signatures", {})
        if name not in signatures:
            raise AttributeError(f"no {name!r}; this model has: {', '.join(signatures)}")
        return lambda *given, **named: next(iter(self.outputs(name, *given, **named).values()))

    def outputs(self, signature: str, *given: Any, **named: Any) -> dict[str, np.ndarray]:
        """All outputs of a signature by name; images are uint8, 0 to 255.

        Raises UserError for pictures that cannot be read, missing or unknown inputs, and lists of
        different lengths.
        """
        specs = {spec.name: spec for spec in self.signatures[signature].inputs}
        values = {**dict(zip(specs, given, strict=False)), **named}
        if values.keys() != specs.keys() or len(given) > len(specs):
            raise UserError(f"{signature} takes {', '.join(specs)}; got {', '.join(values)}")
        batches = {name: _batch(name, values[name], spec) for name, spec in specs.items()}
        counts = {name: len(array) for name, (array, _) in batches.items()}
        if len(set(counts.values())) > 1:
            raise UserError(f"{signature}: the inputs have different lengths: {counts}")
        tensors = [tf.constant(array, specs[name].dtype) for name, (array, _) in batches.items()]
        made = self.signatures[signature].function(*tensors)
        single = all(alone for _, alone in batches.values())
        arrays = {
            name: images.to_uint8(values) if is_image(values) else np.asarray(values)
            for name, values in made.items()
        }
        return {name: array[0] if single else array for name, array in arrays.items()}

    def __repr__(self) -> str:
        return f"<{self.model.name}: {', '.join(self.signatures)}>"


def _batch(name: str, value: Any, spec: tf.TensorSpec) -> tuple[np.ndarray, bool]:
    """An input as an array [B, ...], and whether it was a single one."""
    shape = tuple(spec.shape[1:])
    if spec.dtype == tf.bool and len(shape) == 1:
        side = quadrants.grid_side(shape[0])
        if isinstance(value, str):
            return quadrants.parse_mask(value, side)[None], True
        if len(value) and isinstance(value[0], str):
            return np.stack([quadrants.parse_mask(text, side) for text in value]), False
    if is_image(spec):
        return _images(name, value, shape)
    array = np.asarray(value)
    single = array.shape == shape
    if not single and array.shape[1:] != shape:
        raise UserError(f"{name}: an array {_sides(shape)} is expected, not {_sides(array.shape)}")
    return (array[None] if single else array), single


def _images(name: str, value: Any, shape: tuple) -> tuple[np.ndarray, bool]:
    """As `_batch`, of pictures; `shape` is [S, S, C], or [n, S, S, C] for n pictures an item."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        single = value.shape == shape
        if not single and value.shape[1:] != shape:
            raise UserError(
                f"{name}: floats in [-1, 1] {_sides(shape)} are expected, not "
                f"{_sides(value.shape)}; photos of any size are given as uint8"
            )
        return (value[None] if single else value), single
    depth = len(shape) - 3  # lists around a picture, in a single item
    single = _depth(value) == depth
    items = [value] if single else value
    return np.stack([_floats(item, shape) for item in items]), single


def _depth(value: Any) -> int:
    """How many lists are around the pictures."""
    if isinstance(value, str | os.PathLike | Image.Image):
        return 0
    if isinstance(value, np.ndarray):
        return max(0, value.ndim - 3)
    return 1 + (_depth(value[0]) if len(value) else 0)


def _floats(value: Any, shape: tuple) -> np.ndarray:
    if len(shape) > 3:
        if len(value) != shape[0]:
            raise UserError(f"{shape[0]} pictures an item are expected, not {len(value)}")
        return np.stack([_floats(item, shape[1:]) for item in value])
    size, channels = shape[0], shape[-1]
    if isinstance(value, str | os.PathLike):
        square = images.to_uint8(images.read_square(value, size))
    else:
        pixels = np.asarray(value.convert("RGB") if isinstance(value, Image.Image) else value)
        if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
            raise UserError(f"a picture is uint8 [H, W, 3], not {pixels.dtype} {pixels.shape}")
        pixels = np.asarray(Image.fromarray(pixels).convert("RGB"))
        square = images.central(pixels, size)
    if channels == 1:
        square = np.asarray(Image.fromarray(square).convert("L"))[..., None]
    return images.to_float(square)


def _sides(shape: tuple) -> str:
    return f"[{', '.join(map(str, shape))}]"
