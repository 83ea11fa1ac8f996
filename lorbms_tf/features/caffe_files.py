"""Weights in Caffe's own files, `.caffemodel`: a serialized NetParameter, without Caffe.

Read are the layers of today (`layer`, number 100) and those of before 2015 (`layers`, number 2),
both by caffe.proto. The first form of 2013 is refused: Caffe's upgrade_net_proto_binary mends it.

Caffe lays convolutions out as [filters, C / groups, k, k] and dense layers as [out, in]; here they
become "NAME/kernel" [k, k, C / groups, filters] and [in, out], and "NAME/bias". Filters of a group
lie side by side in both, so grouped kernels need no more than that. The rows of the first dense
layer stay as Caffe flattens maps, channels before places (`array_files.with_places_first`). Nothing
is done to the first convolution: it goes on reading BGR.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lorbms_tf.data.protocol_buffers import DELIMITED, Field, NotFieldsError, fields, varint
from lorbms_tf.errors import UserError
from lorbms_tf.files import DAMAGED

SUFFIX = ".caffemodel"
# Numbers in NetParameter, and of a layer's name and blobs in LayerParameter and V1LayerParameter.
_LAYERS = {100: (1, 7), 2: (4, 6)}
_V1, _OF_FIRST_FORM = 2, 1  # a V1LayerParameter that holds a layer of the first form
_DATA, _SHAPE, _DOUBLES = 5, 7, 8  # of a BlobProto; 1 to 4 are its sides before there was a shape
_PARTS = ("kernel", "bias")


def arrays(path: str, network: str, flag: str = "weights") -> dict[str, np.ndarray]:
    """The kernels and biases of a file, float32; `network` and `flag` are for messages.

    Layers with other blobs than these two (batch norm has three) are left out.

    Raises UserError where the file is missing, damaged, of the first form, or has no weights.
    """
    try:
        raw = Path(path).read_bytes()
        found = {}
        for name, blobs in _weighted_layers(raw):
            values = [_blob(raw, blob) for blob in blobs]
            if len(values) <= len(_PARTS) and values[0].ndim in (2, 4):
                for part, value in zip(_PARTS, values, strict=False):
                    found[f"{name}/{part}"] = _ours(value) if part == "kernel" else value.ravel()
    except (*DAMAGED, IndexError) as error:
        reason = str(error) or type(error).__name__
        raise UserError(
            f"--{flag}: {path} does not hold the weights of {network}: {reason}"
        ) from error
    if not found:
        raise UserError(
            f"--{flag}: {path} does not hold the weights of {network}: there are none in it; a "
            f"{SUFFIX} file with weights is needed, no network without them"
        )
    return found


def _weighted_layers(raw: bytes) -> Iterator[tuple[str, list[Field]]]:
    """Name and blobs of each layer that has some."""
    for layer in fields(raw, 0, len(raw)):
        if layer.number not in _LAYERS or layer.kind != DELIMITED:
            continue
        name_at, blobs_at = _LAYERS[layer.number]
        name, blobs = "", []
        for part in fields(raw, layer.start, layer.end):
            if layer.number == _V1 and part.number == _OF_FIRST_FORM:
                raise NotFieldsError("it has Caffe's first form; upgrade_net_proto_binary mends it")
            if part.number == name_at:
                name = raw[part.start : part.end].decode()
            elif part.number == blobs_at:
                blobs.append(part)
        if blobs:
            yield name, blobs


def _blob(raw: bytes, blob: Field) -> np.ndarray:
    """The values of a BlobProto in their shape, float32."""
    sides, shape, parts, kind = [1, 1, 1, 1], None, [], "<f4"
    for part in fields(raw, blob.start, blob.end):
        if part.number in range(1, 5):
            sides[part.number - 1] = varint(raw, part.start)[0]
        elif part.number == _SHAPE:
            shape = _dimensions(raw, part)
        elif part.number in (_DATA, _DOUBLES):  # packed, all in one, or each for itself
            kind = "<f8" if part.number == _DOUBLES else "<f4"
            parts.append(raw[part.start : part.end])
    values = np.frombuffer(b"".join(parts), kind).astype(np.float32)
    if shape is None:
        # Before there were shapes, all had four sides: a dense kernel [1, 1, out, in].
        shape = sides[2:] if sides[:2] == [1, 1] else sides
    if values.size != np.prod(shape):
        raise NotFieldsError(f"{values.size} values for the shape {list(shape)}")
    return values.reshape(shape)


def _dimensions(raw: bytes, shape: Field) -> list[int]:
    found = []
    for part in fields(raw, shape.start, shape.end):
        at = part.start
        if part.kind != DELIMITED:
            found.append(varint(raw, at)[0])
            continue
        while at < part.end:
            value, at = varint(raw, at)
            found.append(value)
    return found


def _ours(kernel: np.ndarray) -> np.ndarray:
    return kernel.transpose(2, 3, 1, 0) if kernel.ndim == 4 else kernel.T
