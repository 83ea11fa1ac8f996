import shutil

import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.probing import datasets, labelled, stl10
from tests.probing import making


def test_stl10(tmp_path):
    folder = making.write_stl10(tmp_path)
    data = datasets.load(f"stl10:{folder}", 96)
    assert (len(data.train.images), len(data.test.images)) == (20, 10)
    assert not data.multi_label and data.classes == tuple("123456789") + ("10",)
    assert data.train.labels[:3].tolist() == [0, 1, 2] and data.train.labels[9] == 9
    assert [fold.tolist() for fold in data.folds] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    expected = making.stl10_images(np.arange(20) % 10, seed=0)[[7, 2]]
    np.testing.assert_array_equal(data.train.images.take(np.array([7, 2])), expected)
    small = datasets.load(f"stl10:{folder}", 48).train.images.take(np.array([7]))
    means = expected[:1].reshape(1, 48, 2, 48, 2, 3).mean(axis=(2, 4))
    assert np.abs(small - means).max() <= 1  # rounding
    assert len(stl10.unlabelled(folder, 96)) == 3


def test_stl10_images_lie_column_by_column(tmp_path):
    raw = np.zeros((1, 3, 96, 96), np.uint8)
    raw[0, 1].ravel()[96 * 5 + 2] = 77  # green, sixth column, third row
    (tmp_path / "unlabeled_X.bin").write_bytes(raw.tobytes())
    image = stl10.unlabelled(tmp_path, 96).take(np.array([0]))[0]
    assert image[2, 5, 1] == 77 and image.sum() == 77


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train_X.bin", b"", "train_X.bin has 0 bytes"),
        ("train_X.bin", b"x" * 27649, "train_X.bin has 27649 bytes.*27648 bytes each"),
        ("train_y.bin", b"\1" * 19, "train_y.bin holds 19 labels for 20 images"),
        ("test_y.bin", b"\0" * 10, "test_y.bin holds labels other than 1 to 10"),
        ("test_y.bin", None, "test_y.bin is missing"),
        ("fold_indices.txt", None, "fold_indices.txt is missing"),
        ("fold_indices.txt", b"0 1\n2 x\n", "fold_indices.txt, line 2: not whole numbers"),
        ("fold_indices.txt", b"0 20\n", "line 1: not different places from 0 to 19"),
        ("fold_indices.txt", b"3 3\n", "line 1: not different places"),
        ("fold_indices.txt", b"\n", "holds no folds"),
        ("class_names.txt", b"airplane bird", "holds 2 names, not 10"),
    ],
)
def test_damaged_stl10(tmp_path, name, content, message):
    folder = making.write_stl10(tmp_path)
    (folder / name).unlink(missing_ok=True)
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        datasets.load(f"stl10:{folder}", 96)


@pytest.mark.parametrize("cached", [True, False])
def test_class_folders(tmp_path, monkeypatch, cached):
    if not cached:
        monkeypatch.setattr(labelled, "MOST_CACHED", 0)
    data = datasets.load(f"folders:{making.write_folders(tmp_path)}", 16)
    assert data.classes == ("blue", "red") and data.folds == ()
    assert data.train.labels.tolist() == [0] * 4 + [1] * 4
    images = data.test.images
    taken = images.take(np.array([3, 0, 3]))
    assert taken.shape == (3, 16, 16, 3) and taken.dtype == np.uint8
    assert images.names[3] == "red/1.jpg"
    np.testing.assert_allclose(taken[:2, 8, 8], [(221, 21, 1), (0, 20, 220)], atol=4)
    np.testing.assert_array_equal(images.take(np.array([3])), taken[2:])
    other = datasets.load(f"folders:{tmp_path}", 16, "val", "train")
    assert len(other.train.images) == 4
    assert other.digest() != data.digest() == datasets.load(f"folders:{tmp_path}", 8).digest()


def test_hidden_folders_are_no_classes(tmp_path):
    folder = making.write_folders(tmp_path)
    whole = datasets.load(f"folders:{folder}", 16)
    for split in ("train", "val"):
        hidden = folder / split / ".ipynb_checkpoints"
        hidden.mkdir()
        shutil.copy(folder / "train" / "red" / "1.jpg", hidden / "1-checkpoint.jpg")
        (folder / split / "red" / ".ipynb_checkpoints").mkdir()
        shutil.copy(hidden / "1-checkpoint.jpg", folder / split / "red" / ".ipynb_checkpoints")
    data = datasets.load(f"folders:{folder}", 16)
    assert data.classes == ("blue", "red") and data.digest() == whole.digest()


def test_bad_class_folders(tmp_path):
    folder = making.write_folders(tmp_path)
    (folder / "train" / "red" / "1.jpg").write_bytes(b"no photo")
    data = datasets.load(f"folders:{folder}", 16)
    with pytest.raises(UserError, match=r"red/1\.jpg: not an image"):
        data.train.images.take(np.arange(8))
    (folder / "val" / "green").mkdir()
    with pytest.raises(UserError, match="classes that train has not: green"):
        datasets.load(f"folders:{folder}", 16)
    with pytest.raises(UserError, match=r"absent is missing"):
        datasets.load(f"folders:{folder}", 16, test_split="absent")
    (folder / "train" / "green").mkdir()
    with pytest.raises(UserError, match=r"no images .*green"):
        datasets.load(f"folders:{folder}", 16)


def test_voc(tmp_path):
    photos = {"2008_1": [("dog", 0), ("dog", 1), ("cat", 1)], "2008_2": [("cat", 0)]}
    making.write_voc(tmp_path, "train", photos)
    making.write_voc(tmp_path, "val", {"2008_3": [], "2008_4": [("dog", 1)]})
    with pytest.raises(UserError, match="the photos of val hold nothing to find"):
        datasets.load(f"voc:{tmp_path}", 16)
    making.write_voc(tmp_path, "val", {"2008_3": [("cat", 0)], "2008_4": [("dog", 1)]})
    data = datasets.load(f"voc:{tmp_path}", 16)
    assert data.multi_label and data.classes == ("cat", "dog")
    assert data.train.labels.tolist() == [[-1, 1], [1, 0]]  # a cat only difficult; one dog is not
    assert data.test.labels.tolist() == [[1, 0], [0, -1]]
    assert data.train.images.take(np.array([1])).shape == (1, 16, 16, 3)


def test_bad_voc(tmp_path):
    making.write_voc(tmp_path, "train", {"a": [("dog", 0)]})
    with pytest.raises(UserError, match=r"val\.txt cannot be read"):
        datasets.load(f"voc:{tmp_path}", 16)
    making.write_voc(tmp_path, "val", {"b": [("cow", 0)]})
    with pytest.raises(UserError, match="b holds a cow, and no photo to learn from does"):
        datasets.load(f"voc:{tmp_path}", 16)
    (tmp_path / "JPEGImages" / "b.jpg").unlink()
    (tmp_path / "Annotations" / "b.xml").write_text("<annotation>")
    with pytest.raises(UserError, match=r"b\.xml is not in VOC's format"):
        datasets.load(f"voc:{tmp_path}", 16)
    (tmp_path / "Annotations" / "b.xml").unlink()
    with pytest.raises(UserError, match=r"b\.xml cannot be read"):
        datasets.load(f"voc:{tmp_path}", 16)
    (tmp_path / "JPEGImages" / "a.jpg").unlink()
    with pytest.raises(UserError, match=r"a\.jpg is missing"):
        datasets.load(f"voc:{tmp_path}", 16, "train", "train")


def test_voc_as_other_tools_write_it(tmp_path, capsys):
    making.write_voc(tmp_path, "train", {"my photo 1": [("dog", 0)], "b": [("cat", 0)], "c": []})
    making.write_voc(tmp_path, "val", {"d": [("dog", 0)]})
    inside = tmp_path / "JPEGImages"
    (inside / "my photo 1.jpg").rename(inside / "my photo 1.JPEG")
    (inside / "d.jpg").rename(inside / "d.png")
    (tmp_path / "Annotations" / "c.xml").write_text("<annotation>")
    sizeless = (tmp_path / "Annotations" / "b.xml").read_text().replace("size>", "sizes>")
    (tmp_path / "Annotations" / "b.xml").write_text(sizeless)
    data = datasets.load(f"voc:{tmp_path}", 16)
    assert list(data.train.images.names) == ["JPEGImages/my photo 1.JPEG", "JPEGImages/b.jpg"]
    assert data.train.labels.tolist() == [[0, 1], [1, 0]]
    assert list(data.test.images.names) == ["JPEGImages/d.png"]
    warning = capsys.readouterr().err
    assert "1 of the 3 photos" in warning and "c.xml is not in VOC's format" in warning
    (tmp_path / "ImageSets" / "Main" / "val.txt").write_bytes(b"\xef\xbb\xbfd  1\n")
    assert len(datasets.load(f"voc:{tmp_path}", 16).test.images) == 1


@pytest.mark.parametrize("dataset", ["stl10", "cifar:/x", "folders:", ""])
def test_other_data_sets(dataset):
    with pytest.raises(UserError, match="valid values: stl10:DIR, folders:DIR, voc:DIR"):
        datasets.load(dataset, 16)
    with pytest.raises(UserError, match="no folder absent"):
        datasets.load("voc:absent", 16)
