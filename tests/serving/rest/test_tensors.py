import base64
import json

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.serving.rest import tensors
from lorbms_tf.serving.rest.tensors import BadRequest

MIX = {
    "reference_bytes": tf.TensorSpec((None,), tf.string),
    "mask": tf.TensorSpec((None, 2), tf.bool),
    "codes": tf.TensorSpec((None, 2, 1), tf.float32),
}
CODES = {"codes": tf.TensorSpec((None, 2, 1), tf.float32)}
CODE = [[1.5], [-2]]


def b64(data: bytes) -> dict:
    return {"b64": base64.b64encode(data).decode()}


def test_instances_and_inputs_say_the_same():
    items = [
        {"reference_bytes": b64(b"\0a"), "mask": [True, False], "codes": CODE},
        {"reference_bytes": b64(b""), "mask": [False, False], "codes": [[0], [1e3]]},
    ]
    columns = {name: [item[name] for item in items] for name in MIX}
    for body in ({"instances": items}, {"inputs": columns}):
        seen = tensors.inputs(tensors.parsed(json.dumps(body).encode()), MIX)
        assert seen["reference_bytes"].numpy().tolist() == [b"\0a", b""]
        assert seen["mask"].numpy().tolist() == [[True, False], [False, False]]
        np.testing.assert_array_equal(seen["codes"], np.float32([CODE, [[0], [1e3]]]))


def test_a_single_input_may_stand_without_its_name():
    for body in (
        {"instances": [CODE, CODE]},
        {"instances": [{"codes": CODE}, {"codes": CODE}]},
        {"inputs": [CODE, CODE]},
        {"inputs": {"codes": [CODE, CODE]}},
    ):
        assert tensors.inputs(body, CODES)["codes"].shape == (2, 2, 1)


def test_no_instances_are_an_empty_batch():
    assert tensors.inputs({"instances": []}, MIX)["mask"].shape == (0, 2)


@pytest.mark.parametrize(
    "body, message",
    [
        (b"", "empty"),
        (b"{", "no JSON"),
        (b"[]", "must be a JSON object"),
        (b"\xff{}", "not UTF-8"),
        (b"{}", "neither"),
        (b'{"instances": [], "inputs": []}', "both"),
        (b'{"instances": [NaN]}', "NaN"),
        (b'{"instances": [-Infinity]}', "Infinity"),
        (b"[" * 200_000, "JSON"),
        (b'{"instances": [' + b"9" * 5000 + b"]}", "no JSON that can be read"),
    ],
)
def test_bodies_that_are_none(body, message):
    with pytest.raises(BadRequest, match=message):
        tensors.parsed(body)


@pytest.mark.parametrize(
    "instances, message",
    [
        ({}, "must be a list"),
        ([None], "too few dimensions at null"),
        ([3.0], "too few dimensions"),
        ([[[1], [2], [3]]], "3 entries where 2"),
        ([CODE, [[1]]], "1 entries where 2"),  # ragged
        ([[[1, 2], [3]]], "2 entries where 1"),
        ([[[[1]], [2]]], "too many dimensions"),
        ([[[None], [2]]], "must hold a number, not null"),
        ([[["1"], [2]]], "must hold a number"),
        ([[[True], [2]]], "must hold a number"),
        ([[[1e39], [2]]], "out of range"),
        ([[[10**400], [2]]], "out of range"),
    ],
)
def test_arrays_of_another_shape_or_type(instances, message):
    with pytest.raises(BadRequest, match=message):
        tensors.inputs({"instances": instances}, CODES)


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
def test_whole_numbers_reach_to_both_ends_of_their_type_and_no_further(dtype):
    specs = {"x": tf.TensorSpec((None,), dtype)}
    for end, outside in ((dtype.max, dtype.max + 1), (dtype.min, dtype.min - 1)):
        assert tensors.inputs({"inputs": [end]}, specs)["x"].numpy().tolist() == [end]
        with pytest.raises(BadRequest, match="out of range"):
            tensors.inputs({"inputs": [outside]}, specs)


def test_names_and_counts_and_base64():
    item = {"reference_bytes": b64(b"a"), "mask": [True, True], "codes": CODE}
    for change, message in (
        ({"reference_bytes": {"b64": "*"}}, "bad base64"),
        ({"reference_bytes": {"b64": 3}}, "must hold"),
        ({"reference_bytes": 5}, "must hold"),
        ({"mask": [1, 0]}, "true or false"),
        ({"more": 1}, "no input 'more'"),
    ):
        with pytest.raises(BadRequest, match=message):
            tensors.inputs({"instances": [{**item, **change}]}, MIX)
    with pytest.raises(BadRequest, match="'mask' is missing; inputs: codes, mask"):
        tensors.inputs({"instances": [{"codes": CODE, "reference_bytes": b64(b"")}]}, MIX)
    with pytest.raises(BadRequest, match="different batch sizes"):
        columns = {"reference_bytes": [], "mask": [[True, True]], "codes": [CODE]}
        tensors.inputs({"inputs": columns}, MIX)


def test_signatures_by_name():
    assert tensors.signature_name({}, {"serving_default": 1}) == "serving_default"
    for name in ("other", 3, None):
        with pytest.raises(BadRequest, match="valid: decode, encode"):
            tensors.signature_name({"signature_name": name}, {"encode": 1, "decode": 2})


def test_answers():
    images = np.array([b"\x89P", b""], object)
    codes = np.float32([[0.5], [1]])
    one, two = {"codes": codes}, {"image_bytes": images, "codes": codes}
    bytes_of = [b64(b"\x89P"), b64(b"")]
    assert tensors.answer({"instances": []}, one) == {"predictions": [[0.5], [1.0]]}
    assert tensors.answer({"inputs": []}, one) == {"outputs": [[0.5], [1.0]]}
    assert tensors.answer({"inputs": []}, two)["outputs"]["image_bytes"] == bytes_of
    rows = tensors.answer({"instances": []}, two)["predictions"]
    assert rows == [
        {"image_bytes": bytes_of[0], "codes": [0.5]},
        {"image_bytes": bytes_of[1], "codes": [1.0]},
    ]
