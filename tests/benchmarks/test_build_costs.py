"""The cost of builds: operations by hand, a model that is found again, files that do not serve."""

import json

import numpy as np
import pytest

from lorbms_tf.benchmark import ScaleConfig, measure_scale
from lorbms_tf.benchmarks import build_costs
from lorbms_tf.benchmarks.build_costs import Build, Sizes
from lorbms_tf.errors import UserError
from lorbms_tf.files import write_json
from tfrecords_tools import clusters, duplicates, neighbours

SIZES = Sizes(images=1000, dimension=10, bytes=4, clusters=2, near_duplicates=16)


def test_what_it_knows_of_builds_is_what_builds_do():
    """`lorbms_tf` imports nothing of `tfrecords_tools`, so these numbers stand twice."""
    assert build_costs.IMAGES_A_CLUSTER == neighbours.IMAGES_PER_CLUSTER
    assert build_costs.KMEANS_ITERATIONS == clusters.KMEANS_ITERATIONS
    assert build_costs.KMEANS_SAMPLE == clusters.POINTS_PER_CENTROID
    assert build_costs.KMEANS_BYTES == clusters.SAMPLE_BYTES
    assert build_costs.HASH_BITS == duplicates.BITS
    assert build_costs.LONGEST_PART == duplicates.LONGEST_PART


def write_build(folder, images, seconds, **changes):
    """A folder with the two files of a build whose every stage took `seconds`."""
    folder.mkdir()
    write_json(
        folder / "dataset.json",
        {
            "num_records": images,
            "features": {"compared_dimension": 10},
            "settings": {"feature_dtype": "float16", "near_duplicates": -1},
            "clusters": {"num_clusters": 2},
            "shards": [{"bytes": 100 * images}, {"bytes": 60 * images}],
        },
    )
    cost = {
        "seconds": dict.fromkeys(build_costs.STAGES, seconds),
        "cpu_seconds": {"records": 2 * seconds},
        "peak_memory_bytes": 1e9 + 1e4 * images,
        "engine": "local",
        "continued": False,
    }
    write_json(folder / "build_cost.json", {**cost, **changes})
    return str(folder)


def test_operations_by_hand():
    # 20 looks at a sample of 2 x 256 images, then all 1000, at 2 centres of 4 x 10 numbers.
    assert build_costs.operations("clusters", SIZES)["products"] == (20 * 512 + 1000) * 2 * 40
    assert build_costs.operations("neighbours", SIZES)["products"] == 1000 * 500 * 40
    assert build_costs.operations("duplicates", SIZES)["pairs"] == 1e6 * 17 / 2**15
    exact = SIZES._replace(clusters=1, near_duplicates=-1)
    assert build_costs.operations("clusters", exact)["products"] == 0
    assert build_costs.operations("neighbours", exact)["products"] == 1e6 * 40
    assert build_costs.operations("duplicates", exact)["pairs"] == 0
    assert build_costs.operations("records", SIZES) == {"fixed": 1, "images": 1000}


def test_a_known_model_is_found_again_and_predicts_another_size():
    def build(images):
        sizes = SIZES._replace(images=images, clusters=max(1, images // 500))
        known = {"fixed": 3.0, "images": 0.01, "products": 1e-9, "pairs": 1e-7}
        seconds = {
            stage: sum(known[kind] * n for kind, n in build_costs.operations(stage, sizes).items())
            for stage in build_costs.STAGES
        }
        return Build("", sizes, seconds, 5e8 + 2e4 * images, 170e3 * images)

    model = build_costs.fit([build(images) for images in (1000, 3000, 10_000)])
    truth = build(1_000_000)
    made = build_costs.predicted(model, truth.sizes)
    for stage, seconds in truth.seconds.items():
        assert made["seconds"][stage] == pytest.approx(seconds, rel=1e-4)
    assert made["memory_bytes"] == pytest.approx(truth.memory_bytes)
    assert made["record_bytes"] == pytest.approx(truth.record_bytes)
    assert made["feature_bytes"] == 1_000_000 * 4 * 10 * 4


def test_no_operation_takes_less_than_no_time():
    table = np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
    falling = build_costs.not_negative(table, np.array([3.0, 2.0, 1.0]), np.ones(3))
    assert falling[1] == 0 and falling[0] == pytest.approx(2.0)
    np.testing.assert_allclose(
        build_costs.not_negative(table, np.array([5.0, 7.0, 9.0]), np.ones(3)), [3.0, 2.0]
    )


def test_the_line_of_two_builds(tmp_path):
    paths = (write_build(tmp_path / "a", 100, 1.0), write_build(tmp_path / "b", 200, 2.0))
    check = write_build(tmp_path / "c", 400, 4.0)
    how = ScaleConfig(builds=paths, check_builds=(f"{check}/dataset.json",), images=(10**9,))
    how.validate()
    made = measure_scale(how)
    json.dumps(made, allow_nan=False)
    assert made["fitted_on"] == [100, 200]
    compared = made["checked"][check]
    assert compared["predicted"]["seconds"]["records"] == pytest.approx(4.0)
    assert compared["measured"]["seconds"]["all"] == 28.0
    assert compared["predicted"]["record_bytes"] == 160 * 400
    assert compared["predicted"]["memory_bytes"] == pytest.approx(1e9 + 4e6)
    assert {name: one["clusters"] for name, one in made["predicted"]["1000000000"].items()} == {
        "of_500": 2_000_000,
        "square_root": 31_622,
    }
    by_cpu = build_costs.read(paths[0], "cpu_seconds")
    assert by_cpu.seconds["records"] == 2.0 and by_cpu.sizes.bytes == 2


def test_builds_that_do_not_tell_are_refused(tmp_path):
    good = write_build(tmp_path / "good", 100, 1.0)
    same = write_build(tmp_path / "same", 100, 1.0)
    beam = write_build(tmp_path / "beam", 200, 1.0, engine="beam")
    later = write_build(tmp_path / "later", 200, 1.0, continued=True)
    broken = write_build(tmp_path / "broken", 200, 1.0, peak_memory_bytes=None)
    silent = write_build(tmp_path / "silent", 200, 1.0)
    (tmp_path / "silent" / "build_cost.json").unlink()
    for path, message in (
        (same, "two sizes"),
        (beam, "--engine=beam"),
        (later, "one go"),
        (broken, "not what tfrecords_tools.build writes"),
        (silent, "no build_cost.json"),
        (str(tmp_path / "nowhere"), "nowhere"),
    ):
        with pytest.raises(UserError, match=message):
            measure_scale(ScaleConfig(builds=(good, path)))
    with pytest.raises(UserError, match="--builds is required"):
        measure_scale(ScaleConfig())
    with pytest.raises(UserError, match="--images=0"):
        ScaleConfig(builds=(good,), images=(0,)).validate()
