import csv
import dataclasses

import numpy as np
import pytest

from lorbms_tf.data.images import encode_jpeg
from lorbms_tf.errors import UserError
from tests.tfrecords_tools import making
from tfrecords_tools import build, explore_clusters, items
from tfrecords_tools.assemble import Item
from tfrecords_tools.explore_clusters import ExploreConfig, explore
from tfrecords_tools.neighbours import Neighbours


def config(photos, **changes):
    values = dataclasses.asdict(making.build_config(photos))
    return ExploreConfig(**{**values, "num_clusters": (1, 3), **changes})


def test_a_row_of_known_neighbours():
    exact = Neighbours(np.tile(np.arange(10), (2, 4, 1)), np.ones([2, 4, 10]), [[2]] * 4, None)
    found = Neighbours(
        exact.indices + 5, np.full([2, 4, 10], 3.0), [[1, 1]] * 4, np.array([0, 0, 0, 1.0])
    )
    row = explore_clusters.measure(2, found, exact, np.array([True, False]), (1.0, 2.0))
    assert row["recall"] == 0.5 and row["distance_ratio"] == 3 and row["mean_distance"] == 3
    assert (row["smallest"], row["median"], row["largest"]) == (1, 1, 1)
    assert row["left_cluster"] == 0.25
    assert (row["kmeans_seconds"], row["search_seconds"]) == (1, 2)


def test_the_table_and_the_build_that_goes_on_from_there(
    tmp_path, quick_features, monkeypatch, capsys
):
    photos = making.write_photos(tmp_path / "photos", 40)
    table, page = tmp_path / "tables" / "clusters.csv", tmp_path / "tables" / "clusters.html"
    rows = explore(config(photos, sample=0, table=str(table), html=str(page)))
    assert [row["num_clusters"] for row in rows] == [1, 3]
    assert rows[0]["recall"] == rows[0]["distance_ratio"] == 1 and rows[0]["largest"] == 40
    assert rows[1]["recall"] < 1 <= rows[1]["distance_ratio"]
    with open(table, newline="") as file:
        written = list(csv.DictReader(file))
    assert [float(row["recall"]) for row in written] == [row["recall"] for row in rows]
    assert "mean distance" in capsys.readouterr().out
    assert all(0 <= row["alike"] <= 1 for row in rows)
    assert "<svg" in page.read_text() and "alike" in page.read_text()
    assert not (tmp_path / "out").exists()

    def again(*_):
        raise AssertionError("the features are there already")

    monkeypatch.setattr(items, "cut", again)
    dataset = build.build(making.build_config(photos, num_clusters=3))
    mean = np.mean([record.distances for record in making.read_all(tmp_path / "out")])
    assert mean == pytest.approx(rows[1]["mean_distance"], rel=1e-6)
    left = dataset["clusters"]["share_that_left_its_cluster"].values()
    assert np.mean(list(left)) == pytest.approx(rows[1]["left_cluster"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "photos", "tables"]


def test_likeness_in_colour_by_hand():
    def item(*greys):
        quads = [np.full((4, 4, 3), grey, np.uint8) for grey in greys]
        picture = np.concatenate([np.concatenate(quads[i : i + 2], 1) for i in (0, 2)])
        return Item("photo", "original", encode_jpeg(picture))

    images = [item(0, 0, 255, 255), item(0, 255, 255, 255), item(255, 255, 0, 0)]
    queries = np.array([True, False, False])
    own, second, third = (np.full((1, 4, 1), i) for i in range(3))
    found = explore_clusters.likeness(images, queries, [own, second, third], seed=0)
    np.testing.assert_allclose(found[:3], [1.0, 0.75, 0.0], atol=1e-6)
    assert 0 <= found[3] <= 1


def test_records_that_are_there_stay_and_the_next_build_goes_on(
    photos, quick_features, monkeypatch
):
    build.build(making.build_config(photos))
    before = making.content(photos.parent / "out")
    rows = explore(config(photos))
    assert [row["num_clusters"] for row in rows] == [1, 3]
    assert making.content(photos.parent / "out") == before
    monkeypatch.setattr(items, "cut", None)  # the features are there already
    again = build.build(making.build_config(photos, num_clusters=3, overwrite=True))
    assert again["clusters"]["num_clusters"] == 3
    assert making.siblings(photos) == ["out", "photos"]


def test_a_sample_is_measured_without_one_cluster_in_the_table(photos, quick_features, capsys):
    rows = explore(config(photos, num_clusters=(2, 1000), sample=5))
    assert [row["num_clusters"] for row in rows] == [2, 14]
    assert rows[1]["left_cluster"] == 1
    printed = capsys.readouterr().out
    assert "1000 clusters are more than the 14 images: 14 are made" in printed
    assert "recall: " in printed and "higher is better" in printed
    assert explore_clusters._sample(14, 5, seed=0).sum() == 5
    assert explore_clusters._sample(3, 5, seed=0).all()


def row(num_clusters, left_cluster):
    return {"num_clusters": num_clusters, "median": 5.0, "left_cluster": left_cluster}


def test_cautions():
    rows = [row(1, 0.0), row(4, 0.4), row(60, 1.0)]
    few, left = explore_clusters.cautions(rows, 60)
    assert "60 images need one cluster only" in few
    assert "60 clusters" in left and "100% of the searches left" in left
    assert explore_clusters.cautions(rows[:2], 5000) == []


def test_the_legend_stands_below_the_table(photos, quick_features, capsys):
    explore(config(photos, num_clusters=(1, 64), sample=5))
    before, table = capsys.readouterr().out.split("clusters       smallest")
    assert "64 clusters are more than the 14 images: 14 are made" in before
    assert "recall: share of the true ten nearest that is found; higher is better" in table
    assert "14 images need one cluster only" in table


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"num_clusters": ()}, "--num_clusters is empty"),
        ({"num_clusters": (4, 0)}, "--num_clusters=0"),
        ({"sample": -1}, "--sample=-1"),
        ({"images": ""}, "--images is required"),
    ],
)
def test_settings_that_are_not_valid(photos, changes, message):
    with pytest.raises(UserError, match=message):
        config(photos, **changes).validate()
    config(photos).validate()
