import json
from pathlib import Path

import pytest

from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.evaluation import EVALUATION, origin
from lorbms_tf.lorbms.score_config import ScoreConfig, ScoringConfig
from tests import tiny


def test_the_dataset_hash_is_that_beside_the_records(tmp_path):
    pattern = tiny.write_records(tmp_path, count=3)
    config = ScoringConfig(run_dir="r", records=pattern)
    (tmp_path / records.DATASET_FILE).unlink(missing_ok=True)
    assert EVALUATION.origin(config)["dataset_hash"] is None
    shards = [
        {"file": path.name, "bytes": path.stat().st_size}
        for path in map(Path, records.find_shards(pattern))
    ]
    described = {"dataset_hash": "d" * 64, "shards": shards}
    (tmp_path / records.DATASET_FILE).write_text(json.dumps(described))
    assert EVALUATION.origin(config)["dataset_hash"] == "d" * 64


def test_what_a_line_says_of_run_and_records():
    config = ScoringConfig(run_dir="r", records="a*,b*", seed=3, limit=7)
    assert list(origin(config, "abc").items()) == [
        ("run_dir", "r"), ("records_glob", "a*,b*"), ("dataset_hash", "abc"), ("seed", 3),
        ("limit", 7),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"records": "a"}, "--run_dir is required"),
        ({"run_dir": "r"}, "--records is required"),
        ({"run_dir": "r", "records": "a"}, "no record files match"),
    ],
)
def test_what_is_missing_is_named(given, reason):
    with pytest.raises(UserError, match=reason):
        EVALUATION.origin(ScoringConfig(**given))


def test_what_settings_say_of_the_protocol():
    assert EVALUATION.conditions(ScoringConfig(resize="antialias")) == {
        "real": "the references",
        "resize": "antialias",
    }
    assert EVALUATION.conditions(ScoringConfig(real_records="r*"))["real"] == "r*"
    assert EVALUATION.fixed(ScoreConfig(metrics=("psnr", "frechet_mix"))) == {}
    assert EVALUATION.fixed(ScoreConfig(metrics=("psnr", "swd_mix"))) == {
        "swd_patches": "drawn apart"
    }
    assert EVALUATION.names(ScoreConfig(metrics=("psnr", "kernel_mix"))) == [
        "psnr",
        "kernel_mobilenet_v2_mix",
    ]
