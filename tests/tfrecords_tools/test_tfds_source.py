"""A dataset of TensorFlow Datasets becomes a folder; with the extra, a real one."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from lorbms_tf.data import tfds_photos
from lorbms_tf.errors import UserError
from tests.tfrecords_tools import making
from tfrecords_tools import build, sources, tfds_source


def encoded(value, size=(40, 20), kind="JPEG"):
    buffer = io.BytesIO()
    Image.new("RGB", size, (value, 0, 0)).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """A dataset of three photos with boxes, made and read by the package itself."""
    import tensorflow_datasets as tfds

    folder = tmp_path_factory.mktemp("tfds")

    class Boxed(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            objects = {
                "bbox": tfds.features.BBoxFeature(),
                "label": tfds.features.ClassLabel(names=["cat", "dog"]),
            }
            features = {"image": tfds.features.Image(), "objects": tfds.features.Sequence(objects)}
            return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for number in range(3):
                box = tfds.features.BBox(ymin=0.5, xmin=0.25, ymax=1.0, xmax=0.75)
                objects = [{"bbox": box, "label": "dog"}] * number
                yield number, {"image": io.BytesIO(encoded(60 * number)), "objects": objects}

    Boxed(data_dir=folder).download_and_prepare()
    return folder


@pytest.mark.extras
def test_photos_and_boxes_are_written_as_they_are(dataset, tmp_path):
    folder = tmp_path / "photos"
    found = tfds_source.unpack("boxed:train", folder, str(dataset))
    kept, counts = sources.load(folder / "images", found, min_size=20, min_boxes=1)
    assert (counts["read"], len(kept)) == (3, 2)
    assert sorted(path.read_bytes() for path in (folder / "images").iterdir()) == sorted(
        encoded(60 * number) for number in range(3)
    )
    boxes = [entry["bbox"] for entry in tfds_source.read_json(found)["annotations"]]
    assert boxes == [[10, 10, 20, 10]] * 3
    assert tfds_source.unpack("boxed:train", folder, "nowhere") == found  # not unpacked again
    with pytest.raises(UserError, match="another dataset"):
        tfds_source.unpack("boxed:train[:1]", folder, str(dataset))


@pytest.mark.extras
def test_unknown_names_and_splits_are_answered(dataset, tmp_path):
    with pytest.raises(UserError, match="there is no dataset absent"):
        tfds_source.unpack("absent:train", tmp_path / "a", str(dataset))
    with pytest.raises(UserError, match="no split test; valid are train"):
        tfds_source.unpack("boxed:test", tmp_path / "a", str(dataset))
    assert not (tmp_path / "a").exists()


def test_without_the_package_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(UserError, match=r"pip install .*\[tfds\]'"):
        tfds_source.unpack("voc/2007:train", tmp_path / "a")


def test_what_is_written_without_boxes(tmp_path):
    (tmp_path / "images").mkdir()
    examples = iter([{"image": np.bytes_(encoded(9))}])
    document = tfds_source._write(examples, tmp_path, [])
    assert document["images"] == [{"id": 1, "file_name": "00000001.jpg", "width": 40, "height": 20}]
    assert document["annotations"] == []


def test_photos_of_every_format_are_used_without_boxes_too(tmp_path, monkeypatch, quick_features):
    formats = ["PNG", "GIF", "TIFF"] * 5

    def opened(given, name, split, data_dir):
        examples = ({"image": encoded(5 * n, kind=kind)} for n, kind in enumerate(formats))
        return tfds_photos.Examples(examples, len(formats), {})

    monkeypatch.setattr(tfds_photos, "examples", opened)
    dataset = build.build(
        making.build_config(tmp_path / "photos", tfds="plain:train", near_duplicates=-1)
    )
    assert dataset["photos"]["kept"] == len(formats)


@pytest.mark.parametrize("text", ["voc", ":train", "voc/2007:", "voc:a b"])
def test_names_without_a_split_are_refused(text):
    with pytest.raises(UserError, match="NAME:SPLIT"):
        tfds_source.parse(text)
    assert tfds_source.parse("voc/2007:train[:5%]") == ("voc/2007", "train[:5%]")
