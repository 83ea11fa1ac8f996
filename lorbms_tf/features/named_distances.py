"""Distances by name: what --metrics, --perceptual and their like name.

    l1, l2            mean absolute and mean squared difference of pixels
    mmd, mmd_no_dc    patch MMD by random features drawn at each call; without the means of patches
    mmd++             MMD++: mmd_no_dc, a local term and pixels
    mmd_exact         patch MMD from all pairs of patches
    nngp, scnn        the kernel of infinitely wide random networks; a random network of 1024 maps
    vgg16             Amir and Weiss's VGG-16 distance, maps of unit length, weights equal
    vgg16_random      the same, all weights drawn at each call
    vgg16_first       the same, all weights but the first convolution's drawn at each call
    vgg19             conv1_2, 2_2, 3_2, 4_2 and 5_2 of VGG-19, as far as the weights reach
    squeezenet        the layers of SqueezeNet that LPIPS reads, weights equal
    lpips_NETWORK     LPIPS by squeeze, vgg or alex, with its heads
    taps:NETWORK:A+B  layers A and B of a network of `lorbms_tf.features.taps`, weights equal
    raw:NETWORK:A+B   the same, but the squared differences of the maps as they are, summed: twice
                      DeePSiM's feature loss

Pictures are float32 [B, H, W, C] in [-1, 1], C 3, or 1, which networks see as grey. Every distance
is [B], 0 for equal pictures, and has gradients.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from keras import ops

from lorbms_tf.distances import deep, kernels, patch_mmd, scnn, windows
from lorbms_tf.distances.distance_config import RAW, TAPS, DistanceConfig, check_names
from lorbms_tf.distances.draws import Draws
from lorbms_tf.errors import UserError
from lorbms_tf.features import array_files, taps, vgg
from lorbms_tf.networks import alexnet, squeezenet
from lorbms_tf.networks.alexnet import AlexNet
from lorbms_tf.networks.squeezenet import SqueezeNet
from lorbms_tf.networks.vgg import VGG

_VGG19_LAYERS = tuple(f"conv{block}_2" for block in range(1, 6))
_LPIPS_TAPS = {"squeeze": "squeezenet", "vgg": "vgg16", "alex": "alexnet"}
_TRIED = 64  # pixels a side of a picture that every such network can read
_DRAWN = ("mmd", "mmd++", "mmd_no_dc", "scnn", "vgg16_random", "vgg16_first")
_WINDOWED = ("mmd", "mmd++", "mmd_no_dc", "mmd_exact", "nngp", "scnn")


class ByFeatures(NamedTuple):
    """A distance in two parts, for those who compare one picture with several.

    features: images [B, H, W, C] -> tensors [B, ...] by name.
    compared: (features, features) -> the distance of each pair [B].
    """

    features: Callable[[Any], dict[str, Any]]
    compared: Callable[[dict[str, Any], dict[str, Any]], Any]


class Distance:
    """One distance, ready to be called.

    Attributes:
      name: as it was asked for.
      is_drawn: whether it is another one at each draw.
      window: pixels a side of its windows; 1 for those without.
      least_side: pixels that pictures have at least a side, as far as it is known.
      weights: where its network's weights are from, in words; "" without a network.
      by_features: of a network that is not drawn anew, what it sees of each picture by itself:
        `features` of images, `compared` of two such; None for other distances.

    Args:
      compute: (images, others, a generator of draws) -> [B].
      seed: which series of draws.
    """

    def __init__(
        self,
        name: str,
        compute: Callable,
        seed: int = 0,
        window: int = 1,
        least_side: int = 1,
        weights: str = "",
        by_features: "ByFeatures | None" = None,
    ):
        self.by_features = by_features
        self.name, self.is_drawn = name, name in _DRAWN
        self.window, self.least_side, self.weights = window, max(least_side, window), weights
        self._compute, self._seed = compute, seed

    def __call__(self, images: Any, others: Any, draw: Any = 0) -> Any:
        """The distance of each pair: [B].

        Args:
          images: float32 [B, H, W, C] in [-1, 1].
          others: the same.
          draw: which draw, a whole number or an integer tensor []: a step of a training, for
            example, so that one that is continued draws the same. Others than `is_drawn` ignore it.

        Raises ValueError where the pictures have different shapes or are too small.
        """
        images, others = (ops.convert_to_tensor(pictures) for pictures in (images, others))
        _check_side(self.name, images, self.least_side)
        return self._compute(images, others, Draws(draw, self._seed))


def make(name: str, config: DistanceConfig | None = None, seed: int = 0) -> Distance:
    """A distance by its name in the table above.

    Args:
      name: see there.
      config: sizes, and the files of weights; None: the defaults.
      seed: of draws, and of random weights.

    Raises UserError for an unknown name, and weights or heads that are missing or of another
    network.
    """
    config = config or DistanceConfig()
    config.validate()
    check_names([name], "metrics")
    if name in _WINDOWED:
        return Distance(name, _windowed(name, config), seed, config.mmd_window)
    if name in ("l1", "l2"):
        return Distance(name, _pixels(ops.abs if name == "l1" else ops.square), seed)
    tapped = _tapped(name, config, seed)
    return _deep(name, tapped, config, seed)


def _check_side(name: str, images: Any, least_side: int) -> None:
    height, width = images.shape[1:3]
    if min(height, width) < least_side:
        raise ValueError(
            f"{name} reads pictures of {least_side} pixels a side at least, not {width}x{height}."
        )


def _pixels(part: Callable) -> Callable:
    def compute(images: Any, others: Any, draws: Draws) -> Any:
        windows.check_alike(images, others)
        return ops.mean(part(images - others), axis=(1, 2, 3))

    return compute


def _windowed(name: str, config: DistanceConfig) -> Callable:
    sizes = {"patch": config.mmd_patch, "window": config.mmd_window, "stride": config.mmd_stride}
    settings = patch_mmd.PatchMMD(**sizes, sigma=config.mmd_sigma, remove_dc=name == "mmd_no_dc")
    if name == "mmd_exact":
        return lambda images, others, draws: patch_mmd.exact(images, others, settings)
    if name == "nngp":
        network = kernels.RandomNetwork(**sizes)
        return lambda images, others, draws: kernels.distance(images, others, network)
    if name == "scnn":
        drawn = scnn.SCNN(**sizes)
        return lambda images, others, draws: scnn.distance(images, others, draws, drawn)
    function = patch_mmd.plus_plus if name == "mmd++" else patch_mmd.random_features
    features = config.mmd_features
    return lambda images, others, draws: function(images, others, draws, settings, features)


def _tapped(name: str, config: DistanceConfig, seed: int) -> taps.Taps:
    """The network and layers of a deep distance."""
    if name.startswith((TAPS, RAW)):
        network, _, layers = name.partition(":")[2].rpartition(":")
        return _make_taps(network, layers.split("+"), config, seed)
    if name.startswith("lpips_"):
        network = name.removeprefix("lpips_")
        return _make_taps(_LPIPS_TAPS[network], deep.LPIPS_LAYERS[network], config, seed)
    if name == "vgg19":
        return _make_taps("vgg19", (), config, seed)
    if name == "squeezenet":
        return _make_taps("squeezenet", deep.LPIPS_LAYERS["squeeze"], config, seed)
    if name == "vgg16_random":  # whose own weights are never used
        return taps.make("vgg16", deep.PAPER_LAYERS, "none", seed)
    return _make_taps("vgg16", deep.PAPER_LAYERS, config, seed)


def _make_taps(network: str, layers: Sequence[str], config: DistanceConfig, seed: int) -> taps.Taps:
    flag = f"{network}_weights"
    weights = getattr(config, flag, "")
    with taps.weights_flag(flag):
        return taps.make(network, layers or _vgg19_layers(weights), weights, seed)


def _vgg19_layers(weights: str) -> list[str]:
    """The layers of `vgg19`: of weights that end between two of them, the last one too."""
    held = vgg.held_layers(19, weights)
    layers = [layer for layer in _VGG19_LAYERS if layer in held]
    complete = len(layers) == len(_VGG19_LAYERS)
    return layers if complete or held[-1:] == layers[-1:] else [*layers, *held[-1:]]


def _deep(name: str, tapped: taps.Taps, config: DistanceConfig, seed: int) -> Distance:
    heads = _heads(name, tapped, config) if name.startswith("lpips_") else None
    raw = name.startswith(RAW)
    compared = deep.DeepDistance(
        tapped, unit=not raw, channel_weights=heads, reduction="sum" if raw else "mean"
    )
    redrawn = name in ("vgg16_random", "vgg16_first")

    def compute(images: Any, others: Any, draws: Draws) -> Any:
        images, others = _coloured(images), _coloured(others)
        if not redrawn:
            return compared(images, others)
        drawn = taps.RedrawnTaps(tapped, draws, keep_first=name == "vgg16_first")
        return deep.DeepDistance(drawn)(images, others)

    least_side = _least_side(tapped)

    def features(images: Any) -> dict[str, Any]:
        _check_side(name, images, least_side)
        return compared.features(_coloured(images))

    return Distance(
        name,
        compute,
        seed,
        least_side=least_side,
        weights=tapped.weights,
        by_features=None if redrawn else ByFeatures(features, compared.compared),
    )


def _coloured(images: Any) -> Any:
    return ops.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images


def _least_side(tapped: taps.Taps) -> int:
    """Pixels a side from which on a network's maps have a place; 1 where that is not known."""
    network = tapped.network
    if isinstance(network, VGG):
        deepest = max(tapped.layers, key=network.layer_names.index)
        return 2 ** (int(deepest.removeprefix("conv").partition("_")[0]) - 1)
    if isinstance(network, SqueezeNet):
        return squeezenet.least_side(network.settings["version"], tapped.layers)
    if isinstance(network, AlexNet):
        return alexnet.smallest_image(network.settings["layout"])
    return 1


def _heads(name: str, tapped: taps.Taps, config: DistanceConfig) -> dict[str, Any]:
    """The heads of LPIPS, of the widths of the layers."""
    path = config.lpips_heads
    if not path:
        raise UserError(f"{name} needs --lpips_heads=FILE, an .npz file of its heads")
    arrays = array_files.read(path, name, flag="lpips_heads")
    try:
        heads = deep.lpips_heads(arrays, name.removeprefix("lpips_"))
    except ValueError as error:
        raise UserError(f"--lpips_heads={path}: {error}") from error
    maps = tapped(ops.zeros((1, _TRIED, _TRIED, 3)))
    for layer, head in heads.items():
        if head.shape != maps[layer].shape[-1:]:
            raise UserError(
                f"{name}: {tapped.weights} has {maps[layer].shape[-1]} maps of {layer}, "
                f"--lpips_heads={path} weighs {list(head.shape)}: LPIPS reads torchvision's "
                "AlexNet and VGG-16, and SqueezeNet 1.1"
            )
    return heads
