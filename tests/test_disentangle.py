import json

import numpy as np
import pytest

from lorbms_tf import disentangle
from lorbms_tf.disentangle import DisentangleConfig
from lorbms_tf.errors import UserError
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
    shown = disentangle.text(found)
    assert all(name in shown for name in (*ROWS, "category", "mig"))
    json.dumps(found)


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
        ({"run_dir": "r", "scenes": "absent"}, "absent/annotations/instances.json cannot be read"),
    ],
)
def test_bad_flags_are_named(given, reason):
    with pytest.raises(UserError, match=reason):
        disentangle.disentangle(DisentangleConfig(**given))
