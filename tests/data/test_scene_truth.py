import json

import numpy as np
import pytest

from lorbms_tf.data import scene_truth
from lorbms_tf.data.quadrants import NAMES
from lorbms_tf.errors import UserError
from tfrecords_tools.scenes import folder


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    path = tmp_path_factory.mktemp("truth") / "scenes"
    return path, folder.write(path, {"images": 30, "size": 64, "seed": 3}, num_workers=1)


def test_every_quadrant_has_the_kind_and_colour_of_its_annotation(scenes):
    path, document = scenes
    truth = scene_truth.read(path)
    assert [p.is_file() for p in truth.paths] == [True] * 30
    kinds = {entry["id"]: entry["name"] for entry in document["categories"]}
    for entry in document["annotations"]:
        n, j = entry["image_id"] - 1, entry["quadrant"] - 1
        assert (
            truth.names["category"][truth.factors["category"][n, j]] == kinds[entry["category_id"]]
        )
        assert truth.names["color"][truth.factors["color"][n, j]] == entry["color"]["name"]


def test_places_are_thirds_within_the_quadrant(scenes):
    path, document = scenes
    truth = scene_truth.read(path)
    for key, axis in (("x", 0), ("y", 1)):
        places = truth.factors[key]
        assert len(truth.names[key]) == 3
        assert np.all(np.abs(np.bincount(places.ravel()) - 40) <= 1)  # 120 in thirds
        within = np.array(
            [
                [scene["scene"]["quadrants"][name]["center"][axis] % 32 for name in NAMES]
                for scene in document["images"]
            ]
        )
        assert within[places == 0].max() <= within[places == 1].min()
        assert within[places == 1].max() <= within[places == 2].min()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot be read"),
        ("no json", "is not JSON"),
        ("[]", "does not tell the truth of scenes"),
        (json.dumps({"images": [{"file_name": "a.jpg", "width": 9, "height": 9}]}), "'scene'"),
        (json.dumps({"images": []}), "does not tell"),
    ],
)
def test_a_folder_of_something_else_is_named(tmp_path, text, reason):
    path = tmp_path / scene_truth.ANNOTATIONS
    path.parent.mkdir()
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=f"instances.json .*{reason}"):
        scene_truth.read(tmp_path)
