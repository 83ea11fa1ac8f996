"""A split of TensorFlow Datasets becomes photos; with the extra, a real one."""

import sys

import numpy as np
import pytest

from lorbms_tf.data import tfds_photos
from lorbms_tf.errors import UserError

LEVELS = (10, 20, 30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two data sets of grey images with one bright row, made by the package itself."""
    import tensorflow_datasets as tfds

    class Letters(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = {
                "image": tfds.features.Image(shape=(8, 8, 1)),
                "label": tfds.features.ClassLabel(names=["a", "b", "c"]),
            }
            return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for number, level in enumerate(LEVELS):
                image = np.full((8, 8, 1), level, np.uint8)
                image[0] = 255
                yield number, {"image": image, "label": number}

    class Emnist(Letters):
        pass

    folder = tmp_path_factory.mktemp("tfds")
    Letters(data_dir=folder).download_and_prepare()
    Emnist(data_dir=folder).download_and_prepare()
    return str(folder)


@pytest.mark.extras
def test_photos_with_labels(folder):
    photos = tfds_photos.load("letters", "train", folder)
    assert photos.classes == ("a", "b", "c") and sorted(photos.labels) == [0, 1, 2]
    for number, label in enumerate(photos.labels):
        photo = photos.read(number)
        assert photo.shape == (8, 8, 3) and (photo[0] == 255).all()
        assert (photo[1:] == LEVELS[label]).all()
    assert photos.bytes > 0 and photos.sha256 == tfds_photos.load("letters", "train", folder).sha256
    assert len(tfds_photos.load("letters", "train[:2]", folder).labels) == 2


@pytest.mark.extras
def test_emnist_is_set_upright(folder):
    photo = tfds_photos.load("emnist", "train", folder).read(0)
    assert (photo[:, 0] == 255).all() and (photo[:, 1:] < 255).all()


@pytest.mark.extras
def test_unknown_names_and_splits_are_answered(folder):
    with pytest.raises(UserError, match="tfds:absent:train: there is no dataset absent"):
        tfds_photos.load("absent", "train", folder)
    with pytest.raises(UserError, match="letters has no split test; valid are train"):
        tfds_photos.load("letters", "test", folder)


def test_without_the_package_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(UserError, match=r"tfds:mnist:train needs .* pip install .*\[tfds\]'"):
        tfds_photos.load("mnist", "train")
