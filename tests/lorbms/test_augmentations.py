"""Autoencoder steps that learn from augmentations: which they are, what they do, going on."""

import dataclasses

import numpy as np
import pytest

from lorbms_tf.data.augmentation import NATURAL
from lorbms_tf.data.augmented_views import Views
from lorbms_tf.lorbms import augmentations, losses, objective
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.training import checkpoints, loop, planning
from tests import tiny


@pytest.fixture(autouse=True)
def eagerly():
    with tiny.eagerly():
        yield


def compiled(**changes):
    model = Lorbms(tiny.config(**changes), seed=3)
    model.compile_optimizers()
    return model


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 1 / 3, 0.5, 0.9, 1.0])
def test_as_many_steps_as_the_share_says_evenly_spread(share):
    due = [augmentations.is_due(step, share) for step in range(1, 1201)]
    assert sum(due) == pytest.approx(1200 * share, abs=1)
    for part in (due[:300], due[500:800], due[900:]):
        assert sum(part) == pytest.approx(300 * share, abs=1)


def test_phases_of_a_run():
    model = compiled(autoencoder_steps=4, augint_share=0.5)
    assert [model.phase(step) for step in range(1, 7)] == [
        *["autoencoder_step", "interpolation_step"] * 2,
        *["train_step"] * 2,
    ]
    plain = compiled(autoencoder_steps=2)
    assert [plain.phase(step) for step in (1, 2, 3)] == ["autoencoder_step"] * 2 + ["train_step"]


def test_shifts_are_the_same_share_of_every_side(monkeypatch):
    seen = []
    monkeypatch.setattr(
        augmentations.augmented_views, "views", lambda images, draws, *how: seen.append(how)
    )
    for side in (64, 32):
        augmentations.views(np.zeros((2, side, side, 3), np.float32), seed=0, step=1)
    assert seen == [(NATURAL, "reflect"), (NATURAL._replace(shift=4.0), "reflect")]


def test_the_chunks_of_a_code_go_together_on_the_great_circle():
    """Codes of two numbers that stand at a right angle: half way both are there alike."""

    def encoder(images, training):
        return images

    def decoder(codes, training):
        return codes

    start = np.zeros((2, 2, 2, 1), np.float32)
    end = start.copy()
    start[:, 0, 0], end[:, 1, 1] = 1, 1
    alpha = np.array([0.5, 1 / 3], np.float32)
    between = np.asarray(
        objective.interpolated_views(encoder, decoder, Views(start, end, None, alpha))
    )
    angles = np.pi / 2 * alpha
    np.testing.assert_allclose(between[:, 0, 0, 0], np.cos(angles), rtol=1e-5)
    np.testing.assert_allclose(between[:, 1, 1, 0], np.sin(angles), rtol=1e-5)
    assert not between[:, 0, 1].any() and not between[:, 1, 0].any()


def test_a_step_moves_encoder_and_decoder_alone_and_lowers_its_loss():
    model = compiled(generator_learning_rate=2e-3, decoder_spectral_norm=False)
    batch = tiny.random_batch()
    before = [network.get_weights() for network in model.networks]
    seen = augmentations.views(batch["reference"], 3, 0)

    def loss():
        made = objective.interpolated_views(model.encoder, model.decoder, seen)
        return float(losses.distance(seen.target, made))

    first = loss()
    logs = [model.interpolation_step(batch) for _ in range(8)]
    assert float(logs[0]["loss/interpolation"]) == pytest.approx(first, rel=1e-3)
    assert not {"loss/autoencoder", "psnr/train"} & set(logs[0])  # those are of reconstructions
    assert loss() < first
    same = [
        all(np.array_equal(old, new) for old, new in zip(was, network.get_weights(), strict=True))
        for was, network in zip(before, model.networks, strict=True)
    ]
    assert same == [False, False, True, True]


def test_a_run_with_a_share_cut_in_two_equals_the_whole(glob, tmp_path):
    whole = tiny.config(
        records=glob, run_dir=str(tmp_path / "whole"), batch_size=2, max_steps=3,
        log_every_steps=9, autoencoder_steps=3, augint_share=0.5, sample_every_steps=9,
    )  # fmt: skip
    cut = dataclasses.replace(whole, run_dir=str(tmp_path / "cut"))
    made = []
    for config in (whole, dataclasses.replace(cut, max_steps=2), cut):
        run = loop.Run(planning.plan(config))
        run.train()
        made.append(checkpoints.model_variables(run.model))
    for name, value in made[0].items():
        np.testing.assert_array_equal(value.numpy(), made[2][name].numpy(), err_msg=name)
    # At the end one point of each curve: steps of two kinds that take turns do not cut the means.
    assert tiny.scalars(tmp_path / "whole" / "logs", "loss/autoencoder").keys() == {3}
    assert tiny.scalars(tmp_path / "whole" / "logs", "psnr/interpolation").keys() == {3}
