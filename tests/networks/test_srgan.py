import numpy as np
import pytest

from lorbms_tf.networks.srgan import SRResNet, pixel_shuffle


def parameters(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_the_published_sizes():
    width, blocks = 64, 16
    conv = 9 * width * width + width
    head = 81 * 3 * width + width + width
    block = 2 * conv + 2 * 2 * width + width
    doubling = 4 * (9 * width * width + width) + width
    last = 9 * width * 3 + 3
    wanted = head + blocks * block + conv + 2 * width + 2 * doubling + last
    assert parameters(SRResNet()) == wanted == 1_536_835


def test_pixels_are_shuffled_block_by_block():
    maps = np.arange(2 * 1 * 2 * 8, dtype="float32").reshape(2, 1, 2, 8)
    made = np.asarray(pixel_shuffle(maps))
    assert made.shape == (2, 2, 4, 2)
    np.testing.assert_array_equal(made[0, :, :2, 0], [[0, 2], [4, 6]])
    np.testing.assert_array_equal(made[0, :, :2, 1], [[1, 3], [5, 7]])
    np.testing.assert_array_equal(made[1, :, 2:, 0], [[24, 26], [28, 30]])


@pytest.mark.parametrize("batch_norm", [True, False])
def test_any_size_grows_fourfold(batch_norm):
    network = SRResNet(blocks=2, width=4, batch_norm=batch_norm)
    for height, width in ((3, 5), (1, 1)):
        made = network(np.zeros((2, height, width, 3), "float32"))
        assert made.shape == (2, 4 * height, 4 * width, 3)
    assert len(network.non_trainable_variables) == 10 * batch_norm


def test_deep_networks_begin_with_pictures_of_their_own_scale():
    images = np.random.default_rng(0).uniform(-1, 1, (1, 8, 8, 3)).astype("float32")
    made = np.asarray(SRResNet(blocks=16, width=8, batch_norm=False)(images))
    assert 1e-3 < made.std() < 10


def test_sizes_below_one():
    with pytest.raises(ValueError, match="blocks must be 1 or more"):
        SRResNet(blocks=0)
    with pytest.raises(ValueError, match="seed"):
        SRResNet(blocks=1, width=2, seed=-1)
