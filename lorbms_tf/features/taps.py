"""Named inner layers of image networks as maps: what perceptual distances and inversions look at.

    vgg16, vgg19             conv1_1 ... conv5_4 after ReLU; imagenet (a download), a file of Keras,
                             a file of arrays (also in normalised form, or torchvision's state
                             dict), or none
    squeezenet               conv1, fire2 ... fire9, conv10; a file of arrays, or none
    alexnet                  own AlexNet, conv1 ... conv5; a file written here, or none; or
                             torchvision's, an .npz file of its state dict, also pool5, fc6,
                             fc7, fc8 (of 224 px)
    caffenet                 Caffe's AlexNet, conv1 ... conv5, pool5, fc6, fc7, fc8 (of 227 px); a
                             file of arrays, or none
    mobilenet_v2, keras:NAME any layer of the network by Keras's name; imagenet, a file, or none
    encoder:RUN_DIR          an encoder trained here: stem, block1 ..., code
    discriminator:RUN_DIR    its discriminator: conv1 ...

A file of arrays is an .npz file, or Caffe's own (`array_files`). Images are float [B, H, W, 3] in
[-1, 1]; each family's own preparation follows, and everything is differentiable with respect to the
images. Weights are never trained here.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import keras

from lorbms_tf.errors import UserError
from lorbms_tf.features import alexnet, array_files, caffenet, run_networks, squeezenet, vgg
from lorbms_tf.features.applications import IMAGENET, RANDOM, without_classifier
from lorbms_tf.networks import applications, weights_files
from lorbms_tf.networks.alexnet import AlexNet
from lorbms_tf.networks.vgg import VGG
from lorbms_tf.training import run_directory

MOBILENET = "MobileNetV2"


class Taps:
    """Images to the maps of some layers of one network.

    Attributes:
      name: of the network, with its argument ("vgg16", "keras:ResNet50", "encoder:RUN_DIR").
      layers: the names of the layers, in the order in which their maps come.
      network: the Keras model, whose variables are not trainable.
      weights: where the weights are from, in words.
      weights_hash: SHA-256 that tells them from others.
    """

    def __init__(self, name: str, layers: Sequence[str], source: "Source"):
        self.name, self.layers = name, tuple(layers)
        self.network, self._prepare, self.weights = source
        if not self.layers:
            raise UserError(f"--layers: name at least one; valid for {name}: {_list(source)}")
        for layer in self.layers:
            if layer not in self.network.layer_names:
                raise UserError(f"{name} has no layer {layer!r}; valid layers: {_list(source)}")
        self.network.trainable = False
        self.weights_hash = weights_files.hash_weights(self.network)

    def __call__(self, images: Any, **options: Any) -> dict[str, Any]:
        """Images [B, H, W, 3] in [-1, 1] -> maps [B, h, w, C] by the name of the layer.

        options: further arguments of the network's `layer_maps`.
        """
        return self.network.layer_maps(self._prepare(images), self.layers, **options)


class RedrawnTaps:
    """VGG with random weights that are drawn anew at each call, "stochastic" (Amir and Weiss).

    Attributes:
      layers: as in `Taps`.

    Args:
      taps: of vgg16 or vgg19, whose shapes and layers count.
      seed: a generator, whose state says which draw is next.
      keep_first: keep the first convolution as it is ("first trained").

    Raises UserError where the network is no VGG.
    """

    def __init__(self, taps: Taps, seed: keras.random.SeedGenerator, keep_first: bool = False):
        if not isinstance(taps.network, VGG):
            raise UserError(f"{taps.name} cannot be drawn anew at each call; valid: vgg16, vgg19")
        self.layers, self._taps, self._seed, self._keep_first = taps.layers, taps, seed, keep_first

    def __call__(self, images: Any) -> dict[str, Any]:
        """As `Taps`, by new weights."""
        kernels = self._taps.network.drawn_kernels(self._seed, first=not self._keep_first)
        return self._taps(images, kernels=kernels)


class Source(NamedTuple):
    """A network with named layers, the preparation of images, and where the weights are from."""

    network: Any
    prepare: Callable
    weights: str


class Functional(keras.Model):
    """A network of keras.applications under the protocol of our own: maps by layer name."""

    def __init__(self, model: keras.Model, **kwargs: Any):
        super().__init__(**kwargs)
        self.model = model
        self.built = True

    @property
    def layer_names(self) -> list[str]:
        """The layers whose output is maps."""
        return [layer.name for layer in self.model.layers if _gives_maps(layer)]

    def layer_maps(self, images: Any, names: Sequence[str], training: bool = False) -> dict:
        """The maps [B, h, w, C] of named layers."""
        outputs = [self.model.get_layer(name).output for name in names]
        inner = keras.Model(self.model.input, outputs)
        maps = inner(images, training=training)
        return dict(zip(names, maps if isinstance(maps, list) else [maps], strict=True))


def make(name: str, layers: Sequence[str], weights: str = "", seed: int = 0) -> Taps:
    """The layers of a network by their names.

    Args:
      name: as in the table above.
      layers: names of layers, at least one.
      weights: as in the table above; "" means imagenet for the networks of Keras and random ones
        for alexnet.
      seed: of random weights.

    Raises UserError where the network, a layer or the weights are unknown or missing.
    """
    kind, colon, argument = name.partition(":")
    if kind not in _SOURCES or bool(argument) != (kind in _WITH_ARGUMENT):
        raise UserError(f"{name!r} is no network with layers; valid: {', '.join(NAMES)}")
    try:
        return Taps(name, layers, _SOURCES[kind](name, layers, weights, seed))
    except ValueError as error:
        raise UserError(f"{name}: {error}") from error


@contextlib.contextmanager
def weights_flag(flag: str) -> Iterator[None]:
    """Messages about weights name this flag; networks here know one, --weights, for all of them."""
    try:
        yield
    except UserError as error:
        raise UserError(str(error).replace("--weights", f"--{flag}")) from error


def _vgg(name: str, layers: Sequence[str], weights: str, seed: int) -> Source:
    depth = int(name.removeprefix("vgg"))
    names = vgg.layer_names(depth)
    known = [layer for layer in names if layer in layers]
    last = known[-1] if known else ""
    network, prepare = vgg.build(depth, last, weights or IMAGENET, seed)
    return Source(network, prepare, _words(weights or IMAGENET))


def _squeezenet(name: str, layers: Sequence[str], weights: str, seed: int) -> Source:
    if not weights:
        raise UserError(f"{name} needs --weights=FILE, an .npz or .caffemodel file, or {RANDOM}")
    return Source(*squeezenet.build(weights, seed), _words(weights))


def _alexnet(name: str, layers: Sequence[str], weights: str, seed: int) -> Source:
    if weights.endswith(array_files.SUFFIXES):
        return Source(*alexnet.of_torchvision(weights, layers), _words(weights))
    network = AlexNet(channels=3, dense_widths=(), outputs=0, seed=seed)
    if weights not in ("", RANDOM):
        weights_files.load(network, weights, "alexnet with 3 channels")
    return Source(network, _unchanged, _words(weights or RANDOM))


def _caffenet(name: str, layers: Sequence[str], weights: str, seed: int) -> Source:
    return Source(*caffenet.build(layers, weights or RANDOM, seed), _words(weights or RANDOM))


def _keras(name: str, layers: Sequence[str], weights: str, seed: int) -> Source:
    network = MOBILENET if name == "mobilenet_v2" else name.partition(":")[2]
    if network not in applications.names():
        valid = ", ".join(applications.names())
        raise UserError(f"{name}: no such network; valid names: {valid}")
    model = without_classifier(network, weights or IMAGENET, name, seed=seed)
    preprocess = applications.preprocessing(network)

    def prepare(images: Any) -> Any:
        return preprocess((images + 1.0) * 127.5)

    return Source(Functional(model), prepare, _words(weights or IMAGENET))


def _run(name: str, layers: Sequence[str], weights: str, seed: int) -> Source:
    kind, _, run_dir = name.partition(":")
    if weights:
        raise UserError(f"--weights={weights}: {kind} has its weights already; leave it out")
    model, _ = run_directory.load_model(run_dir)
    return Source(run_networks.part(model, kind), _unchanged, run_dir)


_SOURCES: dict[str, Callable[[str, Sequence[str], str, int], Source]] = {
    "vgg16": _vgg,
    "vgg19": _vgg,
    "squeezenet": _squeezenet,
    "alexnet": _alexnet,
    "caffenet": _caffenet,
    "mobilenet_v2": _keras,
    "keras": _keras,
    "encoder": _run,
    "discriminator": _run,
}
_WITH_ARGUMENT = {"keras": "NAME", "encoder": "RUN_DIR", "discriminator": "RUN_DIR"}
NAMES = tuple(
    f"{kind}:{_WITH_ARGUMENT[kind]}" if kind in _WITH_ARGUMENT else kind for kind in _SOURCES
)


def _unchanged(images: Any) -> Any:
    return images


def _words(weights: str) -> str:
    return {RANDOM: "random", IMAGENET: "ImageNet, by Keras"}.get(weights, weights)


def _gives_maps(layer: keras.layers.Layer) -> bool:
    shape = getattr(getattr(layer, "output", None), "shape", ())
    return len(shape) == 4 and not isinstance(layer, keras.layers.InputLayer)


def _list(source: Source) -> str:
    return ", ".join(source.network.layer_names)
