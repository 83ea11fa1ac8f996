import os

import pytest
import tensorflow as tf

from lorbms_tf.data import shard_globs
from lorbms_tf.errors import UserError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*paths):
    for path in paths:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        open(path, "w").close()


ONE = "data.tfrecord-00000-of-00001"


@pytest.mark.parametrize("folder", ["data [v2]", "a,b", "what?", "x*y", " edge", "a,b/[c]"])
def test_signs_of_globs_in_names_mean_themselves(here, folder):
    make(f"{folder}/{ONE}", f"2/{ONE}", f"d/{ONE}")
    assert shard_globs.paths(f"{folder}/data.tfrecord-*") == {f"{folder}/{ONE}"}
    assert shard_globs.paths(f"{folder}/{ONE}") == {f"{folder}/{ONE}"}
    absolute = f"{here}/{folder}/data.tfrecord-*"
    assert shard_globs.paths(absolute) == {f"{here}/{folder}/{ONE}"}


def test_a_class_of_letters_is_one_where_no_such_folder_is(here):
    make(f"v1/{ONE}", f"v2/{ONE}", f"v3/{ONE}")
    assert shard_globs.paths("v[12]/*") == {f"v1/{ONE}", f"v2/{ONE}"}
    assert shard_globs.paths("v*/data.*") == {f"v{i}/{ONE}" for i in (1, 2, 3)}


def test_lists_of_globs(here):
    make(f"a,b/{ONE}", f"c/{ONE}", f"d,e/{ONE}")
    expected = {f"a,b/{ONE}", f"c/{ONE}", f"d,e/{ONE}"}
    assert shard_globs.paths("a,b/*, c/*,d,e/*") == expected


def test_a_folder_of_both_meanings_is_the_one_that_is_there(here):
    make(f"v[1]/{ONE}", f"v1/{ONE}")
    assert shard_globs.paths("v[1]/*") == {f"v[1]/{ONE}"}


def test_what_lies_beside_the_shards_is_none_of_them(here):
    shards = {f"r/data.tfrecord-{i:05d}-of-00002" for i in range(2)}
    make(*shards, "r/dataset.json", "r/index.npz", f"r/{ONE}.index", "r/.hidden", "r/report.html")
    make("r/sub/data.tfrecord-00000-of-00001")
    assert shard_globs.paths("r/*") == shards
    make("r/more.tfrecord")
    assert shard_globs.paths("r/*") == {*shards, "r/more.tfrecord"}


def test_records_of_any_name(here):
    make("r/train", "r/dataset.json")
    assert shard_globs.paths("r/*") == {"r/train"}
    assert shard_globs.paths("r/train") == {"r/train"}


@pytest.mark.parametrize(
    "pattern, message",
    [
        ("r", "'r' is a folder.*quoted: 'r/data.tfrecord-\\*'"),
        ("r/", "is a folder.*quoted: 'r/data.tfrecord-\\*'"),
        ("r/dataset.json", "no record files match.*quoted: 'r/data.tfrecord-\\*'"),
        ("r/dat.tfrecord*", "no record files match.*quoted: 'r/data.tfrecord-\\*'"),
        ("empty", "'empty' is a folder.*shards are named"),
        ("no/*", "no record files match 'no/\\*': there is no folder no "),
        ("no*/*", "no record files match 'no\\*/\\*' \\(shards are named"),
        ("r/data*,no*", "match 'no\\*', part of"),
        ("", "no record files match"),
        ("x" * 300, "no record files match"),
    ],
)
def test_where_nothing_matches_the_message_says_what_to_type(here, pattern, message):
    make(f"r/{ONE}", "r/dataset.json")
    os.mkdir("empty")
    with pytest.raises(UserError, match=message):
        shard_globs.paths(pattern)


def test_other_file_systems():
    folder = "ram://records"
    for name in (ONE, "dataset.json"):
        tf.io.gfile.makedirs(folder)
        tf.io.gfile.GFile(f"{folder}/{name}", "w").write("x")
    assert shard_globs.paths(f"{folder}/*") == {f"{folder}/{ONE}"}
    with pytest.raises(UserError, match="no record files match 'ram://"):
        shard_globs.paths(f"{folder}/none*")
