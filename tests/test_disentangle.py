import dataclasses
import json

import numpy as np
import pytest

from lorbms_tf import disentangle
from lorbms_tf.disentangle import DisentangleConfig
from lorbms_tf.errors import UserError
from lorbms_tf.training import run_directory
from tfrecords_tools.scenes import folder

ROWS = ["real", "reconstruction", "kept", "replaced", "former", "chance"]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    path = tmp_path_factory.mktemp("truth") / "scenes"
    folder.write(path, {"images": 60, "size": 32, "seed": 3}, num_workers=1)
    return str(path)


def test_all_numbers_of_an_untrained_model(run_dir, scenes):
    found = disentangle.disentangle(DisentangleConfig(run_dir=run_dir, scenes=scenes))
    assert found["scenes"] == 60
    assert set(found["information"]) == {"category", "color", "x", "y"}
    assert np.shape(found["information"]["x"]) == (4, 4)
    for name in ("mig", "sap", "dci_disentanglement", "dci_completeness", "dci_informativeness"):
        assert 0 <= found[name] <= 1
    assert list(found["transfers"]) == ROWS
    assert all(0 <= share <= 1 for row in found["transfers"].values() for share in row.values())
    for name, twin in found["permuted"].items():
        assert 0 <= twin <= 1 and name in found
    assert found["noise_floor"] > 0 and found["left_out"] == []
    shown = disentangle.text(found)
    assert "caution: 60 scenes, of which 12 test the probes" in shown
    assert "Higher is better" in shown and "low is better" in shown
    assert all(name in shown for name in (*ROWS, "category", "mig"))
    json.dumps(found)


def test_parts_of_chunks_are_told_where_they_are_asked_for(run_dir, scenes):
    config = DisentangleConfig(run_dir=run_dir, scenes=scenes, parts=2)
    widths = disentangle.part_widths(run_directory.read_config(run_dir), 2)
    assert widths == {"part 1": 2, "part 2": 2}
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 2, (300, 4))
    codes = rng.normal(size=(300, 4, 4))
    codes[..., 3] += 9 * kinds
    factors = {"kind": kinds, "same": np.ones_like(kinds)}
    found = disentangle.part_scores(codes.reshape(300, 2, 2, 4), factors, widths, 0)["parts"]
    assert list(found["information"]) == ["kind"]
    assert found["information"]["kind"][1] > 0.9 > 0.1 > found["information"]["kind"][0]
    assert found["mig"] > 0.8 and found["accuracy"]["kind"][1] > 0.95
    shown = "\n".join(disentangle._part_lines(found))
    assert "part 2" in shown and "MIG over parts" in shown
    with pytest.raises(UserError, match="--parts=3 does not divide the run's chunks of 4"):
        disentangle.disentangle(dataclasses.replace(config, parts=3))


def test_codes_of_noise_are_worth_nothing():
    rng = np.random.default_rng(0)
    factors = {"kind": rng.integers(0, 3, (400, 4)), "same": np.full((400, 4), 2)}
    factors["same"][:, 0] = rng.integers(0, 2, 400)
    found = disentangle.told(rng.normal(size=(400, 2, 2, 4)), factors, 0)
    assert found["dci_disentanglement"] == found["dci_completeness"] == 0.0
    assert found["left_out"] == ["same of q2", "same of q3", "same of q4"]
    assert found["mig"] < 0.1 and found["permuted"]["mig"] < 0.1


def test_codes_that_hold_their_quadrants_are_called_so():
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 3, (400, 4))
    codes = np.eye(3)[kinds].reshape(400, 2, 2, 3) + rng.normal(0, 0.05, (400, 2, 2, 3))
    found = disentangle.told(codes, {"kind": kinds}, 0)
    assert min(found["dci_disentanglement"], found["dci_completeness"], found["mig"]) > 0.9
    assert found["sap"] > 0.5 and max(found["permuted"]["mig"], found["permuted"]["sap"]) < 0.2


def test_too_few_scenes_are_an_error_that_names_the_folder(run_dir, scenes):
    config = DisentangleConfig(run_dir=run_dir, scenes=scenes, limit=49)
    with pytest.raises(UserError, match=f"--scenes={scenes}: .*at least 50 scenes, not 49"):
        disentangle.disentangle(config)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"scenes": "s"}, "--run_dir is required"),
        ({"run_dir": "r"}, "--scenes is required"),
        ({"run_dir": "r", "scenes": "s", "batch_size": 0}, "--batch_size=0"),
        ({"run_dir": "r", "scenes": "s", "parts": -1}, "--parts=-1"),
        ({"run_dir": "r", "scenes": "absent"}, "absent/annotations/instances.json cannot be read"),
    ],
)
def test_bad_flags_are_named(given, reason):
    with pytest.raises(UserError, match=reason):
        disentangle.disentangle(DisentangleConfig(**given))
