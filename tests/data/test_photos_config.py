import pytest

from lorbms_tf.data import photo_names
from lorbms_tf.data.photo_names import Source
from lorbms_tf.data.photos_config import PhotosConfig
from lorbms_tf.errors import UserError


def test_sources_of_all_kinds():
    text = "cats/train,keras:mnist,tfds:emnist/letters,keras:cifar10:test,tfds:a/b:train[:9%]"
    assert photo_names.sources(text) == [
        Source("folder", "cats/train", ""),
        Source("keras", "mnist", "train"),
        Source("tfds", "emnist/letters", "train"),
        Source("keras", "cifar10", "test"),
        Source("tfds", "a/b", "train[:9%]"),
    ]


def test_held_out_photos_take_the_test_split():
    assert photo_names.sources("keras:mnist", "eval_photos") == [Source("keras", "mnist", "test")]
    text = photo_names.text_with_splits("keras:mnist,digits", "eval_photos")
    assert text == "keras:mnist:test,digits"
    assert photo_names.sources(text, "photos") == photo_names.sources(text, "eval_photos")


def test_commas_and_spaces_belong_to_a_folder_that_is_there(tmp_path):
    odd, other = tmp_path / " a,b [x] ", tmp_path / "a"
    odd.mkdir()
    other.mkdir()
    found = photo_names.sources(f"{odd},keras:mnist:test, {other}")
    assert [source.name for source in found] == [str(odd), "mnist", str(other)]
    text = photo_names.text_with_splits(f"{odd},{other}", "photos")
    assert photo_names.sources(text) == [found[0], found[2]]


def test_no_sources():
    assert photo_names.sources("") == []


@pytest.mark.parametrize(
    "text, reason",
    [
        ("keras:svhn", r"--photos=keras:svhn: .* valid are keras:mnist, keras:cifar10, keras:cif"),
        ("keras:mnist:val", "each also with :train or :test"),
        ("tfds:", "tfds:NAME or tfds:NAME:SPLIT"),
        ("a,,b", "an empty name between its commas"),
    ],
)
def test_wrong_names_are_told(text, reason):
    with pytest.raises(UserError, match=reason):
        PhotosConfig(photos=text).validate_photos()


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"image_size": 2}, "--image_size=2 is not valid: at least 4"),
        ({"short_side": 32}, "--short_side=32 is not valid: at least --image_size=64, 0 or -1"),
        ({"short_side": -2}, "--short_side=-2"),
        ({"white_ink": True}, "--white_ink needs --channels=1"),
        ({"eval_photos": "keras:x"}, "--eval_photos=keras:x"),
    ],
)
def test_wrong_settings_are_told(changes, reason):
    with pytest.raises(UserError, match=reason):
        PhotosConfig(**changes).validate_photos()


def test_good_settings_pass():
    PhotosConfig(
        photos="keras:mnist,x", channels=1, white_ink=True, short_side=64
    ).validate_photos()
    PhotosConfig(short_side=-1, crop="random", flip=True).validate_photos()
