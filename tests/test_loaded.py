import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lorbms_tf
import tfrecords_tools
from lorbms_tf.data import images
from lorbms_tf.errors import UserError
from tests import tiny

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def model(run_dir):
    return lorbms_tf.load(run_dir)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    found = [folder / f"{i}.png" for i in range(5)]
    for i, path in enumerate(found):
        Image.fromarray(tiny.noise(i, 40)[:, :36]).save(path)
    return found


def test_paths_images_and_arrays_are_the_same_photo(model, paths):
    photo = images.read_photo(paths[0])
    floats = images.to_float(images.central(photo, tiny.IMAGE_SIZE))
    expected = np.asarray(model.model.encode(floats[None]))[0]
    for given in (paths[0], str(paths[0]), Image.open(paths[0]), photo, floats):
        np.testing.assert_allclose(model.encode(given), expected, rtol=1e-5, atol=1e-6)
    several = model.encode([paths[0], photo])
    assert several.shape == (2, 2, 2, 4)
    np.testing.assert_allclose(several[1], expected, rtol=1e-5, atol=1e-6)


def test_codes_become_pictures(model, paths):
    picture = model.decode(model.encode(paths[0]))
    assert picture.shape == (32, 32, 3) and picture.dtype == np.uint8
    assert model.decode(np.zeros((3, 2, 2, 4), np.float32)).shape == (3, 32, 32, 3)


def test_mixes_of_one_scene_and_of_several(model, paths):
    kept = model.mix(paths[0], paths[1:], "0000")
    np.testing.assert_array_equal(kept, model.decode(model.encode(paths[0])))
    mixed = model.outputs("mix", [paths[0]], [paths[1:]], ["1111"])
    chunks = model.encode(paths[1:])[range(4), [0, 0, 1, 1], [0, 1, 0, 1]]
    np.testing.assert_allclose(mixed["codes"].reshape(4, -1), chunks, rtol=1e-4, atol=1e-5)
    by_name = model.mix(reference=[paths[0]], candidates=[paths[1:]], mask=[[True] * 4])
    np.testing.assert_array_equal(by_name, mixed["images"])


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda m, p: m.mix(p[0], p[1:]), "takes reference, candidates, mask; got"),
        (lambda m, p: m.mix(p[0], p[1:3], "0000"), "4 pictures an item are expected, not 2"),
        (lambda m, p: m.mix(p[0], p[1:], "012"), "mask"),
        (lambda m, p: m.encode("nowhere.png"), "nowhere.png"),
        (lambda m, p: m.encode(np.zeros((9, 9, 3), np.float32)), "photos of any size"),
        (lambda m, p: m.decode(np.zeros((2, 2, 5))), "is expected"),
        (lambda m, p: m.mix([p[0]] * 2, [p[1:]], ["0000"] * 2), "different lengths"),
    ],
)
def test_mistakes_are_named(model, paths, call, message):
    with pytest.raises(UserError, match=message):
        call(model, paths)


def test_what_there_is_can_be_seen(model):
    assert repr(model) == "<lorbms: decode, encode, mix>"
    assert {"encode", "decode", "mix"} <= set(dir(model))
    with pytest.raises(AttributeError, match="this model has: decode"):
        model.paint()


def test_scores_as_the_command_gives_them(run_dir, glob):
    values = lorbms_tf.evaluate(run_dir, records=glob, metrics=["psnr"], limit=3)
    assert values["records"] == 3 and np.isfinite(values["psnr"])
    with pytest.raises(UserError, match="no setting 'metric'; valid: "):
        lorbms_tf.evaluate(run_dir, records=glob, metric=["psnr"])
    with pytest.raises(UserError, match="metrics has the wrong type"):
        lorbms_tf.evaluate(run_dir, records=glob, metrics="psnr")


def test_records_as_the_command_builds_them():
    with pytest.raises(UserError, match="--images"):
        tfrecords_tools.build_records(out="nowhere")
    with pytest.raises(AttributeError):
        _ = tfrecords_tools.build_recordings


def test_the_import_is_light():
    code = "import sys, lorbms_tf, tfrecords_tools; print('tensorflow' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = lorbms_tf.lode
