import itertools

import numpy as np
import pytest

from lorbms_tf import files
from lorbms_tf.errors import UserError


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with files.atomic_path(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole" and [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_a_failure_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), files.atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "out"
    with pytest.raises(RuntimeError), files.atomic_directory(path) as temporary:
        (temporary / "a").touch()
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    path.mkdir()  # an empty folder may be there already
    with files.atomic_directory(path) as temporary:
        (temporary / "a").touch()
    assert [p.name for p in path.iterdir()] == ["a"]


def test_a_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(UserError, match="not empty"), files.atomic_directory(tmp_path):
        pass
    assert (tmp_path / "mine").exists()


def test_a_path_below_a_file_is_a_clear_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write"):
        files.write_json(tmp_path / "file" / "a.json", {})
    with (
        pytest.raises(UserError, match="cannot write"),
        files.atomic_directory(tmp_path / "file" / "a"),
    ):
        pass


def test_a_full_disk_is_named(tmp_path):
    path = tmp_path / "a.txt"
    with pytest.raises(UserError, match="the disk is full"), files.atomic_path(path):
        raise OSError(28, "No space left on device")
    assert not path.exists()


def test_json(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, {"a": [1, 2.5]})
    assert files.read_json(path) == {"a": [1, 2.5]}
    path.write_bytes(b"\xff{")
    with pytest.raises(UserError, match="a.json is not JSON"):
        files.read_json(path)
    with pytest.raises(UserError, match="cannot read .*b.json"):
        files.read_json(tmp_path / "b.json")


def test_sha256(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert files.sha256_file(path).startswith("ba7816bf8f01cfea")


def test_whether_a_file_could_be_written_later(tmp_path):
    files.check_writable(tmp_path / "new" / "r.jsonl")
    assert [path.name for path in tmp_path.rglob("*")] == ["new"]
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write .*file/r\.jsonl"):
        files.check_writable(tmp_path / "file" / "r.jsonl")


def test_a_walk_follows_links_and_gives_each_file_once(tmp_path):
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    for path in (root / "b" / "in", root / ".work", elsewhere):
        path.mkdir(parents=True)
        (path / "file").touch()
    (root / "top").touch()
    (root / "broken").symlink_to("nowhere")
    (root / "self").symlink_to("self")
    (root / "c").symlink_to(elsewhere)
    (root / "d").symlink_to(elsewhere)  # the same again
    (root / "a").symlink_to("b")  # of a folder that has a name here
    (root / "b" / "in" / "up").symlink_to(root)
    (elsewhere / "back").symlink_to(root / "b")
    found = [path.relative_to(root).as_posix() for path in files.walk(root)]
    assert found == ["broken", "self", "top", "b/in/file", "c/file"]
    assert list(files.walk(tmp_path / "nowhere")) == []


def test_any_damage_to_arrays_is_one_error(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, a=np.arange(4), b=np.ones(2))
    assert files.read_arrays(path, "b").keys() == {"b"}
    np.savez(path, a=np.arange(4))
    whole, wrong = path.read_bytes(), 0
    for place, bit in itertools.product(range(len(whole)), (1, 8)):
        changed = bytearray(whole)
        changed[place] ^= bit
        path.write_bytes(changed)
        try:
            assert files.read_arrays(path, "a")["a"].tolist() == [0, 1, 2, 3]
        except UserError as error:
            assert "a.npz cannot be continued from" in str(error)
            wrong += 1
    assert wrong > len(whole)  # some bytes of a zip file mean nothing, such as its times
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match="cannot be continued from"):
            files.read_arrays(path)
