"""An export in TensorFlow's C API, which is the loader that TensorFlow Serving calls."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from lorbms_tf.data import images
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.serving import saved_model
from tests import tiny

SCRIPT = Path(__file__).with_name("c_api.py")
KINDS = {tf.float32: 1, tf.string: 7, tf.bool: 10}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "1"
    saved_model.write(Lorbms(tiny.config(), seed=1), folder)
    return folder


@pytest.fixture(scope="module")
def reloaded(folder):
    return tf.saved_model.load(str(folder))


def library() -> str:
    """The C library inside the installed package."""
    (path,) = Path(tf.sysconfig.get_lib()).glob("libtensorflow_cc.so.2*")
    return str(path)


def by_c_api(folder: Path, signature: str, given: dict, tmp_path: Path) -> dict[str, np.ndarray]:
    proto = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    definition = proto.meta_graphs[0].signature_def[signature]

    def place(info) -> list:
        name, index = info.name.split(":")
        return [name, int(index)]

    def flat(tensor) -> list:
        values = np.ravel(tensor.numpy()).tolist()
        return [v.hex() for v in values] if tensor.dtype == tf.string else values

    request = {
        "inputs": [
            [*place(definition.inputs[name]), KINDS[t.dtype], t.shape.as_list(), flat(t)]
            for name, t in given.items()
        ],
        "outputs": [place(info) for info in definition.outputs.values()],
    }
    path = tmp_path / "request.json"
    path.write_text(json.dumps(request))
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), library(), str(folder), str(path)],
        capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = {}
    answers = json.loads(done.stdout.splitlines()[-1])
    for name, (kind, shape, values) in zip(definition.outputs, answers, strict=True):
        values = [bytes.fromhex(v) for v in values] if kind == KINDS[tf.string] else values
        made[name] = np.array(values, object if kind == KINDS[tf.string] else None).reshape(shape)
    return made


def inputs() -> dict[str, dict]:
    rng = np.random.default_rng(0)
    floats = tf.constant(rng.uniform(-1, 1, (2, 5, 32, 32, 3)), tf.float32)
    files = [images.encode_jpeg(tiny.noise(i, 50)) for i in range(10)]
    mask = tf.constant([[True, False, False, True], [False, True, False, True]])
    codes = tf.constant(rng.normal(size=(2, 2, 2, 4)), tf.float32)
    files = tf.reshape(tf.constant(files), (2, 5))
    return {
        "encode": {"images": floats[:, 0]},
        "decode": {"codes": codes},
        "serving_default": {"codes": codes},
        "mix": {"reference": floats[:, 0], "candidates": floats[:, 1:], "mask": mask},
        "encode_bytes": {"image_bytes": files[:, 0]},
        "decode_bytes": {"codes": codes},
        "mix_bytes": {
            "reference_bytes": files[:, 0],
            "candidates_bytes": files[:, 1:],
            "mask": mask,
        },
    }


@pytest.mark.parametrize("signature", inputs())
def test_every_signature_computes_the_same_without_pythons_tensorflow(
    folder, reloaded, signature, tmp_path
):
    given = inputs()[signature]
    expected = reloaded.signatures[signature](**given)
    made = by_c_api(folder, signature, given, tmp_path)
    assert made.keys() == expected.keys()
    for name, values in expected.items():
        if values.dtype == tf.string:
            assert made[name].tolist() == values.numpy().tolist()
        else:
            np.testing.assert_allclose(made[name], values, rtol=1e-5, atol=1e-6)


def test_the_tests_know_all_signatures(reloaded):
    assert set(inputs()) == set(reloaded.signatures)
