"""What a method that learns from photos has without a line of its own: scores, and a page."""

import dataclasses
import json
from dataclasses import dataclass

import keras
import numpy as np
import pytest
from PIL import Image

from lorbms_tf import evaluate, methods, report
from lorbms_tf.data.photos_config import PhotosConfig
from lorbms_tf.errors import UserError
from lorbms_tf.evaluate import EvaluateConfig
from lorbms_tf.evaluation import lines
from lorbms_tf.evaluation.scores import Score
from lorbms_tf.lorbms.method import METHOD
from lorbms_tf.training import checkpoints, photo_scores, run_directory
from lorbms_tf.training.method import Report
from lorbms_tf.training.photo_data import PhotoData
from lorbms_tf.training.photo_scores import PhotoScoringConfig
from lorbms_tf.training.run_config import RunConfig
from tests import tiny
from tests.pages.reading import Reader

SIZE, STEP = 8, 5
pytestmark = pytest.mark.filterwarnings("ignore:Even though:UserWarning")


@dataclass(frozen=True, kw_only=True)
class HalvesConfig(RunConfig, PhotosConfig):
    """Of a method whose model halves what it sees."""

    method: str = "halves"
    image_size: int = SIZE


class Halves(keras.Model):
    """One weight of a half, which the pictures are multiplied with."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(0.5))
        self.dense.build((None, 1))

    @property
    def saved_networks(self):
        return {"dense": keras.Sequential([keras.Input((1,)), self.dense])}

    optimizers_by_name, state = {}, {}

    def infer(self, batch):
        return {"half": batch["image"] * self.dense.kernel[0, 0]}


def _share(image, half):
    return float(np.mean(np.abs(half)) / np.mean(np.abs(image)))


def _nothing(half):
    return float("nan")


SCORES = {
    "share": Score(_share, ("image", "half"), unit="%", says="how much is left"),
    "broken": Score(_nothing, ("half",)),
    "greedy": Score(_nothing, ("half",), least=100),
}


def _draw(batch, outputs):
    row = np.concatenate(list(np.asarray(outputs["half"])), axis=1)
    return Image.fromarray(np.uint8(127.5 * (row + 1)))


HALVES = METHOD._replace(
    config=HalvesConfig,
    source="photos",
    data=PhotoData,
    trained_model=lambda config: Halves(),
    scores=lambda: SCORES,
    pictures={"half_pictures": _draw},
    parameter_rows=lambda model: [("total", 2)],
    caution=lambda config, step: "",
    evaluation=photo_scores.evaluation(lambda: SCORES),
    sheets={},
    report=Report(subtitle="half of everything"),
    benchmarks={},
)


@pytest.fixture(autouse=True)
def known(monkeypatch):
    """The method goes by its name, and functions run without graphs."""
    former = methods.get
    monkeypatch.setattr(methods, "get", lambda name: HALVES if name == "halves" else former(name))
    with tiny.eagerly():
        yield


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for number in range(6):
        Image.fromarray(tiny.noise(number, SIZE)).save(folder / f"{number}.png")
    return str(folder)


@pytest.fixture
def run(photos, tmp_path):
    config = HalvesConfig(run_dir=str(tmp_path / "run"), photos="gone", eval_photos=photos)
    folder = run_directory.prepare(config)
    checkpoints.Checkpoints(folder / run_directory.CHECKPOINTS, Halves()).save(STEP)
    return str(folder)


def test_scores_are_those_of_the_method_on_held_out_photos(run, photos):
    config = PhotoScoringConfig(run_dir=run, batch_size=4)
    measured = HALVES.evaluation.measure(config)
    assert measured.values.pop("share") == pytest.approx(0.5)
    assert measured.values.pop("missing") == {
        "broken": "it comes out as nan",
        "greedy": "it takes at least 100 photos, here are 6",
    }
    assert measured.values == {"step": STEP, "records": 6, "broken": None, "greedy": None}
    origin = HALVES.evaluation.origin(config)
    assert (origin["method"], origin["photos"]) == ("halves", photos)
    assert HALVES.evaluation.measure(dataclasses.replace(config, limit=3)).values["records"] == 3


def test_a_line_says_what_was_measured_on_what(run, photos, tmp_path, monkeypatch, capsys):
    out = tmp_path / "scores.jsonl"
    config = PhotoScoringConfig(run_dir=run, metrics=("share",), photos=photos)
    door = EvaluateConfig(out=str(out))
    monkeypatch.setattr(run_directory, "asked_method", lambda: HALVES)
    monkeypatch.setattr(
        evaluate.flags, "read", lambda kind: door if kind is EvaluateConfig else config
    )
    evaluate.main(["evaluate"])
    printed = capsys.readouterr()
    assert f"6 photos of {photos}, model {run} after step 5" in printed.out
    assert "share  50.0 %" in printed.out and "lorbms_tf.report" in printed.err
    [line] = lines.read(str(out))
    assert lines.score_names([line]) == ["share"] and len(line["dataset_hash"]) == 64
    Image.fromarray(tiny.noise(99, SIZE)).save(tmp_path / "other.png")
    config = dataclasses.replace(config, photos=str(tmp_path))
    with pytest.raises(UserError, match=f"another dataset .line 1: {photos}"):
        evaluate.main(["evaluate"])
    assert len(out.read_text().splitlines()) == 1


def test_the_page_shows_scores_and_pictures(run, tmp_path):
    out = tmp_path / "page.html"
    report.report(HALVES, PhotoScoringConfig(run_dir=run), report.ReportConfig(out=str(out)))
    page = Reader(out.read_text("utf-8"))
    words = " ".join(page.text)
    for expected in (
        "half of everything", "50.0 %", "how much is left", "Half pictures", "On 6 held-out photos",
        "broken cannot be computed: it comes out as nan", "--eval_photos", "gone",
    ):  # fmt: skip
        assert expected in words, expected
    assert len([link for link in page.links if link.startswith("data:image")]) == 1


def test_without_photos_the_page_shows_what_training_drew(run, photos, tmp_path):
    path = f"{run}/config.json"
    with open(path) as file:
        values = json.load(file)
    with open(path, "w") as file:
        json.dump({**values, "eval_photos": "gone"}, file)
    for step in (0, 2, 4):
        picture = Image.fromarray(tiny.noise(step))
        picture.save(f"{run}/{run_directory.SAMPLES}/step_{step:08d}.png")
    out = tmp_path / "page.html"
    report.report(HALVES, PhotoScoringConfig(run_dir=run), report.ReportConfig(out=str(out)))
    words = " ".join(Reader(out.read_text("utf-8")).text)
    assert "held-out photos (gone) are not here" in words
    assert "Sample picture, step 0" in words and "Sample picture, step 4" in words
    assert "step 2" not in words
    with pytest.raises(UserError, match="absent"):
        config = PhotoScoringConfig(run_dir=run, photos="absent")
        report.report(HALVES, config, report.ReportConfig(out=str(out)))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"run_dir": ""}, "--run_dir is required"),
        ({"metrics": ("fid",)}, "no metric 'fid'; valid names: share, broken, greedy"),
        ({"metrics": ("broken",)}, "--metrics: none can be computed .broken: it comes out as nan"),
        ({"photos": "absent"}, "absent"),
    ],
)
def test_what_cannot_be_scored_is_named(run, given, reason):
    config = PhotoScoringConfig(**{"run_dir": run, **given})
    with pytest.raises(UserError, match=reason):
        HALVES.evaluation.measure(config)
        HALVES.evaluation.origin(config)
