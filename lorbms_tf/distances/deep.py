"""Deep distances: pictures are alike where inner layers of a network are alike.

    Amir and Weiss (2021)          VGG-16 after ReLU at conv1_2, 2_2, 3_3, 4_3, 5_3, maps of unit
                                   length at each place, weights equal; trained, or drawn anew at
                                   each call
    Dosovitskiy and Brox (2016)    one layer, maps as they are, summed
    LPIPS, Zhang et al. (2018)     maps of unit length, a learned weight a channel

Pictures are float [B, H, W, 3] in [-1, 1]; every distance is [B], and 0 for equal pictures.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras import ops

from lorbms_tf.distances import windows

PAPER_LAYERS = ("conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3")  # of VGG-16
# The layers of LPIPS, by network; squeeze is SqueezeNet 1.1.
LPIPS_LAYERS = {
    "vgg": PAPER_LAYERS,
    "squeeze": ("conv1", "fire3", "fire5", "fire6", "fire7", "fire8", "fire9"),
    "alex": ("conv1", "conv2", "conv3", "conv4", "conv5"),
}
_SMALLEST_NORM = 1e-10


class DeepDistance:
    """The sum over layers of the squared distance of their maps.

    Args:
      taps: pictures [N, H, W, 3] -> maps [N, h, w, C] by layer (`lorbms_tf.features.taps.Taps`);
        called once for both pictures, so that a network that is drawn at each call is the same.
      layer_weights: of each layer's part; None: 1 each.
      unit: divide the maps at each place by their length over the channels.
      channel_weights: a weight [C] a channel for each layer (LPIPS's heads); None: 1 each.
      reduction: over the places of a layer, "mean" or "sum".

    Raises ValueError for weights of layers that the taps do not give, and another reduction.
    """

    def __init__(
        self,
        taps: Callable[[Any], Mapping[str, Any]],
        layer_weights: Mapping[str, float] | None = None,
        unit: bool = True,
        channel_weights: Mapping[str, Any] | None = None,
        reduction: str = "mean",
    ):
        if reduction not in ("mean", "sum"):
            raise ValueError(f"Unknown reduction {reduction!r}; valid are mean, sum.")
        for weights in (layer_weights, channel_weights):
            unknown = sorted(set(weights or ()) - set(getattr(taps, "layers", weights or ())))
            if unknown:
                raise ValueError(f"There are weights of {unknown[0]}, which is no layer of {taps}.")
        self._taps, self._layer_weights, self._unit = taps, layer_weights or {}, unit
        self._channel_weights, self._reduction = channel_weights or {}, reduction

    def __call__(self, images: Any, others: Any) -> Any:
        """The distance of each pair: [B]. One picture compares with all of the others.

        Raises ValueError where the pictures have different shapes.
        """
        return sum(self.parts(images, others).values())

    def parts(self, images: Any, others: Any) -> dict[str, Any]:
        """What each layer adds, by its name: [B] each."""
        windows.check_alike(images, others)
        both = ops.concatenate([images, others], axis=0)  # [2 B, H, W, 3]
        count = ops.shape(images)[0]
        features = self.features(both)
        first = {layer: maps[:count] for layer, maps in features.items()}
        return self._parts(first, {layer: maps[count:] for layer, maps in features.items()})

    def features(self, images: Any) -> dict[str, Any]:
        """What is compared of each picture, maps [B, h, w, C] by layer.

        Whoever compares a picture several times looks at it once (`compared`); taps that are drawn
        at each call must be called for both pictures together.
        """
        maps = self._taps(images)
        return {layer: unit_norm(part) for layer, part in maps.items()} if self._unit else maps

    def compared(self, first: Mapping[str, Any], second: Mapping[str, Any]) -> Any:
        """The distance of each pair of pictures by their `features`: [B]."""
        return sum(self._parts(first, second).values())

    def _parts(self, first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
        return {layer: self._part(layer, maps, second[layer]) for layer, maps in first.items()}

    def _part(self, layer: str, first: Any, second: Any) -> Any:
        squared = ops.square(first - second)  # [B, h, w, C]
        if layer in self._channel_weights:
            squared = squared * ops.convert_to_tensor(self._channel_weights[layer])
        by_place = ops.sum(squared, axis=-1)  # [B, h, w]; [B] of a layer without places
        if len(by_place.shape) > 1:
            reduce = ops.mean if self._reduction == "mean" else ops.sum
            by_place = reduce(by_place, axis=(1, 2))
        return self._layer_weights.get(layer, 1.0) * by_place


def unit_norm(maps: Any) -> Any:
    """Maps [B, h, w, C], at each place divided by their length over the channels; zeros stay."""
    squared = ops.sum(ops.square(maps), axis=-1, keepdims=True)  # [B, h, w, 1]
    return maps * ops.rsqrt(ops.maximum(squared, _SMALLEST_NORM**2))


def lpips_heads(arrays: Mapping[str, Any], network: str) -> dict[str, Any]:
    """The channel weights of LPIPS by layer, out of arrays named "vgg/lin0", "vgg/lin1", ...

    Raises ValueError for an unknown network, and where the arrays lack a head.
    """
    if network not in LPIPS_LAYERS:
        raise ValueError(f"LPIPS has no network {network!r}; valid are {', '.join(LPIPS_LAYERS)}.")
    heads = {}
    for number, layer in enumerate(LPIPS_LAYERS[network]):
        name = f"{network}/lin{number}"
        if name not in arrays:
            raise ValueError(f"The heads of LPIPS lack {name}.")
        heads[layer] = arrays[name]
    return heads


def lpips(taps: Callable[[Any], Mapping[str, Any]], heads: Mapping[str, Sequence]) -> DeepDistance:
    """LPIPS of taps that give the layers of the heads (`lpips_heads`)."""
    return DeepDistance(taps, unit=True, channel_weights=heads)
