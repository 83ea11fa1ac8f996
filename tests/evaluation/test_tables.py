import json

import pytest

from lorbms_tf.errors import UserError
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


@pytest.mark.parametrize(
    "changed, key",
    [
        ({"dataset_hash": "e"}, "dataset_hash"),
        ({"records": 63}, "records"),
        ({"seed": 1}, "seed"),
        ({"protocol": {**PROTOCOL, "resize": "antialias"}}, r"protocol \(resize\)"),
    ],
)
def test_other_protocols_do_not_compare(changed, key):
    lines = [{**LINE, "protocol": PROTOCOL}, {**LINE, **changed}]
    with pytest.raises(UserError, match=f"lines 1 and 2 differ in {key}"):
        score_lines.check_alike(lines, "f")


def test_protocols_are_compared_where_they_are_known():
    def line(**protocol):
        return {**LINE, "protocol": protocol}

    unknown = line(real="the references", resize=None, extractor=None)  # pixels alone
    legacy, other = (
        line(real="the references", resize=resize, extractor="x")
        for resize in ("legacy", "antialias")
    )
    score_lines.check_alike([LINE, unknown, legacy, LINE], "f")
    with pytest.raises(UserError, match=r"lines 2 and 3 differ in protocol \(resize\)"):
        score_lines.check_alike([LINE, legacy, other], "f")
    with pytest.raises(UserError, match=r"lines 1 and 2 differ in protocol \(real\)"):
        score_lines.check_alike([unknown, {**legacy, "protocol": {"real": "others"}}], "f")


def test_what_is_best():
    names = ("seams_mix", "seams_pasted", "swd_mix")
    lines = [
        {**LINE, "step": step, **dict.fromkeys(names, value)}
        for step, value in ((1, 0.9), (2, 0.6))
    ]
    best = tables.table(lines, shown_score).splitlines()[-1].split()
    assert best == ["best", "21.5", "0.6", "-", "0.6"]


@pytest.mark.parametrize(
    "text, message",
    [("", "holds no line of"), ("{", "line 1 is no JSON"), ("[1]", "line 1 is no line of")],
)
def test_other_files(tmp_path, text, message):
    (tmp_path / "f").write_text(text)
    with pytest.raises(UserError, match=message):
        score_lines.read(str(tmp_path / "f"))


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        score_lines.read(str(tmp_path / "absent"))


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


def test_former_distances_of_patches_go_by_the_name_that_they_have_today(tmp_path):
    def line(**protocol):
        return {**LINE, "swd_mix": 5.0, "swd_reconstruction": 4.0, "protocol": protocol}

    path = write(tmp_path / "s.jsonl", line(real="x"), line(swd_patches="drawn apart"))
    former, present = score_lines.read(path)
    assert score_lines.score_names([former]) == [
        "psnr",
        "swd_paired_mix",
        "swd_paired_reconstruction",
    ]
    assert score_lines.score_names([present]) == ["psnr", "swd_mix", "swd_reconstruction"]
    assert former["swd_paired_reconstruction"] == 4.0


def test_reasons_are_no_scores():
    line = {**LINE, "seams_mix": None, "missing": {"seams_mix": "too few"}}
    assert score_lines.score_names([line]) == ["psnr", "seams_mix"]
    assert tables.table([line], shown_score).split()[-2:] == ["21.5", "-"]
