import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.serving import onnx_files, saved_model
from lorbms_tf.serving.signature import Signature
from tests import tiny

BOUND = 1e-5  # float32 of two libraries, values of 1
extras = pytest.mark.extras


def run(file, **inputs):
    """The outputs of an ONNX file by name."""
    session = onnx_files.session(str(file))
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


@extras
def test_onnx_files_compute_what_the_model_does_at_any_batch_size(tmp_path):
    model = Lorbms(tiny.config(), seed=1)
    folder = tmp_path / "onnx"
    assert 0 <= onnx_files.write(model, folder) <= BOUND
    assert sorted(path.name for path in folder.iterdir()) == [
        "decode.onnx", "encode.onnx", "mix.onnx",
    ]  # fmt: skip
    signatures = saved_model.own_signatures(model)
    mix = signatures["mix"]
    scene = {k: v.numpy() for k, v in mix.examples(np.random.default_rng(0), 5).items()}
    expected = mix.function(*(scene[spec.name] for spec in mix.inputs))
    for batch in (0, 5):
        made = run(folder / "mix.onnx", **{name: values[:batch] for name, values in scene.items()})
        assert made.keys() == expected.keys() == {"images", "codes"}
        for name, values in made.items():
            np.testing.assert_allclose(values, expected[name][:batch], atol=BOUND)
    codes = run(folder / "encode.onnx", images=scene["reference"])["codes"]
    np.testing.assert_allclose(codes, model.encode(scene["reference"]), atol=BOUND)
    with pytest.raises(UserError, match="exists already"):
        onnx_files.write(model, folder)


def doubled(**change):
    spec = tf.TensorSpec((None, 2), tf.float32, "values")
    one = Signature(lambda values: {"values": 2 * values}, [spec], [], lambda random, batch: {})
    return one._replace(**change)


@extras
def test_an_output_named_as_an_input_gets_a_name_of_its_own(tmp_path):
    (tmp_path / "double.onnx").write_bytes(onnx_files.proto("double", doubled()))
    made = run(tmp_path / "double.onnx", values=np.array([[1, 3]], np.float32))
    assert made.keys() == {"values_out"}
    np.testing.assert_array_equal(made["values_out"], [[2, 6]])


@extras
def test_files_that_compute_something_else_are_not_kept(tmp_path, monkeypatch):
    values = np.ones((3, 2), np.float32)
    wrong = [saved_model.Probe({"double": {"values": values}}, {"double": {"values": values}})]
    monkeypatch.setattr(saved_model, "make_probes", lambda *_, **__: wrong)
    model = SimpleNamespace(signatures=lambda: {"double": doubled()})
    with pytest.raises(RuntimeError, match="differ from the model by 1, more than"):
        onnx_files.write(model, tmp_path / "onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_one_line(monkeypatch):
    for name in ("tf2onnx", "onnxruntime"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match="needs the package tf2onnx: .*pip install .*onnx"):
        onnx_files.proto("double", doubled())
    with pytest.raises(UserError, match="needs the package onnxruntime"):
        onnx_files.session(b"")
