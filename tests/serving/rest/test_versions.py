import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.serving.rest import versions
from lorbms_tf.serving.rest.tensors import BadRequest


class Times(tf.Module):
    def __init__(self, factor: float):
        super().__init__()
        self.factor = tf.Variable(factor)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def call(self, x):
        tf.debugging.assert_less(x, 100.0, message="x is too large")
        return {"y": x * self.factor}


def write(folder, number: int, factor: float) -> None:
    model = Times(factor)
    tf.saved_model.save(model, str(folder / str(number)), signatures={"times": model.call})


def times(served, value: float) -> float:
    return float(served.get().outputs("times", {"x": tf.constant([value])})["y"][0])


def test_the_highest_version_is_served_and_higher_ones_follow(tmp_path):
    write(tmp_path, 2, 3.0)
    (tmp_path / "10").mkdir()  # not written yet
    for name in ("notes", "007", "9" * 20):  # no numbers of versions, whatever they hold
        (tmp_path / name).mkdir()
        (tmp_path / name / "saved_model.pb").write_bytes(b"")
    served = versions.Versions(tmp_path)
    assert served.get().number == 2 and times(served, 2.0) == 6.0
    assert not served.look()
    write(tmp_path, 1, 7.0)
    assert not served.look()
    write(tmp_path, 11, 5.0)
    assert served.look()
    assert served.get(11).number == 11 and times(served, 2.0) == 10.0
    with pytest.raises(BadRequest, match="version 2 is not served; served: 11") as error:
        served.get(2)
    assert error.value.status == 404


def test_a_broken_version_leaves_the_one_before(tmp_path, capsys):
    write(tmp_path, 1, 3.0)
    served = versions.Versions(tmp_path)
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "saved_model.pb").write_bytes(b"no model")
    assert not served.look() and not served.look()
    assert capsys.readouterr().out.count("cannot be loaded") == 1
    assert times(served, 1.0) == 3.0


def test_what_the_model_refuses_is_the_clients_fault(tmp_path):
    write(tmp_path, 1, 3.0)
    version = versions.load(tmp_path, 1)
    with pytest.raises(BadRequest, match="x is too large") as error:
        version.outputs("times", {"x": tf.constant([200.0])})
    assert error.value.status == 400
    assert np.shape(version.outputs("times", {"x": tf.constant([], tf.float32)})["y"]) == (0,)


def test_folders_without_a_model(tmp_path):
    with pytest.raises(UserError, match="holds no exported model"):
        versions.Versions(tmp_path)
    with pytest.raises(UserError, match="cannot be read: No such file"):
        versions.Versions(tmp_path / "nowhere")
    tf.saved_model.save(tf.Module(), str(tmp_path / "1"))
    with pytest.raises(UserError, match="without signatures"):
        versions.Versions(tmp_path)
