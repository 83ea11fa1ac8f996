import io
import pickle
import tarfile

import keras
import numpy as np
import pytest

from lorbms_tf.data import keras_datasets
from lorbms_tf.errors import UserError


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder of Keras's data sets."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    return tmp_path / "datasets"


def write_mnist(home, **changes):
    """Three training and two test images, as Keras's own mnist.npz has them."""
    arrays = {
        "x_train": np.arange(3 * 28 * 28).reshape(3, 28, 28).astype(np.uint8),
        "y_train": np.array([5, 0, 9], np.uint8),
        "x_test": np.full((2, 28, 28), 7, np.uint8),
        "y_test": np.array([1, 2], np.uint8),
    }
    np.savez(home / "mnist.npz", **{**arrays, **changes})


def cifar_batch(first, labels, key=b"labels"):
    """One official file: rows of 3072 bytes, red, green and blue planes."""
    planes = np.zeros((len(labels), 3, 32, 32), np.uint8)
    planes[:, 0], planes[:, 1], planes[:, 2] = first, first + 1, first + 2
    planes[:, 0, 0, 1] = 99  # row 0, column 1, red
    return pickle.dumps({b"data": planes.reshape(len(labels), -1), key: list(labels)}, protocol=2)


def write_cifar(folder):
    folder.mkdir(parents=True)
    for number in range(1, 6):
        batch = cifar_batch(10 * number, [number, number + 1])
        (folder / f"data_batch_{number}").write_bytes(batch)
    (folder / "test_batch").write_bytes(cifar_batch(200, [3]))


def test_mnist(home):
    write_mnist(home)
    train = keras_datasets.load("mnist", "train")
    assert train.pixels.shape == (3, 28, 28, 1) and train.labels.tolist() == [5, 0, 9]
    assert train.classes == tuple("0123456789")
    assert train.read(0)[1, 2, 0] == 28 + 2
    test = keras_datasets.load("mnist", "test")
    assert len(test.labels) == 2 and test.sha256 != train.sha256


@pytest.mark.parametrize("place", ["cifar-10-batches-py", "cifar-10-batches-py-target/x"])
def test_cifar_10_unpacked(home, place):
    write_cifar((home / place).with_name("cifar-10-batches-py"))
    train = keras_datasets.load("cifar10", "train")
    assert train.pixels.shape == (10, 32, 32, 3)
    assert train.labels.tolist() == [1, 2, 2, 3, 3, 4, 4, 5, 5, 6]
    assert train.pixels[2, 5, 5].tolist() == [20, 21, 22]
    assert train.pixels[2, 0, 1].tolist() == [99, 21, 22]
    test = keras_datasets.load("cifar10", "test")
    assert test.labels.tolist() == [3] and test.classes[3] == "cat"


def test_cifar_100_from_the_archive(home):
    with tarfile.open(home / "cifar-100-python.tar.gz", "w:gz") as archive:
        for name, labels in (("train", [7, 99]), ("test", [0])):
            content = cifar_batch(50, labels, b"fine_labels")
            member = tarfile.TarInfo(f"cifar-100-python/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    assert keras_datasets.load("cifar100", "train").labels.tolist() == [7, 99]
    assert keras_datasets.load("cifar100", "test").pixels[0, 9, 9].tolist() == [50, 51, 52]


def test_without_a_network_it_says_what_to_do(home, monkeypatch):
    def refused():
        raise Exception("URL fetch failure on https://x/mnist.npz: None -- no network\nmore")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", refused)
    with pytest.raises(UserError) as told:
        keras_datasets.load("mnist", "train")
    message = str(told.value)
    assert "keras:mnist cannot be downloaded (URL fetch failure on" in message
    assert message.endswith(f"put mnist.npz into {home}") and "\n" not in message


def test_damaged_files_are_named(home):
    (home / "mnist.npz").write_bytes(b"PK nothing")
    with pytest.raises(UserError, match=r"mnist\.npz is not MNIST as Keras has it"):
        keras_datasets.load("mnist", "train")
    (home / "cifar-10-python.tar.gz").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"cifar-10-python\.tar\.gz is damaged"):
        keras_datasets.load("cifar10", "train")


def test_other_arrays_are_refused(home):
    write_mnist(home, x_train=np.zeros((3, 28, 28), np.float32))
    with pytest.raises(UserError, match="not bytes with a label each"):
        keras_datasets.load("mnist", "train")
    write_mnist(home, y_test=np.array([1, 10], np.uint8))
    with pytest.raises(UserError, match="labels are 0 to 9"):
        keras_datasets.load("mnist", "test")


def test_a_pickle_that_runs_something_is_refused(home):
    class Evil:
        def __reduce__(self):
            return print, ("ran",)

    folder = home / "cifar-10-batches-py"
    write_cifar(folder)
    (folder / "test_batch").write_bytes(pickle.dumps({b"data": Evil()}))
    with pytest.raises(UserError, match="has no place in it"):
        keras_datasets.load("cifar10", "test")
