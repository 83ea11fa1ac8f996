"""The whole way on a tiny model: measured, drawn and filmed."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lorbms_tf.errors import UserError
from lorbms_tf.latent_paths import finding, measuring, models, pictures, report, sheet
from lorbms_tf.latent_paths.config import PathsConfig
from lorbms_tf.latent_paths.finding import Ends
from lorbms_tf.latent_paths.metrics import Metrics
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.serving import saved_model
from tests import tiny

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
        assert pixels.dtype == np.uint8 and pixels.shape[1:] == (8, 8, 3)
        return pixels[:, 0, 0].astype(float)

    monkeypatch.setattr(measuring.registry, "score_network", lambda *names: features)
    grey = np.random.default_rng(0).uniform(-1, 1, (4, 5, 8, 8, 1))
    scores = measuring._frechet(grey, grey[:, 2], PathsConfig(extractor="vgg16"))
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
        mask="0010",
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
        codes = finding.found(name, codec, ends, Metrics(config(run_dir, glob))).codes
        kept = codes.reshape(2, 5, 4, -1)[:, :, [0, 2, 3]]
        np.testing.assert_array_equal(kept, np.repeat(kept[:, :1], 5, axis=1))
        assert np.ptp(codes.reshape(2, 5, 4, -1)[:, :, 1], axis=1).max() > 0


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
        finding.found(name, codec, Ends(codes, -codes, None, True), Metrics(config(run_dir, glob)))


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
