"""Signatures that take and give picture files, made of those that take and give images.

A signature NAME with images among its inputs or outputs has a counterpart NAME_bytes, in which each
is a string tensor instead: `images` becomes `image_bytes`, any other name N becomes N_bytes.
TensorFlow Serving takes such strings as {"b64": "..."}, and gives them so, as their names end in
_bytes. Files that come in are JPEG, PNG, GIF, BMP or WebP of at least S pixels a side, S being the
model's image size; those that go out are PNG. See `lorbms_tf.serving.picture_graph`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from lorbms_tf.serving import picture_graph
from lorbms_tf.serving.signature import Signature

SUFFIX = "_bytes"
_LEAST_SIDE = 8  # a code of fewer places is no image, whatever its width


def counterparts(signatures: Mapping[str, Signature]) -> dict[str, Signature]:
    """NAME_bytes of all signatures that take or give images, by name."""
    made = {}
    for name, signature in signatures.items():
        if any(map(is_image, signature.inputs)) or _gives_images(signature):
            made[name + SUFFIX] = _counterpart(signature)
    return made


def is_image(spec: Any) -> bool:
    """Whether a tensor's spec is that of images: float32 [B, ..., S, S, 1 or 3]."""
    if spec.dtype != tf.float32 or len(spec.shape) < 4:
        return False
    height, width, channels = spec.shape[-3:]
    return channels in (1, 3) and height == width and (height or 0) >= _LEAST_SIDE


def _bytes_name(name: str) -> str:
    return "image" + SUFFIX if name == "images" else name + SUFFIX


def _gives_images(signature: Signature) -> bool:
    if not all(spec.shape[1:].is_fully_defined() for spec in signature.inputs):
        return False  # pictures of any size: how files would be brought to one, nobody can say
    zeros = [tf.zeros((1, *spec.shape[1:]), spec.dtype) for spec in signature.inputs]
    return any(map(is_image, signature.function(*zeros).values()))


def _counterpart(signature: Signature) -> Signature:
    specs = signature.inputs

    def function(*given: Any) -> dict:
        images = [
            _floats(tensor, spec) if is_image(spec) else tensor
            for tensor, spec in zip(given, specs, strict=True)
        ]
        outputs = signature.function(*images)
        return dict(_with_files(name, tensor) for name, tensor in outputs.items())

    def examples(random: np.random.Generator, batch: int) -> dict:
        given = signature.examples(random, batch)
        return {
            _bytes_name(spec.name) if is_image(spec) else spec.name: _files(given[spec.name])
            if is_image(spec)
            else given[spec.name]
            for spec in specs
        }

    return Signature(function, [_bytes_spec(s) for s in specs], signature.networks, examples)


def _bytes_spec(spec: tf.TensorSpec) -> tf.TensorSpec:
    if not is_image(spec):
        return spec
    return tf.TensorSpec(spec.shape[:-3], tf.string, _bytes_name(spec.name))


def _floats(files: Any, spec: tf.TensorSpec) -> Any:
    """Files [B, ...] -> images [B, ..., S, S, C]."""
    flat = picture_graph.float_images(tf.reshape(files, (-1,)), *spec.shape[-2:])
    return tf.reshape(flat, tf.concat([tf.shape(files), spec.shape[-3:]], 0))


def _with_files(name: str, tensor: Any) -> tuple[str, Any]:
    return (_bytes_name(name), _files(tensor)) if is_image(tensor) else (name, tensor)


def _files(images: Any) -> Any:
    """Images [B, ..., S, S, C] -> PNG files [B, ...]."""
    shape = tf.shape(images)
    flat = tf.reshape(images, tf.concat([[-1], shape[-3:]], 0))
    return tf.reshape(picture_graph.encoded_images(flat), shape[:-3])
