"""The whole way on a tiny model: measured, drawn and filmed."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lorbms_tf import methods
from lorbms_tf.data import images
from lorbms_tf.errors import UserError
from lorbms_tf.features import named_distances
from lorbms_tf.latent_paths import finding, lengths, measuring, models, pictures, report, sheet
from lorbms_tf.latent_paths.config import PathsConfig
from lorbms_tf.latent_paths.finding import Ends
from lorbms_tf.latent_paths.metrics import Metrics
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.serving import functions, saved_model
from tests import tiny
from tests.method_examples import EXAMPLES

SETTINGS = {
    "pairs": 2,
    "segments": 4,
    "adam_steps": 4,
    "metrics": ("linear", "spherical", "pixels"),
}


def config(run_dir, records, **changes):
    return PathsConfig(**{"run_dir": str(run_dir), "records": records, **SETTINGS, **changes})


@pytest.fixture(scope="module")
def results(run_dir, glob):
    return measuring.measure(config(run_dir, glob, metrics=("linear", "pixels", "l1/luma")))


def test_a_line_has_a_key_for_each_metric(results):
    made = json.loads(report.line(results))
    for name in ("linear", "pixels", "l1/luma"):
        scores = made[name]
        assert scores["largest_over_mean_step"] >= 1 and scores["length_over_linear"] > 0
    assert made["linear"]["length_over_linear"] == pytest.approx(1)
    assert made["linear"]["measured_by"] == "pixels" == made["judge"]
    assert made["pixels"]["length_over_linear"] <= 1 + 1e-4
    assert made["whole"] is True and made["pairs"] == 2
    text = report.table(results).splitlines()
    assert len(text) == 4 and "largest / mean step" in text[0]


def test_what_is_written(results, tmp_path):
    paths = report.write(results, tmp_path / "out", drawn_pairs=1, video=True)
    names = [path.name for path in paths]
    assert names == ["paths.json", "paths.html", "strips.png", "pair_01.webp"]
    assert json.loads(paths[0].read_text())["model"]
    assert "Cumulative length" in paths[1].read_text()
    assert Image.open(paths[3]).format == "WEBP"
    for measured in results.metrics.values():
        assert measured.pictures.shape == (2, 5, 32, 32, 3)
        np.testing.assert_allclose(measured.cumulative[:, -1], 1, rtol=1e-5)


def test_a_frechet_distance_of_few_pictures_carries_a_caution(results):
    scores = {"measured_by": "pixels", "middle_frechet": 9.5, "caution": "of few images"}
    measured = results.metrics["linear"]
    few = measured._replace(scores={**measured.scores, **scores})
    lines = report.table(results._replace(metrics={"a": few, "b": few})).splitlines()
    assert "Frechet" in lines[0] and lines[1].rstrip().endswith("9.500")
    assert lines[3:] == ["caution: of few images"]


def test_middles_of_grey_paths_are_compared_in_three_colours(monkeypatch):
    def features(pixels):
        assert pixels.dtype == np.float32 and pixels.shape[1:] == (8, 8, 3)
        return pixels[:, 0, 0].astype(float)

    monkeypatch.setattr(measuring.registry, "score_network", lambda *names: features)
    grey = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 1)).astype(np.float32)
    scores = measuring._frechet_to(grey, PathsConfig(extractor="vgg16"))(grey)
    assert scores["middle_frechet"] == pytest.approx(0, abs=1e-3)
    assert scores["middle_frechet_pictures"] == [4, 4] and "caution" not in scores


def test_films_go_there_and_back():
    path = np.linspace(-1, 1, 5)[:, None, None, None] * np.ones((8, 8, 1))
    frames = report.frames_of([path, path[::-1]], ["a", "b"])
    assert len(frames) == 8  # without the ends on the way back
    assert frames[1].tobytes() == frames[7].tobytes() != frames[2].tobytes()


def test_strips_between_two_photos(run_dir, tmp_path):
    for number, name in enumerate(("a.png", "b.png")):
        Image.fromarray(tiny.noise(number, 40)).save(tmp_path / name)
    asked = sheet.PathSheetConfig(
        run_dir=run_dir, out="p.png", cell=32, segments=2, adam_steps=1, steps=3,
        scene=str(tmp_path / "a.png"), object=str(tmp_path / "b.png"), metric=("linear", "pixels"),
        mask="0010", through=str(tmp_path / "a.png"),
    )  # fmt: skip
    assert sheet.draw(asked).height > 64
    with pytest.raises(UserError, match="--scene is required"):
        sheet.draw(replace(asked, scene=""))
    with pytest.raises(UserError, match="--metric: no distance 'pixel'"):
        sheet.draw(replace(asked, metric=("pixel",)))


def test_chunks_outside_of_the_mask_stay_on_all_paths(run_dir, glob):
    codec = models.of_run(run_dir)
    given = pictures.read(config(run_dir, glob), codec.side, codec.channels)
    ends = finding.ends_of(codec, given, "0100")
    for name in ("linear", "spherical", "pixels"):
        codes = finding.named_paths(name, codec, ends, Metrics(config(run_dir, glob))).codes
        kept = codes.reshape(2, 5, 4, -1)[:, :, [0, 2, 3]]
        np.testing.assert_array_equal(kept, np.repeat(kept[:, :1], 5, axis=1))
        assert np.ptp(codes.reshape(2, 5, 4, -1)[:, :, 1], axis=1).max() > 0


def test_a_walk_leads_through_its_pictures(run_dir, tmp_path):
    codec = models.of_run(run_dir)
    given = np.stack([images.to_float(tiny.noise(number, codec.side)) for number in range(3)])
    legs = finding.walk_ends(codec, given, "0011")
    metrics = Metrics(config("R", "GLOB", segments=2, adam_steps=1))
    for name in ("linear", "pixels"):
        path = finding.walk(name, codec, legs, metrics).codes
        assert path.shape == (1, 5, legs.starts.shape[1])
        np.testing.assert_allclose(path[0, [0, -1]], [legs.starts[0], legs.ends[1]], atol=1e-6)
        kept = path[0][:, ~legs.free]
        np.testing.assert_array_equal(kept, np.repeat(legs.starts[:1, ~legs.free], 5, axis=0))
        if name == "linear":
            np.testing.assert_allclose(path[0, 2], legs.ends[0], atol=1e-6)
    steps = lengths.steps(metrics.metric("pixels"), lengths.decoded(codec.decode, path))
    assert lengths.largest_over_mean(steps)[0] < 1.2  # also where the legs are not equally long


@pytest.mark.parametrize("name", ["augint", "deepsim", "superres"])
def test_other_methods(name, monkeypatch):
    settings = EXAMPLES[name].config(run_dir="R")
    model = methods.get(name).trained_model(settings)
    monkeypatch.setattr(functions.run_directory, "load_model", lambda *_: (model, settings))
    if name == "superres":
        with pytest.raises(UserError, match="no codes to go between"):
            models.of_run("R")
        return
    codec = models.of_run("R")
    given = np.random.default_rng(0).uniform(-1, 1, (2, 1, codec.side, codec.side, codec.channels))
    ends = finding.ends_of(codec, given.astype(np.float32))
    assert ends.sphere == (name == "augint")
    metrics = Metrics(config("R", "GLOB", segments=2, adam_steps=2))
    codes = finding.named_paths("pixels", codec, ends, metrics).codes
    assert codes.shape == (1, 3, codec.encode(given[0].astype(np.float32)).shape[1])
    np.testing.assert_array_equal(codes[:, [0, 2]], np.stack([ends.starts, ends.ends], 1))


def test_the_network_of_a_metric_is_built_once(monkeypatch):
    built = []

    def make(name, *arguments):
        built.append(name)
        return original(name, *arguments)

    original = named_distances.make
    monkeypatch.setattr(named_distances, "make", make)
    metrics = Metrics(config("R", "GLOB", vgg19_weights="none"))
    pictures = np.zeros((1, 3, 16, 16, 3), np.float32)
    for name in ("vgg19", "vgg19/none", "vgg19/luma"):
        assert metrics.weights(name) == "random"
        np.testing.assert_allclose(
            metrics.metric(name).steps(pictures), np.zeros((1, 2)), atol=1e-9
        )
    assert built == ["vgg19"] and metrics.weights("pixels") == metrics.weights("linear") == ""


def test_the_frechet_distance_of_the_middles(run_dir, glob, monkeypatch):
    def colours(pictures):  # an extractor
        assert pictures.dtype == np.float32 and np.abs(pictures).max() <= 1
        seen.append(pictures)
        return pictures.mean(axis=(1, 2))

    seen = []
    monkeypatch.setattr(measuring.registry, "score_network", lambda *_: colours)
    asked = config(run_dir, glob, metrics=("linear", "spherical"), extractor="x")
    scores = measuring.measure(asked).metrics["linear"].scores
    assert scores["middle_frechet"] > 0 and scores["middle_frechet_pictures"] == [4, 2]
    assert len(seen) == 3  # the real pictures once, and the middles of two kinds of paths


def test_ctrl_c_keeps_what_is_measured(run_dir, glob, monkeypatch):
    def stop(name, *arguments):
        if name == "spherical":
            raise KeyboardInterrupt
        return original(name, *arguments)

    original = finding.named_paths
    monkeypatch.setattr(finding, "named_paths", stop)
    results = measuring.measure(config(run_dir, glob))
    assert list(results.metrics) == ["linear"] and not results.whole
    with pytest.raises(KeyboardInterrupt):  # nothing is there yet
        measuring.measure(config(run_dir, glob, metrics=("spherical",)))


def test_saved_models_with_an_encoder_and_without(tmp_path, glob):
    saved_model.write(Lorbms(tiny.config(), seed=1), tmp_path / "1")
    whole = config("", glob, saved_model=str(tmp_path / "1"), metrics=("linear",))
    assert measuring.measure(whole).metrics["linear"].scores["length_over_linear"] == pytest.approx(
        1
    )

    class Decoder(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 5], tf.float32, "z")])
        def decode(self, z):
            return {"images": tf.tile(tf.tanh(z)[:, None, None, :3], (1, 8, 8, 1))}

    alone = Decoder()
    tf.saved_model.save(alone, str(tmp_path / "2"), signatures={"decode": alone.decode})
    drawn = replace(
        whole, records="", saved_model=str(tmp_path / "2"), equalise="none", metrics=("pixels",)
    )
    assert measuring.measure(drawn).metrics["pixels"].scores["length_over_linear"] <= 1.05
    tf.saved_model.save(tf.Module(), str(tmp_path / "3"))
    with pytest.raises(UserError, match="no function 'decode'"):
        models.of_saved_model(str(tmp_path / "3"))
    with pytest.raises(UserError, match="--saved_model="):
        models.of_saved_model(str(tmp_path / "nowhere"))


@pytest.mark.parametrize("name", ["linear", "spherical", "pixels"])
def test_opposite_codes_on_the_sphere_are_named(name, run_dir, glob):
    codec = models.of_run(run_dir)
    codes = np.eye(1, 16, dtype=np.float32)
    with pytest.raises(UserError, match=f"{name}: .*opposite"):
        finding.named_paths(
            name, codec, Ends(codes, -codes, None, True), Metrics(config(run_dir, glob))
        )


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"run_dir": ""}, "either --run_dir or --saved_model"),
        ({"records": ""}, "--records, --photos and --synthesized"),
        ({"synthesized": True}, "--records, --photos and --synthesized"),
        ({"segments": 3}, "power of two"),
        ({"metrics": ()}, "at least one"),
        ({"metrics": ("linear", "vgg")}, "--metrics: no distance 'vgg'"),
        ({"metrics": ("pixels/red",)}, "no way 'red'"),
        ({"judge": "linear"}, "--judge: no distance 'linear'"),
        ({"video": True}, "--video needs --out"),
        ({"pairs": 0}, "pairs"),
        ({"pairs": 1, "extractor": "vgg16"}, "--pairs=1: --extractor needs at least 2"),
        ({"extractor": "mobilenet_v2"}, "--extractor_weights=FILE"),
    ],
)
def test_wrong_settings(changes, message):
    with pytest.raises(UserError, match=message):
        PathsConfig(**{"run_dir": "R", "records": "GLOB", **SETTINGS, **changes}).validate()


def test_too_few_pictures_and_a_model_without_chunks(run_dir, glob):
    with pytest.raises(UserError, match="--pairs=9 needs 18 pictures; there are 5"):
        measuring.measure(config(run_dir, glob, pairs=9))
    codec = models.of_run(run_dir)._replace(shape=(16,))
    with pytest.raises(UserError, match="--mask: a code of this model"):
        codec.free("0001")


def test_a_mask_of_cells_frees_their_numbers():
    codec = models.Codec(None, lambda codes: codes, 32, 3, (4, 4, 2))
    free = codec.free("0100000000000001")
    assert np.flatnonzero(free).tolist() == [2, 3, 30, 31]
    with pytest.raises(UserError, match="--mask: .* 16 digits"):
        codec.free("0100")


def test_photos_that_cannot_be_read_do_not_cost_the_others(run_dir, tmp_path, capsys):
    for number in range(4):
        level = 60 * number
        Image.new("RGB", (40, 40), (level, level, level)).save(tmp_path / f"{number}.png")
    for number in range(8):
        (tmp_path / f"empty{number}.jpg").write_bytes(b"")
    made = pictures.read(PathsConfig(run_dir=str(run_dir), photos=str(tmp_path), pairs=2), 32, 1)
    levels = sorted(round(float(one.mean() + 1) * 127.5) for one in made.reshape(4, 32, 32, 1))
    assert levels == [0, 60, 120, 180]
    assert "empty file (as" in capsys.readouterr().err
