from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.data import images
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.serving import saved_model
from lorbms_tf.serving.signature import Signature
from tests import tiny


@pytest.fixture(scope="module")
def model():
    return Lorbms(tiny.config(), seed=1)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "1"
    return folder, saved_model.write(model, folder)


@pytest.fixture(scope="module")
def reloaded(exported):
    return tf.saved_model.load(str(exported[0]))


def described(specs):
    """Shapes and types by name of a signature's inputs or outputs."""
    return {name: (spec.shape.as_list(), spec.dtype.name) for name, spec in specs.items()}


def test_signatures_have_names_and_a_free_batch_dimension(reloaded):
    images = ([None, 32, 32, 3], "float32")
    codes = ([None, 2, 2, 4], "float32")
    scene = {
        "reference": images,
        "candidates": ([None, 4, 32, 32, 3], "float32"),
        "mask": ([None, 4], "bool"),
    }
    expected = {
        "serving_default": ({"codes": codes}, {"images": images}),
        "decode": ({"codes": codes}, {"images": images}),
        "encode": ({"images": images}, {"codes": codes}),
        "mix": (scene, {"images": images, "codes": codes}),
    }
    files = ([None], "string")
    scene_files = {
        "reference_bytes": files,
        "candidates_bytes": ([None, 4], "string"),
        "mask": scene["mask"],
    }
    expected |= {
        "decode_bytes": ({"codes": codes}, {"image_bytes": files}),
        "encode_bytes": ({"image_bytes": files}, {"codes": codes}),
        "mix_bytes": (scene_files, {"image_bytes": files, "codes": codes}),
    }
    assert set(reloaded.signatures) == set(expected)
    for name, (inputs, outputs) in expected.items():
        signature = reloaded.signatures[name]
        assert described(signature.structured_input_signature[1]) == inputs
        assert described(signature.structured_outputs) == outputs


def test_only_encoder_and_decoder_are_exported(model, exported):
    saved = tf.train.list_variables(str(exported[0] / "variables" / "variables"))
    values = sum(int(np.prod(shape)) for name, shape in saved if "OBJECT_GRAPH" not in name)
    expected = model.encoder.variables + model.decoder.variables
    assert values == sum(int(np.prod(variable.shape)) for variable in expected)


def test_the_written_model_was_compared_and_agrees(exported):
    assert 0 <= exported[1] <= 1e-5


def test_a_full_mask_gives_the_candidates_code(model, reloaded):
    random = np.random.default_rng(0)
    reference, other = (
        tf.constant(random.uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)) for _ in range(2)
    )
    made = reloaded.signatures["mix"](
        reference=reference,
        candidates=tf.stack([other] * 4, axis=1),
        mask=tf.constant([[True] * 4, [False] * 4]),
    )
    np.testing.assert_allclose(made["codes"][0], model.encode(other)[0], atol=1e-5)
    np.testing.assert_allclose(made["codes"][1], model.encode(reference)[1], atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_batch_of_any_size_gives_as_many_results(reloaded, count):
    picture = images.encode_jpeg(tiny.noise(0, 40))
    for name, signature in reloaded.signatures.items():
        specs = signature.structured_input_signature[1]
        inputs = {
            key: tf.fill([count, *s.shape[1:]], picture)
            if s.dtype == tf.string
            else tf.zeros([count, *s.shape[1:]], s.dtype)
            for key, s in specs.items()
        }
        outputs = {key: s.shape[1:] for key, s in signature.structured_outputs.items()}
        made = signature(**inputs)
        assert {key: value.shape for key, value in made.items()} == {
            key: [count, *shape] for key, shape in outputs.items()
        }, name


def test_functions_are_traced_as_they_are():
    """AutoGraph, which reads their source, warns of each lambda whose source it cannot find."""

    def absolute(numbers):  # what AutoGraph alone can trace
        return {"absolute": numbers if tf.reduce_sum(numbers) > 0 else -numbers}

    spec = tf.TensorSpec([None], tf.float32, "numbers")
    one = Signature(absolute, [spec], (), lambda random, count: {})
    served = saved_model.ServedModel(SimpleNamespace(name="one"), {"absolute": one})
    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        served.functions["absolute"](tf.constant([1.0]))


def test_another_model_is_told_apart(reloaded):
    probes = saved_model.make_probes(Lorbms(tiny.config(), seed=2))
    assert saved_model.largest_difference(reloaded, probes) > 1e-3


def served(scale, error):
    """A probe whose one output has values up to `scale`, and a server that errs by `error`."""
    codes = np.array([[scale, 0.5]], np.float32)
    probe = saved_model.Probe({"encode": {}}, {"encode": {"codes": codes}})
    server = SimpleNamespace(signatures={"encode": lambda: {"codes": codes + [[error, 0]]}})
    return saved_model.largest_difference(server, [probe])


def test_differences_are_relative_to_large_outputs_and_absolute_for_small_ones():
    assert served(1000, 0.5) == pytest.approx(5e-4)
    assert served(-1000, 0.5) == pytest.approx(5e-4)
    assert served(0.01, 0.5) == pytest.approx(0.5)
    assert np.isnan(served(1, float("nan")))


def test_a_model_whose_outputs_are_not_finite_is_named_and_not_written(tmp_path, quick):
    broken = Lorbms(tiny.config())
    variable = broken.encoder.trainable_variables[-1]
    variable.assign(np.full(variable.shape, np.nan))
    with pytest.raises(UserError, match="runs/7 cannot be exported.*not finite.*images of decode"):
        saved_model.write(broken, tmp_path / "1", "runs/7")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def quick(monkeypatch):
    """Saving and loading that write one small file: for what happens around them."""
    monkeypatch.setattr(
        tf.saved_model, "save", lambda _, path, signatures: (Path(path) / "x").write_text("x")
    )
    monkeypatch.setattr(tf.saved_model, "load", lambda _: None)


def test_a_model_that_reloads_wrongly_is_not_kept(model, tmp_path, monkeypatch, quick):
    monkeypatch.setattr(saved_model, "largest_difference", lambda *_: float("nan"))
    with pytest.raises(RuntimeError, match="differs from the original"):
        saved_model.write(model, tmp_path / "1")
    assert list(tmp_path.iterdir()) == []


def test_no_version_number_is_seen_before_the_comparison(model, tmp_path, monkeypatch, quick):
    seen = []

    def look(*_):
        seen.extend(entry.name for entry in tmp_path.iterdir())
        return 0.0

    monkeypatch.setattr(saved_model, "largest_difference", look)
    saved_model.write(model, tmp_path / "1")
    assert len(seen) == 1 and not seen[0].isdigit()
    assert [entry.name for entry in tmp_path.iterdir()] == ["1"]


def test_a_kill_leaves_no_version(model, tmp_path, monkeypatch, quick):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(saved_model, "largest_difference", interrupted)
    with pytest.raises(KeyboardInterrupt):
        saved_model.write(model, tmp_path / "1")
    assert list(tmp_path.iterdir()) == []


def test_a_version_that_exists_is_kept(model, exported):
    with pytest.raises(UserError, match="exists already"):
        saved_model.write(model, exported[0])
    assert (exported[0] / "saved_model.pb").is_file()


@pytest.mark.parametrize(
    "present, version", [([], 1), (["1", "10", "2"], 11), ([".11.5.tmp", "notes", "3"], 4)]
)
def test_the_next_version_is_one_above_the_highest(tmp_path, present, version):
    for name in present:
        (tmp_path / name).mkdir()
    assert saved_model.next_version(tmp_path) == version
    assert saved_model.next_version(tmp_path / "absent") == 1
