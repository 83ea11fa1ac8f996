import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.pseudo_labels import state_files


def test_arrays_come_back_and_nothing_where_there_is_no_file(tmp_path):
    path = tmp_path / "new" / "s.npz"
    assert state_files.read(path) == {}
    state_files.write(path, {"network/0": np.arange(3), "epochs": np.array(7)})
    stored = state_files.read(path)
    assert stored["network/0"].tolist() == [0, 1, 2] and int(stored["epochs"]) == 7


@pytest.mark.parametrize("content", [b"", b"no state", None])
def test_a_damaged_file_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / "s.npz"
    state_files.write(path, {"a": np.arange(1000)})
    path.write_bytes(path.read_bytes()[:500] if content is None else content)
    with pytest.raises(UserError, match=r"s\.npz cannot be continued from .*remove it"):
        state_files.read(path)


def test_going_on_after_some_epochs(tmp_path):
    path, taken = tmp_path / "s.npz", {}
    assert state_files.resume(path, taken.update) == 0 and not taken
    state_files.write_epochs(path, 3, {"a": np.arange(2)})
    assert state_files.resume(path, taken.update) == 3 and taken["a"].tolist() == [0, 1]

    def refuse(state):
        raise ValueError("of another network")

    with pytest.raises(UserError, match="of another network"):
        state_files.resume(path, refuse)
