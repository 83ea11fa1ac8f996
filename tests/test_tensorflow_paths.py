import os

import pytest
import tensorflow as tf

from lorbms_tf.tensorflow_paths import without_signs


@pytest.mark.parametrize("path", ["run/step-1", "run, b/step-1", "gs://bucket/a[1]/step-1"])
def test_other_paths_are_as_they_are(path):
    with without_signs(path) as readable:
        assert readable == path


@pytest.mark.parametrize("name", ["run [1]", "what?", "a*b", "back\\slash", "[x]/plain"])
def test_a_checkpoint_in_a_folder_with_signs_of_globs(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    saved = tf.train.Checkpoint(value=tf.Variable(7))
    saved.write(f"{name}/step-1")
    read = tf.train.Checkpoint(value=tf.Variable(0))
    with without_signs(f"{name}/step-1") as readable:
        read.read(readable).assert_existing_objects_matched()
    assert int(read.value) == 7
    assert not os.path.lexists(readable)


def test_tensorflow_itself_takes_such_a_path_for_a_glob(tmp_path):
    """Or `without_signs` is needed no more."""
    path = tf.train.Checkpoint(value=tf.Variable(7)).write(str(tmp_path / "run [1]" / "step-1"))
    with pytest.raises(tf.errors.OpError):
        tf.train.Checkpoint(value=tf.Variable(0)).read(path)


def test_a_folder_with_signs_in_its_own_name(tmp_path):
    module = tf.Module()
    module.value = tf.Variable(7)
    tf.saved_model.save(module, str(tmp_path / "m [1]"))
    with without_signs(tmp_path / "m [1]") as readable:
        loaded = tf.saved_model.load(readable)
    assert int(loaded.value) == 7
