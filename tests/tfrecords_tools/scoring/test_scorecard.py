"""Candidates that are right, wrong or random get the scores that are known by hand."""

import dataclasses
import json

import numpy as np
import pytest

from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from lorbms_tf.files import write_json
from tests.tfrecords_tools import making
from tfrecords_tools import assemble, coco, score_candidates
from tfrecords_tools.score_candidates import ScoreConfig
from tfrecords_tools.scoring import scorecard

KINDS = 3
COUNT = 36  # photos; photo n is of kind n % 3


def write(folder, choose):
    """Records in which reference i has the candidates choose(i), ten of them; and a truth.

    Kind 0, 1, 2: another category in each quadrant, another colour, another place.
    """
    folder.mkdir()
    items, _ = making.items_and_neighbours(COUNT)
    items = [
        assemble.Item(f"{number + 1}", "original", item.image) for number, item in enumerate(items)
    ]
    indices = np.array([[choose(i)] * 4 for i in range(COUNT)])
    distances = np.broadcast_to(np.arange(10, dtype=np.float32), indices.shape)
    assemble.write_shards(folder, "tiny", 2, items, indices, distances, 8, seed=0)
    return str(folder / "tiny.tfrecord-*")


def truth(path, drawn=True):
    centres = [[2, 2], [6, 2], [2, 6], [6, 6]]
    images, annotations = [], []
    for n in range(COUNT):
        image = {"id": n + 1, "file_name": f"{n}.jpg", "width": 8, "height": 8}
        if drawn:
            image["scene"] = {"background": f"place{n % KINDS}"}
        images.append(image)
        for q, (x, y) in enumerate(centres):
            entry = {"id": 4 * n + q, "image_id": n + 1, "category_id": (n + q) % KINDS}
            entry |= {"bbox": [x - 1, y - 1, 2, 2], "center": [x, y]}
            annotations.append(entry | {"color": {"name": f"colour{n % KINDS}"}})
    categories = [{"id": n, "name": f"category{n}"} for n in range(KINDS)]
    write_json(path, {"images": images, "annotations": annotations, "categories": categories})
    return str(path)


def alike(i):
    return [j for j in range(i % KINDS, COUNT, KINDS) if j != i][:10]


def different(i):
    return [j for j in range(COUNT) if j % KINDS != i % KINDS][:10]


def shards(glob):
    return records.find_shards(glob)


def test_right_candidates_score_one_and_wrong_ones_nothing(tmp_path):
    path = truth(tmp_path / "truth.json")
    good = scorecard.score(shards(write(tmp_path / "good", alike)), path)
    bad = scorecard.score(shards(write(tmp_path / "bad", different)), path)
    assert set(good.labels) == {"category", "colour", "background"}
    for name in good.labels:
        assert good.labels[name].candidates.value == 1
        assert good.labels[name].candidates.error == 0
        assert good.labels[name].by_rank == [1] * 10
        assert bad.labels[name].candidates.value == 0
        # Of the 35 others 11 are of the same kind; the references are the same, so is the draw.
        random = good.labels[name].random
        assert random.value == pytest.approx(11 / 35, abs=4 * random.error)
        assert bad.labels[name].random == random
        assert good.labels[name].contrast.value == pytest.approx(1 - random.value)


def test_random_candidates_are_no_better_than_random(tmp_path):
    rng = np.random.default_rng(3)

    def choose(i):
        return rng.choice([j for j in range(COUNT) if j != i], 10, replace=False)

    glob, path = write(tmp_path / "r", choose), truth(tmp_path / "t.json")
    card = scorecard.score(shards(glob), path)
    for found in [*card.labels.values(), *card.looks.values()]:
        assert abs(found.candidates.value - found.random.value) < 4 * np.hypot(
            found.candidates.error, found.random.error
        )
    assert card.looks["colour_distance"].contrast.value == pytest.approx(1, abs=0.1)


def test_boxes_are_scored_by_categories_and_areas(tmp_path):
    path = truth(tmp_path / "truth.json", drawn=False)
    good = scorecard.score(shards(write(tmp_path / "good", alike)), path)
    assert set(good.labels) == {"category", "category_overlap", "area_overlap"}
    assert all(found.candidates.value == 1 for found in good.labels.values())


def test_of_neighbours_by_colour_colours_are_nearer(tmp_path):
    glob = making.write_dataset(tmp_path / "records", count=40)
    card = scorecard.score(shards(glob))
    assert card.labels == {}
    found = card.looks["colour_distance"]
    assert found.contrast.value < 1 - 2 * found.contrast.error
    assert found.by_rank[0] < found.by_rank[-1]
    assert card.random_shape.reciprocity < card.shape.reciprocity


def test_a_limit_takes_so_many_references(tmp_path):
    glob, path = write(tmp_path / "good", alike), truth(tmp_path / "truth.json")
    card = scorecard.score(shards(glob), path, limit=12)
    assert (card.records, card.scored) == (COUNT, 12)
    assert card.labels["category"].candidates.value == 1
    assert card.shape == scorecard.score(shards(glob), limit=0).shape  # of all records always


def test_the_command_prints_a_table_and_a_line_of_json(tmp_path, capsys):
    glob, path = write(tmp_path / "good", alike), truth(tmp_path / "truth.json")
    score_candidates.score(ScoreConfig(records=glob, annotations=path))
    *table, last = capsys.readouterr().out.splitlines()
    row = next(line for line in table if "same category in the quadrant" in line)
    assert "100.0 +- 0.0 %" in row
    line = json.loads(last)
    assert line["labels"]["category"]["candidates"] == {"value": 1.0, "error": 0.0}
    assert line["records_glob"] == glob and line["shape"]["reciprocity"] > 0


def test_the_table_says_which_end_is_better_and_what_to_doubt(tmp_path):
    glob, path = write(tmp_path / "good", alike), truth(tmp_path / "truth.json", drawn=False)
    document = json.loads((tmp_path / "truth.json").read_text())
    document["annotations"].append({"image_id": 1, "category_id": 0, "bbox": [1, 1, 0, 4]})
    write_json(path, document)
    card = scorecard.score(shards(glob), path)
    lines = scorecard.table(card).splitlines()
    assert sum("by labels: higher is better" in line for line in lines) == 1
    assert sum(line.endswith("  lower is better") for line in lines) == 3
    assert sum(line.endswith("  higher is better") for line in lines) == 1
    assert lines[-2].startswith("  annotations: 1 boxes that are empty")
    assert "only 36 photos" in lines[-1] and "100 % may be off by up to 8.3 %" in lines[-1]
    assert card.as_json()["notes"][coco.NO_BOX]["number"] == 1
    lines = scorecard.table(scorecard.score(shards(glob))).splitlines()
    assert not any("by labels" in line or line.split() == [] for line in lines)
    many = dataclasses.replace(card, photos=100, notes={}, unlabelled=0)
    assert scorecard.cautions(many) == []


def test_photos_of_a_plain_folder_are_found_by_names_that_look_alike(tmp_path):
    glob = making.write_dataset(tmp_path / "records")  # photo ids are p000 and so on
    path = truth(tmp_path / "truth.json", drawn=False)
    document = json.loads((tmp_path / "truth.json").read_text())
    for number, image in enumerate(document["images"]):
        image["file_name"] = f"P{number:03d}" if number < 2 else f"p{number:03d}"
    write_json(path, document)
    card = scorecard.score(shards(glob), path)
    assert (card.photos, card.unlabelled) == (14, 0)
    assert card.notes == {scorecard.RESPELT: {"number": 2, "examples": ["p000", "p001"]}}


def test_photos_are_counted_once_and_only_where_they_are_annotated(tmp_path):
    glob, path = write(tmp_path / "good", alike), truth(tmp_path / "truth.json")
    document = json.loads((tmp_path / "truth.json").read_text())
    document["images"] = document["images"][:20]
    write_json(path, document)
    card = scorecard.score(shards(glob), path)
    assert (card.photos, card.unlabelled, card.scored) == (20, 16, 36)
    assert card.notes[coco.UNKNOWN_IMAGE]["number"] == 4 * 16


def test_what_cannot_be_scored_is_named(tmp_path):
    glob = write(tmp_path / "good", alike)
    other = {"images": [{"id": 99, "file_name": "z", "width": 8, "height": 8}], "categories": []}
    write_json(tmp_path / "other.json", other)
    with pytest.raises(UserError, match="none of the 36 references"):
        scorecard.score(shards(glob), str(tmp_path / "other.json"))
    second = making.write_dataset(tmp_path / "second")
    with pytest.raises(UserError, match="one dataset"):
        score_candidates.score(ScoreConfig(records=f"{glob},{second}"))
    with pytest.raises(UserError, match="--records is required"):
        ScoreConfig().validate()


def test_crops_need_the_seed_that_fixed_them(tmp_path):
    glob = making.write_dataset(tmp_path / "records")
    names = [("a", "crop_0.6")]
    found = scorecard.Graph(names, np.empty(0), np.empty(0), np.empty(0), {})
    with pytest.raises(UserError, match="seed of the crops"):
        scorecard.crop_seed(shards(glob), found)
    write_json(tmp_path / "records" / records.DATASET_FILE, {"seeds": {"crops": 5}})
    assert scorecard.crop_seed(shards(glob), found) == 5
