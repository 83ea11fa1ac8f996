import numpy as np
import tensorflow as tf

from lorbms_tf.pseudo_labels.augmentation import crop_and_flip


def ramp(size=16):
    """Rises to the right in red and downwards in green; uint8 [200, size, size, 3]."""
    steps = np.linspace(0, 255, size).round()
    image = np.zeros((size, size, 3), np.uint8)
    image[..., 0], image[..., 1] = steps[None], steps[:, None]
    return np.repeat(image[None], 200, axis=0)


def test_whole_images_are_only_mirrored_half_of_the_time():
    # Area 1 is the whole image, but for the side that another shape than square cuts off.
    made = crop_and_flip(ramp(), [1, 2], 16, smallest_area=1.0).numpy()
    assert made.shape == (200, 16, 16, 3) and made.dtype == np.float32
    assert made.min() >= -1.001 and made.max() <= 1.001
    rises = made[:, 8, -1, 0] > made[:, 8, 0, 0]
    assert 70 < rises.sum() < 130
    assert (made[:, -1, 8, 1] > made[:, 0, 8, 1]).all()  # never upside down


def test_areas_and_shapes_are_those_asked_for():
    made = crop_and_flip(ramp(), [0, 0], 8, smallest_area=0.25).numpy()
    width = np.abs(made[:, 0, -1, 0] - made[:, 0, 0, 0]) / 2  # share of the image's width
    height = (made[:, -1, 0, 1] - made[:, 0, 0, 1]) / 2
    area = width * height
    assert 0.24 < area.min() < 0.35 and 0.5 < np.mean(area) < 0.7
    assert (width / height).max() < 4 / 3 + 0.05 and (width / height).min() > 3 / 4 - 0.05


def test_a_seed_gives_the_same_crops_in_a_graph_too():
    images = ramp()[:5]
    first = crop_and_flip(images, [3, 4], 8)
    graph = tf.function(lambda x, seed: crop_and_flip(x, seed, 8))(images, tf.constant([3, 4]))
    np.testing.assert_allclose(first, graph, atol=1e-5)
    assert not np.allclose(first, crop_and_flip(images, [3, 5], 8))
