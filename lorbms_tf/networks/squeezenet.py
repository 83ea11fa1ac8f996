"""SqueezeNet 1.0 and 1.1 (Iandola et al., 2016): a small ImageNet network for perceptual losses."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from lorbms_tf.networks import layers, receptive_field
from lorbms_tf.networks.stages import picked


class Layout(NamedTuple):
    """What differs between the versions.

    stem: maps and kernel size of the first convolution, of stride 2.
    pooled: the layers after which a 3x3 max pool of stride 2 follows.
    """

    stem: tuple[int, int]
    pooled: tuple[str, ...]


LAYOUTS = {
    "1.0": Layout((96, 7), ("conv1", "fire4", "fire8")),
    "1.1": Layout((64, 3), ("conv1", "fire3", "fire5")),
}
# Squeezed maps, and maps of each of the two expansions, of fire2 to fire9.
FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
NUM_CLASSES = 1000


class Fire(keras.layers.Layer):
    """A fire module: `[B, h, w, C] -> [B, h, w, 2 * expanded]`.

    A 1x1 convolution squeezes the maps, a 1x1 and a 3x3 one expand them, side by side; ReLU after
    each.

    Args:
        squeezed: maps of the first.
        expanded: maps of each of the others.
        seeds: an iterator of seeds; three are taken.
    """

    def __init__(self, squeezed: int, expanded: int, seeds: Iterator[int], **kwargs: Any):
        super().__init__(**kwargs)
        self.squeeze1x1 = _conv(squeezed, 1, next(seeds), self.dtype_policy)
        self.expand1x1 = _conv(expanded, 1, next(seeds), self.dtype_policy)
        self.expand3x3 = _conv(expanded, 3, next(seeds), self.dtype_policy)

    def build(self, input_shape: tuple) -> None:
        self.squeeze1x1.build(input_shape)
        squeezed = (*input_shape[:-1], self.squeeze1x1.filters)
        self.expand1x1.build(squeezed)
        self.expand3x3.build(squeezed)

    def call(self, maps: Any) -> Any:
        squeezed = self.squeeze1x1(maps)
        return ops.concatenate([self.expand1x1(squeezed), self.expand3x3(squeezed)], axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], 2 * self.expand1x1.filters)


class SqueezeNet(keras.Model):
    """Prepared images `[B, H, W, channels]` to class logits `[B, classes]`.

    What "prepared" means is the business of the weights (`lorbms_tf.features.squeezenet`).

    Args:
        version: "1.0" or "1.1".
        channels: of the images.
        classes: number of logits.
        last_relu: whether conv10 ends in a ReLU, as published.
        seed: of the initial weights (He normal, bias 0); every layer has its own.

    Raises:
        ValueError: the version is unknown.
    """

    layer_names = ["conv1", *(f"fire{number}" for number in range(2, 10)), "conv10"]

    def __init__(
        self,
        version: str = "1.0",
        channels: int = 3,
        classes: int = NUM_CLASSES,
        last_relu: bool = True,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if version not in LAYOUTS:
            raise ValueError(f"Unknown SqueezeNet {version!r}; valid are {', '.join(LAYOUTS)}.")
        self.settings = {
            "version": version,
            "channels": channels,
            "classes": classes,
            "last_relu": last_relu,
            "seed": seed,
        }
        seeds = layers.layer_seeds("squeezenet", seed)
        dtype = self.dtype_policy
        width, kernel_size = LAYOUTS[version].stem
        self.conv1 = _conv(width, kernel_size, next(seeds), dtype, strides=2, padding="valid")
        self.fires = [Fire(*sizes, seeds, dtype=dtype) for sizes in FIRES]
        activation = "relu" if last_relu else None
        self.conv10 = _conv(classes, 1, next(seeds), dtype, activation=activation)
        self.build((None, None, None, channels))

    def build(self, input_shape: tuple) -> None:
        self.conv1.build(input_shape)
        shape = (None, None, None, self.conv1.filters)
        for fire in self.fires:
            fire.build(shape)
            shape = fire.compute_output_shape(shape)
        self.conv10.build(shape)

    def call(self, images: Any, training: bool | None = None) -> Any:
        """Logits: the maps of conv10 averaged over all places; `training` changes nothing."""
        return ops.mean(self.layer_maps(images, ("conv10",))["conv10"], axis=(1, 2))  # [B, classes]

    def layer_maps(self, images: Any, names: Sequence[str], training: bool = False) -> dict:
        """The maps `[B, h, w, C]` of named layers (`layer_names`), after ReLU, before a pool.

        Raises ValueError for a layer that there is not.
        """
        return picked(self._stages(images), names, self.layer_names)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}

    @property
    def windows(self) -> list[receptive_field.Window]:
        """What sees what, from the images to the maps of conv10 (`receptive_field.side`)."""
        pooled = LAYOUTS[self.settings["version"]].pooled
        widest = [self.conv1, *(fire.expand3x3 for fire in self.fires), self.conv10]
        windows = []
        for name, conv in zip(self.layer_names, widest, strict=True):
            windows.append(receptive_field.of(conv))
            windows += [receptive_field.Window(3, 2)] if name in pooled else []
        return windows

    def _stages(self, images: Any) -> Iterator[tuple[str, Any]]:
        pooled = LAYOUTS[self.settings["version"]].pooled
        maps = images
        modules = [self.conv1, *self.fires, self.conv10]
        for name, module in zip(self.layer_names, modules, strict=True):
            maps = module(maps)
            yield name, maps
            if name in pooled:
                maps = overhanging_pool(maps)


def least_side(version: str, names: Sequence[str]) -> int:
    """Pixels a side from which on all maps of named layers have a place."""
    kernel_size = LAYOUTS[version].stem[1]
    deepest = max(map(SqueezeNet.layer_names.index, names))
    pools = sum(SqueezeNet.layer_names.index(name) < deepest for name in LAYOUTS[version].pooled)
    side = 2**pools  # the last window of a pool may hang over: n places of 2 n
    return 2 * (side - 1) + kernel_size


def overhanging_pool(maps: Any) -> Any:
    """3x3 max pool of stride 2; the last window may hang over the border, as Caffe's does."""
    over = [(-(side - 3) % 2) for side in maps.shape[1:3]]
    # All maps are 0 or more, after ReLU: zeros at the border never win against a pixel.
    maps = ops.pad(maps, ((0, 0), (0, over[0]), (0, over[1]), (0, 0)))
    return ops.max_pool(maps, 3, strides=2, padding="valid")


def _conv(
    filters: int,
    size: int,
    seed: int,
    dtype: Any,
    strides: int = 1,
    padding: str = "same",
    activation: str | None = "relu",
) -> keras.layers.Layer:
    return keras.layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding=padding,
        activation=activation,
        kernel_initializer=keras.initializers.HeNormal(seed=seed),
        dtype=dtype,
    )
