import keras
import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.networks import weights_files


def model(units=2):
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(units)])


@pytest.mark.parametrize("name", ["a.weights.h5", "a.h5", "a.keras"])
def test_weights_come_back_from_each_format_of_keras(tmp_path, name):
    written, read = model(), model()
    path = tmp_path / name
    (written.save_weights if name.startswith("a.weights") else written.save)(path)
    weights_files.load(read, path, "the model")
    np.testing.assert_array_equal(read.get_weights()[0], written.get_weights()[0])


def test_other_files_are_an_error_that_names_flag_file_and_network(tmp_path):
    other, text, absent = (tmp_path / name for name in ("a.weights.h5", "b.h5", "c.weights.h5"))
    model(units=5).save_weights(other)
    text.write_text("no weights")
    for path in (other, text, absent):
        with pytest.raises(UserError, match=f"--flagged: .*{path.name} .* the model: .+"):
            weights_files.load(model(), path, "the model", flag="flagged")


def test_a_file_tells_the_settings_of_its_network(tmp_path):
    network = model()
    network.settings = {"widths": (2, 3), "layout": "small"}
    path = tmp_path / "new" / "n.weights.h5"
    weights_files.write(network, path, "kind")
    assert weights_files.read_settings(path, "kind") == {"widths": [2, 3], "layout": "small"}
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    read = model()
    assert weights_files.hash_weights(read) != weights_files.hash_weights(network)
    weights_files.load(read, path, "the model")
    assert weights_files.hash_weights(read) == weights_files.hash_weights(network)
    with pytest.raises(ValueError, match="other"):
        weights_files.read_settings(path, "other")
    path.write_text("no weights")
    with pytest.raises(ValueError):
        weights_files.read_settings(path, "kind")
    with pytest.raises(UserError, match=r"--flag=n\.h5 .*must end in \.weights\.h5"):
        weights_files.check_name("n.h5", "--flag=")
