import csv
import json

from lorbms_tf.evaluation import lines as score_lines
from lorbms_tf.evaluation import tables
from lorbms_tf.lorbms.scores.registry import shown_score

LINE = {
    "run_dir": "runs/a", "records_glob": "r*", "dataset_hash": "d", "seed": 0, "step": 10,
    "tau": 1.0, "records": 64, "psnr": 21.5,
}  # fmt: skip
PROTOCOL = {"extractor": "mobilenet_v2", "resize": "legacy"}


def write(path, *lines):
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    return str(path)


def test_rows_and_columns(tmp_path):
    other = {**LINE, "run_dir": "runs/longer", "psnr": None, "frechet_x_mix": 3.14159}
    lines = score_lines.read(write(tmp_path / "s.jsonl", LINE, {**other, "protocol": PROTOCOL}))
    score_lines.check_alike(lines, "s.jsonl")
    assert tables.table(lines, shown_score).splitlines() == [
        "run          step  psnr  frechet_x_mix",
        "runs/a         10  21.5              -",
        "runs/longer    10     -          3.142",
    ]


def test_what_is_best():
    names = ("seams_mix", "seams_pasted", "swd_mix")
    lines = [
        {**LINE, "step": step, **dict.fromkeys(names, value)}
        for step, value in ((1, 0.9), (2, 0.6))
    ]
    best = tables.table(lines, shown_score).splitlines()[-1].split()
    assert best == ["best", "21.5", "0.6", "-", "0.6"]


def test_over_the_checkpoints_of_a_run(tmp_path):
    columns = [(10, 20.0, 150.0), (20, 23.0, 130.0), (30, 23.0, 140.0)]
    lines = [{**LINE, "step": n, "psnr": p, "frechet_x_mix": f} for n, p, f in columns]
    assert tables.table(lines, shown_score).splitlines()[-3:] == [
        "mean             22            140",
        "SD            1.732             10",
        "best             23            130",
    ]
    assert "mean" not in tables.table([LINE, LINE], shown_score) and "mean" not in tables.table(
        [LINE], shown_score
    )
    nothing = [{**line, "psnr": None} for line in lines]
    assert tables.table(nothing, shown_score).splitlines()[-1].split() == ["best", "-", "130"]


def test_reasons_are_no_scores():
    line = {**LINE, "seams_mix": None, "missing": {"seams_mix": "too few"}}
    assert score_lines.score_names([line]) == ["psnr", "seams_mix"]
    assert tables.table([line], shown_score).split()[-2:] == ["21.5", "-"]


def test_cells_with_commas_stay_one_cell(tmp_path):
    rows = [["passes", 'ae, "new" \u00fc'], ["1", "0.5"]]
    tables.write_csv(tmp_path / "deep" / "t.csv", rows)
    with open(tmp_path / "deep" / "t.csv", newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == rows
