import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.scores import check_names
from lorbms_tf.lorbms import mixing
from lorbms_tf.lorbms.scores import registry


def batches():
    rng = np.random.default_rng(0)
    for count in (3, 2):
        yield {
            "reference": rng.uniform(-1, 0.8, (count, 8, 8, 3)),
            "candidates": rng.uniform(-1, 1, (count, 4, 8, 8, 3)),
            "distances": rng.uniform(0, 1, (count, 4)),
        }


def paste(batch):
    reference, mask = batch["reference"], mixing.replacement_mask(batch["distances"], 0.5)
    mix = mixing.paste_quadrants(reference, batch["candidates"], mask)
    return {"mask": mask, "reconstruction": reference + 0.2, "mix": mix}


def score(name, rendered):
    return registry.SCORES[name].of(rendered._asdict())


def test_which_scores_need_an_extractor():
    assert registry.needs_extractor(["psnr", "kernel_mix"])
    assert registry.needs_extractor(["swap_locality_features"])
    assert not registry.needs_extractor(["psnr", "swd_mix", "swap_locality"])


def test_each_score_is_known_by_the_name_that_it_has_in_a_line():
    for name, one in registry.SCORES.items():
        shown = registry.shown_name(name, "vgg16")
        assert ("vgg16" in shown) == registry.needs_extractor([name])
        assert registry.shown_score(shown) is one
    for unknown in ("frechet_mix_vgg16", "fid", "frechet_mobilenet_v2_scene"):
        assert registry.shown_score(unknown) is None


def test_directions_are_those_of_the_scores():
    lower = {name for name, one in registry.SCORES.items() if one.higher_is_better is False}
    assert lower == {
        *("frechet_mix", "frechet_reconstruction", "kernel_mix", "kernel_reconstruction"),
        *("swd_mix", "swd_reconstruction", "swd_paired_reconstruction"),
        *("swap_cycle_error", "seams_mix"),
    }
    neither = {name for name, one in registry.SCORES.items() if one.higher_is_better is None}
    assert neither == {"seams_reconstruction", "seams_pasted"}
    assert registry.shown_score("swd_paired_mix").higher_is_better is False  # of former lines


def test_one_pass_feeds_all_metrics():
    rendered = registry.render_all(paste, batches())
    assert rendered.reference.shape == (5, 8, 8, 3) and rendered.mask.shape == (5, 4)
    assert score("mix_fidelity", rendered) == 1.0
    assert score("psnr", rendered) == pytest.approx(20.0)


def test_blocks_of_records_change_nothing(monkeypatch):
    batch = next(batches())
    batch["candidates"] = np.round(127.5 * (batch["candidates"] + 1)) / 127.5 - 1  # of 8 bits
    rendered = registry.render_all(paste, [batch, *batches()])
    whole = [score(name, rendered) for name in ("psnr", "mix_fidelity")]
    monkeypatch.setattr(registry, "_BLOCK", 3)
    assert [score(name, rendered) for name in ("psnr", "mix_fidelity")] == whole
    pasted = registry.pasted(rendered.reference, rendered.candidates, rendered.mask)[:3]
    np.testing.assert_allclose(pasted, rendered.mix[:3], atol=1e-6)


def test_an_unknown_metric_lists_the_valid_ones():
    check_names(["psnr"], "metrics", registry.METRICS)
    with pytest.raises(UserError, match="--metrics: .*'fid'.*psnr, ssim, mix_fidelity"):
        check_names(["psnr", "fid"], "metrics", registry.METRICS)


def test_no_records():
    with pytest.raises(UserError, match="no records"):
        registry.render_all(paste, [])


@pytest.mark.parametrize("name", ["psnr", "mix_fidelity", "seams_mix", "seams_reconstruction"])
def test_pictures_that_are_not_finite_are_refused_by_name_and_number(name):
    rendered = registry.render_all(paste, batches())
    rendered.mix[1:3], rendered.reconstruction[1:3] = np.nan, np.inf
    what = {"psnr": "reconstructions", "mix_fidelity": "mixes"}.get(name, "images")
    with pytest.raises(ValueError, match=f"2 of 5 {what} are not finite"):
        score(name, rendered)
