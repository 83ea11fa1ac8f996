import shutil

import pytest
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.training import event_files
from tests.training import making


def write(folder, steps, name="loss"):
    writer = tf.summary.create_file_writer(str(folder))
    for step in steps:
        with writer.as_default(step=step):
            tf.summary.scalar(name, float(step))
    writer.close()


def read(folder):
    """The steps of all summaries in the order of the files, and the number of file headers."""
    steps, headers = [], 0
    for path in sorted(folder.glob("events*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            headers += bool(event.file_version)
            steps += [event.step] * len(event.summary.value)
    return steps, headers


def test_what_came_after_the_checkpoint_is_dropped_and_the_rest_stays(tmp_path):
    write(tmp_path, range(1, 8))
    assert event_files.forget_from(tmp_path, 5) == 3
    write(tmp_path, range(5, 10))
    assert read(tmp_path) == (list(range(1, 10)), 2)
    assert event_files.forget_from(tmp_path, 3) == 7  # from both files
    assert read(tmp_path) == ([1, 2], 2)


def test_a_run_that_starts_again_from_nothing(tmp_path):
    write(tmp_path, range(0, 3))
    assert event_files.forget_from(tmp_path, 0) == 3
    assert read(tmp_path) == ([], 1)
    assert event_files.forget_from(tmp_path / "absent", 0) == 0


def test_files_without_superseded_events_are_not_touched(tmp_path):
    write(tmp_path, range(3))
    (path,) = tmp_path.iterdir()
    before = path.stat().st_ino
    assert event_files.forget_from(tmp_path, 3) == 0
    assert path.stat().st_ino == before


@pytest.mark.parametrize("cut, left", [(5, 2), (1, 3)])
def test_an_event_that_a_kill_has_cut_short(tmp_path, cut, left):
    write(tmp_path, range(5))
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    shutil.copy(path, tmp_path / "copy")
    path.write_bytes(whole[:-cut])
    event_files.forget_from(tmp_path, left)
    assert read(tmp_path)[0] == list(range(left))


def test_what_is_written_at_a_step_is_on_disk_after_it(tmp_path):
    events = event_files.EventWriter(tmp_path)
    for step in (3, 5):
        with events.at(step):
            tf.summary.scalar("loss", 1.0)
        assert read(tmp_path)[0][-1] == step
    events.close()


def test_a_full_disk_is_a_user_error(tmp_path):
    events = event_files.EventWriter(tmp_path)
    with making.disk_that_takes(200), pytest.raises(UserError, match="TensorBoard's files in .*"):
        for step in range(100):
            with events.at(step):
                tf.summary.scalar("loss", 1.0)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="TensorBoard's files in .*file/logs"):
        event_files.EventWriter(tmp_path / "file" / "logs")


def test_scalars_are_read_back(tmp_path):
    for step, value in ((1, 5.0), (3, 7.0), (3, 8.0), (2, 6.0), (4, float("nan"))):
        writer = event_files.EventWriter(tmp_path)
        with writer.at(step):
            tf.summary.scalar("loss/a", value)
            tf.summary.text("words", "no scalar")
        writer.close()
    last = sorted(tmp_path.glob("events*"))[-1]
    last.write_bytes(last.read_bytes()[:-3])  # half-written by a kill
    read = event_files.read_scalars(tmp_path)
    assert list(read) == ["loss/a"]
    steps, values = read["loss/a"]
    assert steps.tolist() == [1, 2, 3] and values[:2].tolist() == [5.0, 6.0]
    assert event_files.read_scalars(tmp_path / "nowhere") == {}
