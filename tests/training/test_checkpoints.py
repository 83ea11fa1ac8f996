import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.training import checkpoints
from tests import tiny
from tests.training import making


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


def test_run_directories_with_signs_of_globs(trained, tmp_path):
    folder = tmp_path / "run [1], b*"
    path = checkpoints.Checkpoints(folder, trained).save(12)
    other = compiled(seed=2)
    assert checkpoints.Checkpoints(folder, other).restore() == 12
    assert checkpoints.load_weights(folder, compiled(seed=3)) == 12
    assert checkpoints.damage(path) == ""
    (folder / "step-12.data-00000-of-00001").write_bytes(b"cut short")
    assert checkpoints.damage(path)


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


def test_a_checkpoint_of_tensorflows_own_manager_is_restored(trained, tmp_path):
    checkpoint = tf.train.Checkpoint(
        step=tf.Variable(8, dtype=tf.int64),
        variables=checkpoints.model_variables(trained),
        optimizers=checkpoints.optimizer_variables(trained),
    )
    tf.train.CheckpointManager(checkpoint, tmp_path, 3, checkpoint_name="step").save(8)
    assert checkpoints.Checkpoints(tmp_path, trained).restore() == 8


def test_what_a_kill_left_half_written_is_neither_used_nor_kept(trained, tmp_path):
    manager = checkpoints.Checkpoints(tmp_path, trained)
    manager.save(4)
    whole = {path.name for path in tmp_path.iterdir()}
    half = tmp_path / ".step-6.4711.tmp"  # killed while TensorFlow wrote
    half.mkdir()
    (half / "step-6.data-00000-of-00001").write_bytes(b"half")
    (tmp_path / "step-5.data-00000-of-00001").write_bytes(b"whole")  # killed before the index came
    assert checkpoints.load_weights(tmp_path, trained) == 4
    assert manager.restore() == 4
    assert {path.name for path in tmp_path.iterdir()} == whole


def flip(path):
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


DATA, INDEX = "step-2.data-00000-of-00001", "step-2.index"
DAMAGES = [
    (DATA, flip), (DATA, cut), (DATA, lambda path: path.unlink()),
    (INDEX, cut), (INDEX, lambda path: path.write_bytes(b"")),
]  # fmt: skip


@pytest.mark.parametrize("name, spoil", DAMAGES)
def test_a_damaged_checkpoint_is_told_of_and_the_one_before_is_used(
    trained, tmp_path, capsys, name, spoil
):
    manager = checkpoints.Checkpoints(tmp_path, trained)
    manager.save(1)
    manager.save(2)
    spoil(tmp_path / name)
    with pytest.raises(UserError, match="step-2 is damaged .*--checkpoint"):
        checkpoints.load_weights(tmp_path, trained)
    assert checkpoints.load_weights(tmp_path, trained, "1") == 1
    assert manager.restore() == 1
    told = capsys.readouterr().err
    assert "step-2 is damaged" in told and "continuing from" in told and "step-1" in told
    assert checkpoints.steps(tmp_path) == [1]
    assert (tmp_path / "damaged" / INDEX).exists()
    assert manager.restore() == 1 and not capsys.readouterr().err


def test_when_every_checkpoint_is_damaged_nothing_is_started_afresh(trained, tmp_path):
    manager = checkpoints.Checkpoints(tmp_path, trained)
    for step in (1, 2):
        manager.save(step)
        flip(tmp_path / f"step-{step}.data-00000-of-00001")
    with pytest.raises(UserError, match="every checkpoint .*\n  step-2: .*\n  step-1: "):
        manager.restore()
    assert checkpoints.steps(tmp_path) == [1, 2]


@pytest.mark.parametrize("size", [0, 5000])
def test_a_disk_that_fills_up_while_writing_leaves_the_former_whole(trained, tmp_path, size):
    manager = checkpoints.Checkpoints(tmp_path, trained)
    manager.save(1)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with (
        making.disk_that_takes(size),
        pytest.raises(UserError, match="cannot write a checkpoint .*stays whole"),
    ):
        manager.save(2)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert manager.restore() == 1
    manager.save(2)  # there is room again
    assert checkpoints.load_weights(tmp_path, trained) == 2


def test_a_read_only_folder_is_a_clear_error(trained, tmp_path):
    manager = checkpoints.Checkpoints(tmp_path / "run", trained)
    manager.save(1)
    with (
        tiny.read_only(tmp_path / "run"),
        pytest.raises(UserError, match="cannot write a checkpoint .*Permission denied"),
    ):
        manager.save(2)
    assert checkpoints.load_weights(tmp_path / "run", trained) == 1


def test_only_a_better_score_replaces_the_best(trained, tmp_path):
    best = checkpoints.Best(tmp_path, trained, "psnr")
    offers = [(1, 10.0), (2, 9.0), (3, float("nan")), (4, 10.0), (5, 11.0), (6, 10.5)]
    assert [best.offer(*offer) for offer in offers] == [True, False, False, False, True, False]
    assert checkpoints.find(tmp_path, "best") == (str(tmp_path / "best" / "step-5"), 5)
    assert checkpoints.steps(tmp_path / "best") == [5]
    other = Lorbms(tiny.config(), seed=9)
    assert checkpoints.load_weights(tmp_path, other, "best") == 5
    for name, variable in checkpoints.model_variables(trained).items():
        same = checkpoints.model_variables(other)[name]
        np.testing.assert_array_equal(variable.numpy(), same.numpy())
    # Continued: the score to beat is known, but means nothing to another metric.
    assert not checkpoints.Best(tmp_path, trained, "psnr").offer(7, 10.9)
    assert checkpoints.Best(tmp_path, trained, "mix_fidelity").offer(7, 0.5)


def test_a_best_that_was_killed_before_it_was_named_is_not_the_best(trained, tmp_path):
    checkpoints.Best(tmp_path, trained, "psnr").offer(1, 10.0)
    checkpoints.save_weights(tmp_path / "best", trained, 2)
    assert checkpoints.find(tmp_path, "best")[1] == 1
    assert checkpoints.Best(tmp_path, trained, "psnr").offer(3, 11.0)
    assert checkpoints.steps(tmp_path / "best") == [3]


@pytest.mark.parametrize("which", ["best", "3", "last", "²"])
def test_a_checkpoint_that_there_is_not(trained, tmp_path, which):
    checkpoints.Checkpoints(tmp_path, trained).save(2)
    with pytest.raises(UserError, match=f"--checkpoint={which}.*valid: latest, 2$"):
        checkpoints.find(tmp_path, which)
    assert checkpoints.find(tmp_path, "2") == checkpoints.find(tmp_path)


def test_an_unwritable_folder_is_a_clear_error_and_the_former_stays(trained, tmp_path):
    manager = checkpoints.Checkpoints(tmp_path / "run", trained)
    manager.save(1)
    kept = tmp_path / "kept"
    (tmp_path / "run").rename(kept)
    (tmp_path / "run").write_text("a file where the folder was")
    with pytest.raises(UserError, match="cannot write a checkpoint"):
        manager.save(2)
    assert tf.train.latest_checkpoint(str(kept)).endswith("step-1")
