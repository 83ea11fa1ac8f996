import pytest

from lorbms_tf.evaluation import sweep_table

PROVENANCE = {"run_dir": "r", "step": 9, "seed": 0, "tau": 1.0, "records": 3}


def line(**scores):
    return {**PROVENANCE, **scores}


def test_means_and_spreads_over_seeds():
    found = sweep_table.summary(
        {
            ("full", 0): [line(psnr=20.0, ssim=0.5)],
            ("no_rec", 0): [line(psnr=10.0)],
            ("full", 1): [line(psnr=23.0, ssim=0.5)],
            ("full", 4): [line(psnr=23.0, ssim=0.5)],
        }
    )
    assert [(entry["variant"], entry["seeds"]) for entry in found] == [
        ("full", [0, 1, 4]),
        ("no_rec", [0]),
    ]
    full = found[0]["scores"]["psnr"]
    assert full["mean"] == 22.0 and full["values"] == [20.0, 23.0, 23.0]
    assert full["sd"] == pytest.approx(3**0.5)  # of (-2, 1, 1), divided by n - 1
    assert sweep_table.text(found).splitlines() == [
        "variant  runs      psnr     ssim",
        "full        3  22 ± 1.7  0.5 ± 0",
        "no_rec      1        10        -",
    ]


def test_the_value_of_a_run_is_the_mean_over_its_checkpoints():
    found = sweep_table.summary({("a", 0): [line(psnr=1.0), line(psnr=2.0), line(psnr=6.0)]})
    assert found[0]["scores"]["psnr"] == {"mean": 3.0, "sd": None, "values": [3.0]}


def test_what_is_not_finite_is_left_out_and_shown():
    lines = {("a", 0): [line(psnr=None)], ("a", 1): [line(psnr=4.0)], ("b", 0): [line(psnr=None)]}
    first, second = (entry["scores"]["psnr"] for entry in sweep_table.summary(lines))
    assert first == {"mean": 4.0, "sd": None, "values": [None, 4.0]}
    assert second == {"mean": None, "sd": None, "values": [None]}
    assert sweep_table.text(sweep_table.summary(lines)).split()[-3:] == ["b", "1", "-"]
