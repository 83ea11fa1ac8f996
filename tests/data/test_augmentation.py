import keras
import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.data import augmentation
from lorbms_tf.data.augmentation import CHARACTERS, NATURAL, PARAMETERS
from tests import tiny

SIDE = 41
CENTER = (SIDE - 1) / 2


def rho(**changes):
    return np.array([[changes.get(name, 0.0) for name in PARAMETERS]])


def disc(x, y, radius=4.0):
    """White on black, [1, SIDE, SIDE, 1], with a soft edge; x and y count from the center."""
    rows, columns = np.mgrid[:SIDE, :SIDE] - CENTER
    distance = np.hypot(columns - x, rows - y)
    return (2 * np.clip(radius + 0.5 - distance, 0, 1) - 1)[None, :, :, None]


def ink(images):
    return (np.asarray(images)[0, :, :, 0] + 1) / 2


def centroid(images):
    """x and y of the ink, from the center."""
    shade = ink(images)
    rows, columns = np.mgrid[:SIDE, :SIDE] - CENTER
    return (shade * columns).sum() / shade.sum(), (shade * rows).sum() / shade.sum()


def noise(size=12, channels=3, count=2):
    shape = (count, size, size + 2, channels)
    return np.random.default_rng(1).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.parametrize("fill_mode", augmentation.FILL_MODES)
@pytest.mark.parametrize("channels", [1, 3])
def test_zeros_are_exactly_the_identity(fill_mode, channels):
    images, none = noise(channels=channels), np.zeros((2, 9), np.float32)
    same = keras.ops.convert_to_numpy(augmentation.augment(images, none, NATURAL, fill_mode))
    assert same.dtype == np.float32 and (same == images).all()


SIN, COS = np.sin(np.radians(30)), np.cos(np.radians(30))


@pytest.mark.parametrize(
    "changes, start, expected",
    [
        ({"shift_x": 3}, (0, 0), (3, 0)),
        ({"shift_x": -2.5}, (1, 0), (-1.5, 0)),
        ({"shift_y": 3}, (0, 0), (0, 3)),
        ({"shift_y": -0.25}, (0, 2), (0, 1.75)),
        ({"rotation": 90}, (8, 0), (0, -8)),  # from the right to the top: counter-clockwise
        ({"rotation": -90}, (8, 0), (0, 8)),
        ({"rotation": 30}, (10, 0), (10 * COS, -10 * SIN)),
        ({"rotation": 30, "shift_x": 2}, (0, 0), (2, 0)),
        ({"scale": 0.2}, (5, -5), (6, -6)),
        ({"scale": -0.2}, (5, -5), (4, -4)),
        ({"shear": 45}, (0, -6), (6, -6)),  # the upper part moves to the right
        ({"shear": -45}, (0, -6), (-6, -6)),
        ({"shear": 45}, (5, 0), (5, 0)),
        ({"shear": 45, "rotation": 90}, (0, -6), (-6, -6)),  # sheared, then turned
    ],
)
def test_a_disc_moves_as_the_matrix_says(changes, start, expected):
    moved = augmentation.warp(disc(*start), rho(**changes))
    np.testing.assert_allclose(centroid(moved), expected, atol=0.06)
    matrix, shift = (np.asarray(part)[0] for part in augmentation.affine(rho(**changes)))
    np.testing.assert_allclose(matrix @ start + shift, expected, atol=1e-6)


@pytest.mark.parametrize("scale", [0.2, -0.2])
def test_scale_is_that_of_lengths(scale):
    before, after = (
        ink(x).sum() for x in (disc(0, 0), augmentation.warp(disc(0, 0), rho(scale=scale)))
    )
    assert after / before == pytest.approx((1 + scale) ** 2, rel=0.05)


def test_images_of_a_batch_move_on_their_own():
    both = augmentation.warp(
        np.concatenate([disc(0, 0)] * 2), np.concatenate([rho(shift_x=4), rho(shift_y=-4)])
    )
    np.testing.assert_allclose(centroid(both[:1]), (4, 0), atol=1e-6)
    np.testing.assert_allclose(centroid(both[1:]), (0, -4), atol=1e-6)


@pytest.mark.parametrize(
    "fill_mode, expected",
    [
        ("constant", [-1, -1, 0.1, 0.2, 0.3, 0.4]),
        ("nearest", [0.1, 0.1, 0.1, 0.2, 0.3, 0.4]),
        ("reflect", [0.2, 0.1, 0.1, 0.2, 0.3, 0.4]),
    ],
)
def test_what_lies_outside(fill_mode, expected):
    row = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    images = np.broadcast_to(row, (1, 6, 6))[..., None]
    moved = np.asarray(augmentation.warp(images, rho(shift_x=2), fill_mode))
    np.testing.assert_allclose(moved[0, 3, :, 0], expected, atol=1e-6)
    upside = np.asarray(augmentation.warp(images.swapaxes(1, 2), rho(shift_y=2), fill_mode))
    np.testing.assert_allclose(upside[0, :, 3, 0], expected, atol=1e-6)


def test_far_outside_reflections_go_on():
    images = np.array([0.1, 0.2, 0.3, 0.4]).reshape(1, 1, 4, 1)
    moved = np.asarray(augmentation.warp(images, rho(shift_x=7), "reflect"))
    # 1 2 3 4 | 4 3 2 1 | and then the image: seven to the left of its first pixel is a 2.
    np.testing.assert_allclose(moved[0, 0, :, 0], [0.2, 0.3, 0.4, 0.4])


def test_an_unknown_fill_mode_is_told():
    with pytest.raises(ValueError, match="'wrap' is not one of constant, nearest, reflect"):
        augmentation.warp(disc(0, 0), rho(), "wrap")


GENERIC = {
    "rotation": 7.3, "shift_x": 1.37, "shift_y": -0.61, "scale": 0.11, "shear": 4.2,
    "brightness": 0.07, "contrast": -0.12, "saturation": 0.21, "hue": 0.03,
}  # fmt: skip


@pytest.mark.parametrize("fill_mode", augmentation.FILL_MODES)
def test_gradients_by_finite_differences(fill_mode):
    rng = np.random.default_rng(2)
    images = rng.uniform(-0.5, 0.5, (1, 6, 7, 3))
    weights = rng.normal(size=images.shape)
    point = rho(**GENERIC)

    def loss(pixels, numbers):
        return keras.ops.sum(augmentation.augment(pixels, numbers, NATURAL, fill_mode) * weights)

    with tf.GradientTape() as tape:
        pixels, numbers = tf.constant(images), tf.constant(point)
        tape.watch([pixels, numbers])
        value = loss(pixels, numbers)
    by_pixels, by_numbers = (
        gradient.numpy() for gradient in tape.gradient(value, [pixels, numbers])
    )
    step = 1e-6
    for column in range(len(PARAMETERS)):
        ahead, behind = point.copy(), point.copy()
        ahead[0, column] += step
        behind[0, column] -= step
        slope = (loss(images, ahead) - loss(images, behind)) / (2 * step)
        assert by_numbers[0, column] == pytest.approx(float(slope), rel=1e-4, abs=1e-6)
        assert by_numbers[0, column] != 0
    direction = rng.normal(size=images.shape)
    slope = (loss(images + step * direction, point) - loss(images - step * direction, point)) / (
        2 * step
    )
    assert (by_pixels * direction).sum() == pytest.approx(float(slope), rel=1e-4)


def test_at_no_change_the_gradient_is_that_of_one_side():
    images = np.array([-0.5, 0.0, 0.2, 0.3]).reshape(1, 1, 4, 1)
    with tf.GradientTape() as tape:
        numbers = tf.constant(rho())
        tape.watch(numbers)
        value = augmentation.warp(images, numbers, "nearest")[0, 0, 1, 0]
    assert tape.gradient(value, numbers)[0, 1].numpy() == pytest.approx(
        -0.2
    )  # less of the right one


def test_colours():
    grey = np.full((1, 4, 4, 3), 0.2)
    for changes in ({"saturation": 0.7}, {"hue": 0.3}, {"hue": -0.2, "saturation": -1}):
        same = augmentation.recolour(grey, rho(**changes))
        np.testing.assert_allclose(same, grey, atol=1e-6)
    # Black is -1: 0.2 lies 1.2 above it.
    brighter = augmentation.recolour(grey, rho(brightness=0.25))
    np.testing.assert_allclose(brighter, np.full_like(grey, 1.2 * 1.25 - 1), atol=1e-6)
    black = augmentation.recolour(np.full((1, 2, 2, 1), -1.0), rho(brightness=0.25))
    np.testing.assert_allclose(black, -1)
    halves = np.full((1, 4, 4, 1), -0.2)
    halves[:, :2] = 0.4  # the mean is 0.1
    harder = np.asarray(augmentation.recolour(halves, rho(contrast=0.5)))
    np.testing.assert_allclose(np.unique(harder.round(6)), [0.1 - 0.45, 0.1 + 0.45])


def luma(colour):
    return np.asarray(colour) @ [0.299, 0.587, 0.114]


def test_saturation_and_hue_keep_the_luma():
    images = 0.3 * noise(8).astype(np.float64)
    for changes in ({"saturation": 0.25}, {"hue": 0.05}, {"hue": -0.4}):
        both = np.repeat(rho(**changes), 2, 0)
        np.testing.assert_allclose(
            luma(augmentation.recolour(images, both)), luma(images), atol=1e-6
        )
    gone = augmentation.recolour(images, np.repeat(rho(saturation=-1), 2, 0))
    np.testing.assert_allclose(gone, np.repeat(luma(images)[..., None], 3, -1), atol=1e-6)


def test_hue_turns_red_to_green_to_blue():
    red = np.array([0.2, -0.2, -0.2]).reshape(1, 1, 1, 3)
    third = np.asarray(augmentation.recolour(red, rho(hue=1 / 3)))[0, 0, 0]
    assert third.argmax() == 1 and third[0] == pytest.approx(third[2])
    two = np.asarray(augmentation.recolour(red, rho(hue=-1 / 3)))[0, 0, 0]
    assert two.argmax() == 2
    again = augmentation.recolour(third.reshape(red.shape), rho(hue=-1 / 3))
    np.testing.assert_allclose(again, red, atol=1e-6)


def test_colours_stay_in_their_range():
    loud = augmentation.recolour(noise(), np.repeat(rho(brightness=1, contrast=1), 2, 0))
    assert np.abs(loud).max() == 1


def test_samples_fill_their_ranges():
    drawn = np.asarray(augmentation.sample(4000, NATURAL, seed=3))
    widths = np.array([10, 8, 8, 0.2, 3, 0.25, 0.25, 0.25, 0.05])
    assert drawn.shape == (4000, 9) and (np.abs(drawn) <= widths).all()
    np.testing.assert_allclose(drawn.mean(0) / widths, 0, atol=0.05)
    np.testing.assert_allclose(drawn.std(0) / widths, 1 / np.sqrt(3), atol=0.03)
    assert (drawn == np.asarray(augmentation.sample(4000, NATURAL, seed=3))).all()
    letters = np.asarray(augmentation.sample(100, CHARACTERS, seed=3))
    assert (letters[:, 5:] == 0).all() and np.abs(letters[:, 0]).max() > 15


def test_between_is_linear():
    first, second = rho(rotation=10), rho(rotation=-10, hue=0.1)
    quarter = np.asarray(augmentation.between(first, second, [0.25]))
    np.testing.assert_allclose(quarter, rho(rotation=5, hue=0.025))


def test_in_a_graph_with_any_batch():
    @tf.function(input_signature=[tf.TensorSpec((None, 12, 14, 3)), tf.TensorSpec((None, 9))])
    def graph(images, numbers):
        return augmentation.augment(images, numbers)

    numbers = np.repeat(rho(**GENERIC), 2, 0).astype(np.float32)
    expected = augmentation.augment(noise(), numbers)
    np.testing.assert_allclose(graph(noise(), numbers), expected, atol=1e-5)
    with tiny.eagerly():
        assert graph(noise(count=3), numbers[[0, 0, 0]]).shape == (3, 12, 14, 3)
