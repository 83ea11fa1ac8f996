import json
from pathlib import Path

import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.perceptual import image_mean
from lorbms_tf.perceptual.generalised_mean import MeanSearch
from lorbms_tf.perceptual.mean_config import ImageMeanConfig
from tests.perceptual import making


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return making.write_photos(tmp_path_factory.mktemp("photos") / "p", 3, 24, 30)


def config(photos, out, **changes):
    sizes = {
        "image_size": 16, "short_side": 24, "num_problems": 2, "num_targets": 8, "epochs": 2,
        "distances": ("l2", "mmd"), "mmd_window": 8, "mmd_stride": 4, "mmd_features": 16,
    }  # fmt: skip
    return ImageMeanConfig(**{**sizes, "images": photos, "out": str(out), **changes})


def test_all_is_made_once_and_goes_on_where_it_stopped(photos, tmp_path, monkeypatch):
    made, search = [], MeanSearch.__call__

    def counted(self, targets, seed, number=0):
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append(number)
        return search(self, targets, seed, number)

    monkeypatch.setattr(MeanSearch, "__call__", counted)
    with pytest.raises(KeyboardInterrupt):
        image_mean.run(config(photos, tmp_path / "a"))
    assert made == [0, 0, 1]
    lines = (tmp_path / "a" / "means.jsonl").read_text().splitlines()
    assert [json.loads(line)["distance"] for line in lines] == ["l2", "mmd", "l2"]

    made.clear()
    results = image_mean.run(config(photos, tmp_path / "a"))
    assert made == [1]
    monkeypatch.setattr(MeanSearch, "__call__", search)
    whole = image_mean.run(config(photos, tmp_path / "b"))
    assert whole.scores == results.scores

    assert set(results.scores["distances"]) == {"l2", "mmd", "other targets"}
    assert set(results.scores["differences"]) == {"mmd"}
    assert set(results.scores["distances"]["l2"]) == {"16"}
    assert all(Path(path).stat().st_size for path in results.paths)
    page = (tmp_path / "a" / "report.html").read_text()
    assert "<svg" in page and "other targets" in page and "mmd, 16 px: " in page


def test_windows_that_do_not_fit(photos, tmp_path):
    with pytest.raises(UserError, match="--mmd_window=32 is larger than --image_size=16"):
        image_mean.run(config(photos, tmp_path / "out", mmd_window=32))
    assert not (tmp_path / "out").exists()


def test_weights_that_are_missing(photos, tmp_path):
    with pytest.raises(UserError, match="--squeezenet_weights"):
        image_mean.run(config(photos, tmp_path / "out", distances=("squeezenet",)))
