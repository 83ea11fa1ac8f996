"""Our numbers against the reference implementations (golden*.json, made by `make parity`)."""

import json
from pathlib import Path

import numpy as np
import pytest

from lorbms_tf.evaluation.classifier_score import classifier_score
from lorbms_tf.evaluation.frechet import frechet_distance
from lorbms_tf.evaluation.kernel_distance import kernel_distance
from lorbms_tf.evaluation.precision_recall import precision_recall
from lorbms_tf.networks.layers import InstanceNormalization
from tests.parity import inputs

FOLDER = Path(__file__).parent
TFGAN = json.loads((FOLDER / "golden.json").read_text())
FIDELITY = json.loads((FOLDER / "golden_torch.json").read_text())
# The references compute parts in float32; that much is theirs.
FRECHET_TOLERANCE = {"well_conditioned": 1e-5}


@pytest.mark.parametrize("case", inputs.FEATURES)
@pytest.mark.parametrize("golden", [TFGAN, FIDELITY], ids=["tensorflow-gan", "torch-fidelity"])
def test_frechet_distance(case, golden):
    ours = frechet_distance(*inputs.features(case))
    tolerance = FRECHET_TOLERANCE.get(case, 1e-4)
    assert ours == pytest.approx(golden["frechet_distance"][case], rel=tolerance)


@pytest.mark.parametrize("case", inputs.FEATURES)
def test_kernel_distance(case):
    real, generated = inputs.features(case)
    ours = kernel_distance(real, generated, TFGAN["block_size"])
    assert ours.value == pytest.approx(TFGAN["kernel_distance"][case], rel=1e-5)
    if not np.isnan(ours.standard_error):
        error = TFGAN["kernel_standard_error"][case]
        assert ours.standard_error == pytest.approx(error, rel=1e-4)
    size = min(len(real), len(generated))
    whole = kernel_distance(real[:size], generated[:size], size)
    assert whole.value == pytest.approx(FIDELITY["kernel_distance"][case], rel=1e-5)


def test_classifier_score():
    ours = classifier_score(inputs.logits())
    assert ours.value == pytest.approx(TFGAN["classifier_score"], rel=1e-5)
    split = classifier_score(inputs.logits(), splits=4)
    assert split.value == pytest.approx(FIDELITY["classifier_score"], rel=1e-5)
    assert split.deviation == pytest.approx(FIDELITY["classifier_score_deviation"], rel=1e-4)


@pytest.mark.parametrize("case", inputs.FEATURES)
def test_precision_and_recall(case):
    ours = precision_recall(*inputs.features(case))
    assert ours.precision == pytest.approx(FIDELITY["precision"][case], abs=1e-6)
    assert ours.recall == pytest.approx(FIDELITY["recall"][case], abs=1e-6)


def test_instance_normalization():
    ours = InstanceNormalization()(inputs.maps())
    np.testing.assert_allclose(ours, TFGAN["instance_norm"], rtol=1e-5, atol=1e-5)
