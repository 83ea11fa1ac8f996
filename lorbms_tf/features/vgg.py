"""VGG-16 and VGG-19 with their published weights, in the forms in which they are handed on.

Keras's weights (and Caffe's, from which they are) read BGR of 0 to 255 less the mean of ImageNet;
the normalised form of style transfer reads RGB of 0 to 1 through a 1x1 convolution and pads by
reflection; torchvision's state dict reads RGB less ImageNet's mean, in its deviations.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from lorbms_tf.errors import UserError
from lorbms_tf.features import applications, array_files, torchvision_files
from lorbms_tf.networks.vgg import VGG, layer_names

# The mean of ImageNet's training images, BGR of 0 to 255, as Caffe's VGG subtracts it.
MEAN_BGR = (103.939, 116.779, 123.68)
_INPUT = "pre_1x1"  # the layer that marks a normalised network


def caffe_pixels(images: Any, mean: Sequence[float] = MEAN_BGR) -> Any:
    """RGB [B, H, W, 3] in [-1, 1] -> BGR of 0 to 255 less a mean."""
    return ops.flip((images + 1.0) * 127.5, axis=-1) - ops.convert_to_tensor(mean, "float32")


def unit_pixels(images: Any) -> Any:
    """RGB [B, H, W, 3] in [-1, 1] -> RGB of 0 to 1."""
    return (images + 1.0) / 2.0


def build(depth: int, last: str, weights: str, seed: int) -> tuple[VGG, Callable]:
    """The network to its layer `last`, and the function that prepares images in [-1, 1] for it.

    Args:
      depth: 16 or 19.
      last: its last convolution, "conv3_3"; "" for the last that the weights hold.
      weights: "imagenet" (Keras downloads them), a file of Keras with or without the classifier,
        a file of arrays (`array_files`, or `torchvision_files`), or "none" for random ones.
      seed: of random weights.

    Raises:
      UserError: the file is missing, damaged, of another network, or does not reach to the layer.
      ValueError: there is no such layer.
    """
    layer_names(depth, last)
    if weights == applications.RANDOM:
        return VGG(depth, last, seed=seed), caffe_pixels
    if weights.endswith(array_files.SUFFIXES):
        return _from_arrays(depth, last, weights)
    network = VGG(depth, last)
    published = applications.without_classifier(f"VGG{depth}", weights, f"vgg{depth}")
    _copy(published, network)
    return network, caffe_pixels


def held_layers(depth: int, weights: str) -> list[str]:
    """The convolutions that weights hold, as `build` takes them. Raises UserError likewise."""
    if not weights.endswith(array_files.SUFFIXES):
        return layer_names(depth)
    return _held(_read(depth, weights)[0])


def _read(depth: int, path: str) -> tuple[dict, bool]:
    """The arrays of a file by our names, and whether they were torchvision's."""
    name = f"VGG-{depth}"
    arrays = array_files.read(path, name)
    if torchvision_files.is_state_dict(arrays):
        return torchvision_files.renamed(arrays, layer_names(depth), path, name), True
    return array_files.below(arrays, "encoder/"), False


def _held(arrays: dict) -> list[str]:
    return array_files.layers(arrays, r"conv\d_\d")


def _from_arrays(depth: int, last: str, path: str) -> tuple[VGG, Callable]:
    name = f"VGG-{depth}"
    arrays, of_torchvision = _read(depth, path)
    held = _held(arrays)
    if not held or held != layer_names(depth)[: len(held)]:
        found = f"it holds {', '.join(held) or 'no convolutions'}"
        raise UserError(f"--weights: {path} does not hold the weights of {name}: {found}")
    if last and last not in held:
        raise UserError(
            f"--weights: {path} holds {name} to {held[-1]} only, which has no {last}; valid "
            f"layers: {', '.join(held)}"
        )
    normalised = f"{_INPUT}/kernel" in arrays
    network = VGG(
        depth,
        last or held[-1],
        padding="reflect" if normalised else "zeros",
        input_convolution=normalised,
    )
    convs = list(zip(network.layer_names, network.convs, strict=True))
    if normalised:
        convs.append((_INPUT, network.input_conv))
    array_files.assign(convs, arrays, path, name)
    if of_torchvision:
        return network, torchvision_files.prepare
    return network, unit_pixels if normalised else caffe_pixels


def _copy(source: keras.Model, network: VGG) -> None:
    for name, conv in zip(network.layer_names, network.convs, strict=True):
        block, _, number = name.removeprefix("conv").partition("_")
        conv.set_weights(source.get_layer(f"block{block}_conv{number}").get_weights())
