"""The JSON of TensorFlow Serving's REST contract, to tensors and back.

https://www.tensorflow.org/tfx/serving/api_rest: a body has either "instances", a list with one
entry an item of the batch, or "inputs", one array an input. Bytes stand as {"b64": "..."}; outputs
of strings whose name ends in _bytes are given so.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

_NUMBERS = {tf.float32: np.float32, tf.int32: np.int32, tf.int64: np.int64}
DEFAULT_SIGNATURE = "serving_default"


class BadRequest(Exception):
    """What a client did wrong, with the status that HTTP has for it."""

    def __init__(self, message: str, status: int = 400):
        super().__init__(message)
        self.status = status


def parsed(body: bytes | bytearray) -> dict[str, Any]:
    """A request's JSON object. BadRequest where it is none, or not in UTF-8."""
    if not body.strip():
        raise BadRequest(
            'the body is empty; a JSON object with "instances" or "inputs" is expected'
        )
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    except ValueError as error:  # also a whole number of more digits than Python reads
        raise BadRequest(f"the body is no JSON that can be read: {error}") from error
    except RecursionError as error:
        raise BadRequest("the body is no JSON that can be read: too many brackets") from error
    if not isinstance(value, dict):
        raise BadRequest("the body must be a JSON object")
    if ("instances" in value) == ("inputs" in value):
        some = "both" if "inputs" in value else "neither"
        raise BadRequest(f'the body must have either "instances" or "inputs", not {some}')
    return value


def _refuse_constant(name: str):
    raise BadRequest(f"{name} is no JSON number")


def signature_name(body: Mapping[str, Any], valid: Mapping[str, Any]) -> str:
    """Which signature a body asks for. BadRequest, listing the valid ones, for another."""
    name = body.get("signature_name", DEFAULT_SIGNATURE)
    if not isinstance(name, str) or name not in valid:
        raise BadRequest(f"no signature {name!r}; valid: {', '.join(sorted(valid))}")
    return name


def inputs(body: Mapping[str, Any], specs: Mapping[str, tf.TensorSpec]) -> dict[str, tf.Tensor]:
    """A body's tensors by name, all with the same batch size.

    Args:
      body: as `parsed` gives it.
      specs: of the signature's inputs, batch dimension first.

    Raises BadRequest, naming the input, for a missing or unknown one, another shape or type, a
    ragged array, null, and bad base64.
    """
    if "instances" in body:
        arrays = _columns(body["instances"], specs)
    else:
        arrays = _named(body["inputs"], specs)
    tensors = {name: _tensor(name, arrays[name], specs[name]) for name in specs}
    counts = {name: tensor.shape[0] for name, tensor in tensors.items()}
    if len(set(counts.values())) > 1:
        raise BadRequest(f"the inputs have different batch sizes: {counts}")
    return tensors


def _columns(instances, specs) -> dict[str, list]:
    """Entries, one an item, as arrays by name."""
    if not isinstance(instances, list):
        raise BadRequest('"instances" must be a list')
    if len(specs) == 1:
        (name,) = specs
        bare = [item[name] if _is_record(item, specs) else item for item in instances]
        return {name: bare}
    for item in instances:
        _check_names(item, specs)
    return {name: [item[name] for item in instances] for name in specs}


def _is_record(item, specs) -> bool:
    return isinstance(item, dict) and set(item) == set(specs)


def _named(values, specs) -> dict[str, Any]:
    """Arrays by name; a single one may stand without its name."""
    if len(specs) == 1 and not _is_record(values, specs):
        return {next(iter(specs)): values}
    _check_names(values, specs)
    return values


def _check_names(values, specs) -> None:
    valid = ", ".join(sorted(specs))
    if not isinstance(values, dict):
        raise BadRequest(f"the inputs must be named: {valid}")
    for name in specs:
        if name not in values:
            raise BadRequest(f"the input {name!r} is missing; inputs: {valid}")
    for name in values:
        if name not in specs:
            raise BadRequest(f"no input {name!r}; inputs: {valid}")


def _tensor(name: str, values, spec: tf.TensorSpec) -> tf.Tensor:
    if not isinstance(values, list):
        raise BadRequest(f"the input {name!r} must be a list, one entry an item of the batch")
    shape = tuple(spec.shape)[1:]
    leaves: list = []
    _flatten(name, values, (None, *shape), spec.dtype, leaves)
    if spec.dtype == tf.string:
        return tf.reshape(tf.constant(leaves, tf.string), (-1, *shape))
    array = np.array(leaves, np.bool_ if spec.dtype == tf.bool else _NUMBERS[spec.dtype])
    return tf.constant(array.reshape(-1, *shape))


def _flatten(name: str, values, shape: tuple, dtype: tf.DType, leaves: list) -> None:
    """Appends the values of a nested list of a shape, checked one by one."""
    if not shape:
        leaves.append(_value(name, values, dtype))
        return
    if not isinstance(values, list):
        raise BadRequest(f"the input {name!r} has too few dimensions at {_short(values)}")
    if shape[0] is not None and len(values) != shape[0]:
        raise BadRequest(
            f"the input {name!r} has {len(values)} entries where {shape[0]} are expected "
            f"(inner shape {list(shape)})"
        )
    for entry in values:
        _flatten(name, entry, shape[1:], dtype, leaves)


def _value(name: str, value, dtype: tf.DType):
    if dtype == tf.string:
        return _bytes(name, value)
    if isinstance(value, list):
        raise BadRequest(f"the input {name!r} has too many dimensions")
    kind = "true or false" if dtype == tf.bool else "a number"
    right = isinstance(value, bool) == (dtype == tf.bool) and isinstance(value, (bool, int, float))
    if not right:
        raise BadRequest(f"the input {name!r} must hold {kind}, not {_short(value)}")
    if not dtype.is_bool:
        limits = np.finfo if dtype.is_floating else np.iinfo
        limits = limits(dtype.as_numpy_dtype)
        # Python compares whole numbers of any size with each other and with floats exactly.
        lowest, highest = (
            (float(limits.min), float(limits.max))
            if dtype.is_floating
            else (int(limits.min), int(limits.max))
        )
        if not lowest <= value <= highest:  # an infinity fails as well
            raise BadRequest(f"the input {name!r}: {_short(value)} is out of range")
        if not dtype.is_floating and value != int(value):
            raise BadRequest(f"the input {name!r} must hold whole numbers, not {value}")
    return value


def _bytes(name: str, value) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    text = value.get("b64") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(text, str):
        raise BadRequest(f'the input {name!r} must hold {{"b64": "..."}}, not {_short(value)}')
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"the input {name!r} holds bad base64: {error}") from error


def _short(value) -> str:
    try:
        text = json.dumps(value)
    except RecursionError:  # read with the last bracket that Python allows
        return "many brackets"
    return text if len(text) <= 40 else text[:37] + "..."


def answer(body: Mapping[str, Any], outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The response to a body: "predictions" to instances, "outputs" to inputs.

    A single output stands without its name.
    """
    columns = {name: _json(name, values) for name, values in outputs.items()}
    single = next(iter(columns.values())) if len(columns) == 1 else None
    if "inputs" in body:
        return {"outputs": columns if single is None else single}
    if single is not None:
        return {"predictions": single}
    names = list(columns)
    rows = zip(*columns.values(), strict=True)
    return {"predictions": [dict(zip(names, row, strict=True)) for row in rows]}


def _json(name: str, values: np.ndarray) -> list:
    if values.dtype != object:
        return values.tolist()
    return (
        [_text(name, value) for value in values]
        if values.ndim == 1
        else [_json(name, part) for part in values]
    )


def _text(name: str, value: bytes):
    if name.endswith("_bytes"):
        return {"b64": base64.b64encode(value).decode("ascii")}
    return value.decode("utf-8", "replace")
