import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lorbms_tf.data import images
from lorbms_tf.serving import picture_signatures
from lorbms_tf.serving.signature import Signature
from tests import tiny


def spec(name, *shape, dtype=tf.float32):
    return tf.TensorSpec((None, *shape), dtype, name)


@pytest.mark.parametrize(
    "one, expected",
    [
        (spec("images", 32, 32, 3), True),
        (spec("images", 28, 28, 1), True),
        (spec("candidates", 4, 32, 32, 3), True),
        (spec("codes", 2, 2, 3), False),
        (spec("codes", 2, 2, 192), False),
        (spec("maps", 13, 13, 256), False),
        (spec("images", 32, 30, 3), False),
        (spec("images", None, None, 3), False),
        (spec("codes", 64), False),
        (spec("images", 32, 32, 3, dtype=tf.uint8), False),
    ],
)
def test_images_are_known_by_their_shape(one, expected):
    assert picture_signatures.is_image(one) is expected


def signatures():
    def darker(images, factor):
        return {"images": images * factor[:, None, None, None], "factor": factor}

    def double(factor):
        return {"factor": 2 * factor}

    def examples(random, batch):
        pictures = random.uniform(-1, 1, (batch, 28, 28, 1))
        return {"images": pictures.astype("f4"), "factor": np.ones(batch, "f4")}

    return {
        "darker": Signature(darker, [spec("images", 28, 28, 1), spec("factor")], [], examples),
        "double": Signature(double, [spec("factor")], [], examples),
    }


def test_grey_pictures_go_in_and_out_and_the_rest_stays():
    made = picture_signatures.counterparts(signatures())
    assert list(made) == ["darker_bytes"]
    assert [(one.name, one.shape.rank) for one in made["darker_bytes"].inputs] == [
        ("image_bytes", 1),
        ("factor", 1),
    ]
    photo = tiny.noise(0, 28)
    out = made["darker_bytes"].function(
        tf.constant([images.encode_jpeg(photo)]), tf.constant([1.0])
    )
    assert set(out) == {"image_bytes", "factor"}
    seen = images.decode_jpeg(out["image_bytes"].numpy()[0])

    decoded = images.decode_jpeg(images.encode_jpeg(photo))
    grey = np.asarray(Image.fromarray(decoded).convert("L"))
    np.testing.assert_array_equal(seen, np.repeat(grey[..., None], 3, -1))


def test_examples_are_files_of_the_examples():
    made = picture_signatures.counterparts(signatures())["darker_bytes"]
    given = made.examples(np.random.default_rng(0), 2)
    plain = signatures()["darker"].examples(np.random.default_rng(0), 2)
    seen = [images.decode_jpeg(data) for data in given["image_bytes"].numpy()]
    expected = np.repeat(images.to_uint8(plain["images"]), 3, -1)
    np.testing.assert_array_equal(seen, expected)
