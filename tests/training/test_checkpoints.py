import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.model import Lorbms
from lorbms_tf.training import checkpoints
from tests import tiny


def compiled(seed=0, **changes):
    model = Lorbms(tiny.config(**changes), seed=seed)
    model.compile_optimizers()
    return model


def values(model):
    named = {**checkpoints.model_variables(model), **checkpoints.optimizer_variables(model)}
    return {name: variable.numpy() for name, variable in named.items()}


@pytest.fixture(scope="module")
def trained():
    model = compiled(seed=1)
    model.train_step(tiny.random_batch())
    return model


def test_restoring_brings_back_every_variable_of_networks_and_optimizers(trained, tmp_path):
    checkpoints.Checkpoints(tmp_path, trained).save(12)
    other = compiled(seed=2)
    assert checkpoints.Checkpoints(tmp_path, other).restore() == 12
    restored = values(other)
    for name, value in values(trained).items():
        np.testing.assert_array_equal(value, restored[name], err_msg=name)
    # Two moments for each trainable variable; singular vectors and moving statistics are there.
    trainable = len(trained.trainable_variables)
    assert len(restored) > 3 * trainable
    paths = {v.path.rsplit("/", 1)[-1] for n in trained.networks for v in n.variables}
    assert {"u", "v", "moving_mean", "moving_variance"} <= paths


def test_averages_and_loss_scales_are_saved_and_loaded(tmp_path):
    def scaling(seed):
        config = tiny.config(ema_decay=0.9, classifier_dense=(2, 2))
        model = Lorbms(config, seed=seed, precision="mixed_float16")
        model.compile_optimizers()
        return model

    saved = scaling(1)
    saved.classifier_optimizer.loss_scale.assign(8.0)
    for variable in saved.generator[0].variables:
        variable.assign(variable.value + 1.0)
    checkpoints.Checkpoints(tmp_path, saved).save(3)
    other = scaling(2)
    checkpoints.Checkpoints(tmp_path, other).restore()
    assert float(other.classifier_optimizer.loss_scale.value) == 8.0
    loaded = Lorbms(saved.config, seed=5)
    checkpoints.load_weights(tmp_path, loaded)
    for one, same, also in zip(
        saved.generator[0].variables,
        other.generator[0].variables,
        loaded.generator[0].variables,
        strict=True,
    ):
        np.testing.assert_array_equal(one.value.numpy(), same.value.numpy())
        np.testing.assert_array_equal(one.value.numpy(), also.value.numpy())


def test_no_checkpoint_yet_is_step_zero(trained, tmp_path):
    assert checkpoints.Checkpoints(tmp_path, trained).restore() == 0


def test_only_the_last_are_kept(trained, tmp_path):
    manager = checkpoints.Checkpoints(tmp_path, trained, keep=2)
    for step in (1, 2, 3):
        manager.save(step)
    assert sorted(p.name for p in tmp_path.glob("*.index")) == ["step-2.index", "step-3.index"]


def test_another_size_is_refused(trained, tmp_path):
    checkpoints.Checkpoints(tmp_path, trained).save(1)
    with pytest.raises(UserError, match="does not fit"):
        checkpoints.Checkpoints(tmp_path, compiled(chunk_size=6)).restore()
    with pytest.raises(UserError, match="does not fit"):
        checkpoints.load_weights(tmp_path, compiled(chunk_size=6))


def test_weights_alone_are_loaded_without_optimizers(trained, tmp_path):
    checkpoints.Checkpoints(tmp_path / "full", trained).save(5)
    checkpoints.save_weights(tmp_path / "weights", trained, 5)
    for folder in ("full", "weights"):
        other = Lorbms(tiny.config(), seed=9)
        assert checkpoints.load_weights(tmp_path / folder, other) == 5
        for name, variable in checkpoints.model_variables(trained).items():
            same = checkpoints.model_variables(other)[name]
            np.testing.assert_array_equal(variable.numpy(), same.numpy())
    sizes = [sum(p.stat().st_size for p in (tmp_path / f).iterdir()) for f in ("full", "weights")]
    assert sizes[1] < sizes[0] / 2


def test_loading_from_a_folder_without_checkpoint(tmp_path):
    with pytest.raises(UserError, match="no checkpoint"):
        checkpoints.load_weights(tmp_path, Lorbms(tiny.config()))


def test_an_unwritable_folder_is_a_clear_error_and_the_former_stays(trained, tmp_path):
    manager = checkpoints.Checkpoints(tmp_path / "run", trained)
    manager.save(1)
    kept = tmp_path / "kept"
    (tmp_path / "run").rename(kept)
    (tmp_path / "run").write_text("a file where the folder was")
    with pytest.raises(UserError, match="cannot write a checkpoint"):
        manager.save(2)
    assert tf.train.latest_checkpoint(str(kept)).endswith("step-1")
