import json
import math

import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.evaluation import lines as score_lines

LINE = {
    "run_dir": "runs/a", "records_glob": "r*", "dataset_hash": "d", "seed": 0, "step": 10,
    "tau": 1.0, "records": 64, "psnr": 21.5,
}  # fmt: skip
PROTOCOL = {"extractor": "mobilenet_v2", "resize": "legacy"}


def write(path, *lines):
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    return str(path)


def refuse_constants(name):
    raise ValueError(f"{name} is not JSON")


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


def test_a_line_answers_what_asks_for_less_of_the_same():
    line = {**LINE, "protocol": PROTOCOL}
    origin = {"run_dir": "runs/a", "dataset_hash": "d"}
    legacy = {"resize": "legacy", "real": "the references"}  # of which it knows the first
    assert score_lines.answers(line, origin, ["psnr"], legacy)
    assert not score_lines.answers(line, origin, ["psnr", "ssim"], legacy)
    assert not score_lines.answers(line, {**origin, "dataset_hash": "e"}, ["psnr"], legacy)
    assert not score_lines.answers(line, origin, ["psnr"], {"resize": "antialias"})


def test_by_what_the_data_were_found():
    assert score_lines.source(LINE) == "r*" and score_lines.source({"photos": "p"}) == "p"
    assert score_lines.source({"run_dir": "r"}) is None
    assert score_lines.score_names([{**LINE, "method": "m", "photos": "p"}]) == ["psnr"]


def test_the_line_is_valid_json_whatever_the_scores():
    scores = {"step": 7, "psnr": math.inf, "mix_fidelity": math.nan, "ssim": 0.5, "protocol": {}}
    line = score_lines.text({"run_dir": "r", "seed": 3}, scores)
    assert list(json.loads(line, parse_constant=refuse_constants).items()) == [
        ("run_dir", "r"), ("seed", 3), ("step", 7), ("psnr", None), ("mix_fidelity", None),
        ("ssim", 0.5), ("protocol", {}),
    ]  # fmt: skip
