import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf import export
from lorbms_tf.errors import UserError
from lorbms_tf.export import ExportConfig
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.serving import saved_model, usage
from lorbms_tf.serving.signature import Signature
from lorbms_tf.training import run_directory
from tests import tiny


def test_the_next_version_is_written(run_dir, tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(
        saved_model, "write", lambda model, folder, name: written.append((folder, name)) or 0.5
    )
    (tmp_path / "7").mkdir()
    config = ExportConfig(run_dir=run_dir, export_dir=str(tmp_path))
    assert export.export_saved_model(config)[:2] == (tmp_path / "8", 0.5)
    assert written == [(tmp_path / "8", f"--run_dir={run_dir}")]


def test_a_version_that_exists_is_refused(run_dir, tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "saved_model.pb").write_text("")
    config = ExportConfig(run_dir=run_dir, export_dir=str(tmp_path), version=7)
    with pytest.raises(UserError, match="7 exists already"):
        export.export_saved_model(config)


def test_nothing_is_exported_into_a_run(run_dir):
    before = sorted(Path(run_dir).rglob("*"))
    config = ExportConfig(run_dir=run_dir, export_dir=run_dir)
    with pytest.raises(UserError, match="--export_dir=.* holds a run of lorbms_tf.train"):
        export.export_saved_model(config)
    assert sorted(Path(run_dir).rglob("*")) == before


def test_export_before_any_checkpoint_writes_nothing(tmp_path):
    run_directory.prepare(tiny.config(run_dir=str(tmp_path / "run")))
    config = ExportConfig(run_dir=str(tmp_path / "run"), export_dir=str(tmp_path / "export"))
    with pytest.raises(UserError, match="no checkpoint"):
        export.export_saved_model(config)
    assert not (tmp_path / "export").exists()


def test_a_missing_run_is_named(tmp_path):
    config = ExportConfig(run_dir=str(tmp_path / "absent"), export_dir=str(tmp_path / "export"))
    with pytest.raises(UserError, match="absent"):
        export.export_saved_model(config)


def test_an_unknown_pretrained_model_is_named():
    with pytest.raises(UserError, match="pretrained:nothing.*valid names"):
        export.export_saved_model(ExportConfig(run_dir="pretrained:nothing", export_dir="e"))


def test_weights_only_is_a_run_directory_of_the_same_model(run_dir, tmp_path):
    folder = export.export_weights(
        ExportConfig(run_dir=run_dir, weights_only=str(tmp_path / "small"))
    )
    model, config = run_directory.load_model(run_dir)
    copy, copied = run_directory.load_model(str(folder))
    assert copied.tau == config.tau == 2.0
    assert run_directory.checkpoint_step(str(folder)) == tiny.STEP
    for name, network in model.networks._asdict().items():
        for ours, theirs in zip(
            network.variables, getattr(copy.networks, name).variables, strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)

    def size(path):
        return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())

    assert size(folder) < 0.6 * size(Path(run_dir))  # no moments of Adam
    values = json.loads((folder / "config.json").read_text())
    places = ("records", "eval_records", "run_dir", "init_from")
    assert [values[name] for name in places] == [""] * 4
    assert [entry.name for entry in tmp_path.iterdir()] == ["small"]


def test_weights_only_keeps_what_is_there(run_dir, tmp_path):
    (tmp_path / "precious").write_text("")
    with pytest.raises(UserError, match="not empty"):
        export.export_weights(ExportConfig(run_dir=run_dir, weights_only=str(tmp_path)))
    assert [entry.name for entry in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize(
    "given, reason",
    [
        ({"export_dir": "e"}, "--run_dir is required"),
        ({"run_dir": "r"}, "either --export_dir or --weights_only"),
        ({"run_dir": "r", "export_dir": "e", "weights_only": "w"}, "either"),
        ({"run_dir": "r", "export_dir": "e", "version": -1}, "--version=-1"),
        ({"run_dir": "r", "export_dir": "e", "format": "onnx", "version": 2}, "--version"),
        ({"run_dir": "r", "weights_only": "w", "format": "onnx"}, "--weights_only out"),
    ],
)
def test_settings_are_validated(given, reason):
    with pytest.raises(UserError, match=reason):
        ExportConfig(**given).validate()


def test_the_printed_commands_name_the_folder(tmp_path):
    text = usage.text(tmp_path / "3", "lorbms", Lorbms(tiny.config()).signatures())
    assert f"--dir {tmp_path / '3'} --all" in text
    assert f"-v {tmp_path}:/models/lorbms:ro" in text
    assert "(1, 2, 2, 4), 'f4'" in text and "--inputs codes=codes.npy" in text
    assert "Decode a code of zeros" in text and "# writes images.npy" in text
    assert "'instances': [[[[0.0] * 4] * 2] * 2]}" in text


def test_the_printed_commands_are_of_the_first_signature(tmp_path):
    def signature(*specs):
        return {"add": Signature(lambda a, b: {"sum": a}, specs, [], lambda random, batch: {})}

    a, b = tf.TensorSpec((None, 2), tf.float32, "a"), tf.TensorSpec((None,), tf.int32, "b")
    text = usage.text(tmp_path / "1", "name", signature(a, b))
    assert "Run add on zeros" in text and "--inputs 'a=a.npy;b=b.npy'" in text
    assert "np.zeros((1, 2), 'f4')" in text and "np.zeros((1,), 'i4')" in text
    assert "[{'a': [0.0] * 2, 'b': 0}]" in text and "# writes sum.npy" in text
    text = usage.text(tmp_path / "1", "name", signature(a, tf.TensorSpec((None,), tf.string, "b")))
    assert "zeros" not in text and "instances" not in text and "docker run" in text
