import json

import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.probing import results

PROTOCOL = {"probe": "linear", "epochs": 3, "dataset_sha256": "d"}
RUN = {
    "features": "encoder", "weights": "runs/a, step 7", "weights_sha256": "w", "finetuned": False,
    "fold": 0, "seed": 0, "accuracy": 0.40, "classifier_parameters": 17290,
}  # fmt: skip


def line(**changes):
    return {**RUN, **changes}


def test_finished_runs_are_found_again(tmp_path):
    path = str(tmp_path / "new" / "r.jsonl")
    kept = results.Results(path, PROTOCOL)
    kept.add(RUN)
    kept.add(line(fold=1))
    again = results.Results(path, PROTOCOL)
    assert again.find({**RUN, "accuracy": None})["accuracy"] == 0.40
    for other in ({"fold": 2}, {"seed": 1}, {"weights_sha256": "v"}, {"finetuned": True}):
        assert again.find(line(**other)) is None
    assert again.find(line(weights="moved, step 7")) is not None
    assert [held["fold"] for held in results.read(path, "table")] == [0, 1]


def test_other_protocols_do_not_compare(tmp_path):
    path = str(tmp_path / "r.jsonl")
    results.Results(path, PROTOCOL).add(RUN)
    with pytest.raises(UserError, match=r"r.jsonl, line 1 .*\(epochs: 3, 4; views: None, 5\)"):
        results.Results(path, {**PROTOCOL, "epochs": 4, "views": 5})


def test_a_row_for_each_network():
    lines = [RUN, line(fold=1, accuracy=0.44), line(finetuned=True, classifier_parameters=0)]
    assert results.table(lines).splitlines() == [
        "features  weights         network     accuracy   SD  runs  classifier",
        "encoder   runs/a, step 7  frozen        42.0 %  2.8     2      17,290",
        "encoder   runs/a, step 7  fine-tuned    40.0 %    -     1           -",
    ]
    assert results.describe(PROTOCOL) == "protocol: probe linear, epochs 3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no line of"),
        ("{", "line 1 is no JSON"),
        (json.dumps(RUN), "line 1 is no line of lorbms_tf.probe"),
    ],
)
def test_other_files(tmp_path, text, message):
    path = tmp_path / "f"
    path.write_text(text)
    with pytest.raises(UserError, match=f"--out={path}.*{message}"):
        results.Results(str(path), PROTOCOL)
    with pytest.raises(UserError, match="--table=absent cannot be read"):
        results.read("absent", "table")
