"""AlexNet with batch norm and two groups (thesis 3.6 and 4.3; Krizhevsky et al. 2012).

The trunk and head of the classifier, a feature network for quadrants, and what probes compare with.
"""

from typing import NamedTuple

import keras
from keras import ops

from lorbms_tf.networks import layers
from lorbms_tf.networks.response_norm import response_normalised
from lorbms_tf.networks.stages import picked


class Layout(NamedTuple):
    """Geometry of the five convolutions.

    convs: kernel size, stride, padding (or pixels of black border) and groups of each.
    pools: window and stride of the valid max pool after each, or None.
    lrn: whether local response normalisation follows the first two pools.
    """

    convs: tuple
    pools: tuple
    lrn: bool = False


_LATER = ((5, 1, "same", 2), (3, 1, "same", 1), (3, 1, "same", 2), (3, 1, "same", 2))
LAYOUTS = {
    # For 64 px, the classifier's.
    "small": Layout(((8, 2, "valid", 1), *_LATER), ((3, 2), (3, 2), None, None, (2, 1))),
    # As published for 224 px; conv5 has 4x4 maps at 96 px (table 4.3).
    "standard": Layout(((11, 4, "valid", 1), *_LATER), ((3, 2), (3, 2), None, None, (3, 2))),
    # torchvision's: one group, after Krizhevsky (2014), "One weird trick".
    "torchvision": Layout(
        ((11, 4, 2, 1), (5, 1, "same", 1), *[(3, 1, "same", 1)] * 3),
        ((3, 2), (3, 2), None, None, (3, 2)),
    ),
    # Caffe's, for 227 px: two groups as Krizhevsky et al. have them, normalised after the pools.
    "caffenet": Layout(
        ((11, 4, "valid", 1), *_LATER), ((3, 2), (3, 2), None, None, (3, 2)), lrn=True
    ),
}
TORCHVISION_WIDTHS = (64, 192, 384, 256, 256)
NUM_CONVS = len(_LATER) + 1
FEATURE_LAYERS = ("conv5", "fc7")
POOL, DENSE = "pool5", ("fc6", "fc7", "fc8")  # layers behind the fifth convolution
_NAMES_ALL = ("caffenet", "torchvision")  # layouts whose layers behind it have names


def trunk_side(image_size, layout="small"):
    """Side of the maps after the last pool: 5 for 64 px, 1 for 32 px, 0 or less if too small."""
    side, geometry = image_size, LAYOUTS[layout]
    for (kernel, stride, padding, _), pool in zip(geometry.convs, geometry.pools, strict=True):
        if padding != "same":
            side = (side + 2 * _border(padding) - kernel) // stride + 1
        if pool:
            side = (side - pool[0]) // pool[1] + 1
    return side


def smallest_image(layout="small"):
    """The smallest side of images that the network can read, pixels: 28, 67 or 63."""
    return next(size for size in range(1, 1000) if trunk_side(size, layout) >= 1)


def dense_count(names):
    """How many dense layers a network needs that is to have the named ones: 0 to 3."""
    return max((DENSE.index(name) + 1 for name in names if name in DENSE), default=0)


class AlexNet(keras.Model):
    """Images to logits: `[B, H, W, channels]` in [-1, 1] to `[B, outputs]`.

    Five convolutions, each with ReLU and then batch norm (momentum 0.99, epsilon 1e-5), the second,
    fourth and fifth in two groups; max pools after the first, second and fifth; dense layers with
    ReLU; no dropout. Logits are float32 under mixed precision.

    Args:
        image_size: side of the images in pixels, at least `smallest_image`; dense layers fix it.
        channels: of the input.
        conv_widths: channels of the five convolutions, even numbers.
        dense_widths: of the hidden dense layers; may be empty.
        outputs: number of logits; 0: only `features` and `maps` remain.
        seed: of the initial weights; every layer has its own, derived from it.
        batch_norm: whether batch norm follows each convolution.
        layout: geometry, a name of `LAYOUTS`.

    Raises:
        ValueError: the images are too small, there are not five even conv_widths, a size is not
            positive, or the layout is unknown.
    """

    layer_names = [f"conv{number}" for number in range(1, NUM_CONVS + 1)]

    def __init__(
        self,
        image_size=64,
        channels=6,
        conv_widths=(96, 256, 384, 384, 256),
        dense_widths=(4096, 4096),
        outputs=4,
        seed=0,
        batch_norm=True,
        layout="small",
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check(image_size, channels, conv_widths, dense_widths, layout)
        self.settings = {
            "image_size": image_size,
            "channels": channels,
            "conv_widths": tuple(conv_widths),
            "dense_widths": tuple(dense_widths),
            "outputs": outputs,
            "seed": seed,
            "batch_norm": batch_norm,
            "layout": layout,
        }
        seeds = layers.layer_seeds("alexnet", seed)
        self.convs = []
        self.norms = []
        for width, geometry in zip(conv_widths, LAYOUTS[layout].convs, strict=True):
            self.convs.append(self._conv(width, geometry, next(seeds)))
            if batch_norm:
                self.norms.append(
                    keras.layers.BatchNormalization(
                        momentum=0.99, epsilon=1e-5, dtype=self.dtype_policy
                    )
                )
        self.hidden = [self._dense(width, "relu", next(seeds)) for width in dense_widths]
        self.head = self._dense(outputs, None, next(seeds)) if outputs else None
        if layout in _NAMES_ALL:
            self.layer_names = [*AlexNet.layer_names, POOL, *self._dense_names()]
        self.build((None, image_size, image_size, channels))

    def build(self, input_shape):
        width = input_shape[-1]
        for index, conv in enumerate(self.convs):
            conv.build((None, None, None, width))
            width = conv.filters
            if self.norms:
                self.norms[index].build((None, None, None, width))
        width *= trunk_side(self.settings["image_size"], self.settings["layout"]) ** 2
        layers.build_dense([*self.hidden, *([self.head] if self.head else [])], width)

    def call(self, images, training=None):
        """Logits `[B, outputs]`; with `training`, batch norm uses the batch's own statistics.

        Raises:
            ValueError: the network was made without outputs, or the images have another size.
        """
        if self.head is None:
            raise ValueError("This AlexNet was made with outputs=0: it has features, no logits.")
        logits = self.head(self._penultimate(images, training))  # [B, outputs]
        return ops.cast(logits, self.variable_dtype)

    def features(self, images, layer="conv5", training=False):
        """Features of images for comparing them, flattened to `[B, D]`.

        Args:
            images: `[B, H, W, channels]` in [-1, 1].
            layer: "conv5", the maps after the last pool, as the dense layers read them (any image
                that is large enough); or "fc7", the last hidden dense layer.
            training: whether batch norm uses the batch's own statistics.

        Raises:
            ValueError: the layer is unknown, or was left out of this network.
        """
        if layer not in FEATURE_LAYERS:
            raise ValueError(f"Unknown layer {layer!r}; valid are {', '.join(FEATURE_LAYERS)}.")
        if layer == "conv5":
            features = self._flat(self._trunk(images, training))
        elif self.hidden:
            features = self._penultimate(images, training)
        else:
            raise ValueError("This AlexNet was made without hidden dense layers: it has no fc7.")
        return ops.cast(features, self.variable_dtype)

    def maps(self, images, number=5, training=False):
        """Maps of the convolution `number`, 1 to 5, before a pool after it: `[B, h, w, C]`."""
        name = f"conv{number}"
        return self.layer_maps(images, (name,), training)[name]

    def layer_maps(self, images, names, training=False):
        """The maps `[B, h, w, C]` of named convolutions, after ReLU and batch norm, before a pool.

        In the layouts "caffenet" and "torchvision" also "pool5", and "fc6", "fc7" (after ReLU) and
        "fc8" (logits), `[B, D]`, where the network has them.

        Raises ValueError for a layer that there is not.
        """
        return picked(self._stages(images, training), names, self.layer_names)

    def weighted_layers(self):
        """All convolutions and dense layers in their order, as (name, layer)."""
        dense = [*self.hidden, *([self.head] if self.head else [])]
        names = [*AlexNet.layer_names, *self._dense_names()]
        return list(zip(names, [*self.convs, *dense], strict=True))

    def _dense_names(self):
        return (*DENSE[: len(self.hidden)], *(DENSE[-1:] if self.head else ()))

    def _stages(self, images, training):
        layout = LAYOUTS[self.settings["layout"]]
        maps, pools = images, layout.pools
        for index, name in enumerate(AlexNet.layer_names):
            if index and pools[index - 1]:
                maps = _pool(maps, pools[index - 1])
                maps = response_normalised(maps) if layout.lrn else maps
            border = (_border(layout.convs[index][2]),) * 2
            if any(border):
                maps = ops.pad(maps, ((0, 0), border, border, (0, 0)))
            maps = ops.relu(self.convs[index](maps))
            if self.norms:
                maps = self.norms[index](maps, training=training)
            yield name, maps
        maps = _pool(maps, pools[-1])
        yield POOL, maps
        self._check_side(images)
        hidden = self._flat(maps)
        for index, dense in enumerate(self.hidden):
            hidden = dense(hidden)
            yield DENSE[index], hidden
        if self.head is not None:
            yield DENSE[-1], self.head(hidden)

    def get_config(self):
        return {**super().get_config(), **self.settings}

    def _trunk(self, images, training):
        pool = LAYOUTS[self.settings["layout"]].pools[-1]
        return _pool(self.maps(images, training=training), pool)  # [B, 5, 5, 256] for 64 px

    def _penultimate(self, images, training):
        self._check_side(images)
        hidden = self._flat(self._trunk(images, training))
        for dense in self.hidden:
            hidden = dense(hidden)  # [B, dense_width]
        return hidden

    def _check_side(self, images):
        size = self.settings["image_size"]
        if tuple(images.shape[1:3]) != (size, size):
            raise ValueError(
                f"The dense layers of this AlexNet read images of {size}x{size} px, not "
                f"{images.shape[1]}x{images.shape[2]}."
            )

    def _flat(self, maps):
        _, height, width, channels = maps.shape
        return ops.reshape(maps, (-1, height * width * channels))  # [B, D]

    def _conv(self, filters, geometry, seed):
        kernel_size, strides, padding, groups = geometry
        if groups > 1:
            return layers.GroupedConv2D(
                filters, kernel_size, groups, seed=seed, dtype=self.dtype_policy
            )
        return keras.layers.Conv2D(
            filters,
            kernel_size,
            strides=strides,
            padding=padding if padding in ("same", "valid") else "valid",
            kernel_initializer=keras.initializers.GlorotUniform(seed=seed),
            dtype=self.dtype_policy,
        )

    def _dense(self, units, activation, seed):
        return keras.layers.Dense(
            units,
            activation=activation,
            kernel_initializer=layers.normal_initializer(seed),
            dtype=self.dtype_policy,
        )


def _border(padding):
    """Pixels that a layout puts around the maps itself."""
    return padding if isinstance(padding, int) else 0


def _pool(maps, pool):
    return ops.max_pool(maps, pool[0], strides=pool[1], padding="valid")


def _check(image_size, channels, conv_widths, dense_widths, layout):
    layers.check_positive(channels=channels, conv_widths=conv_widths, dense_widths=dense_widths)
    if layout not in LAYOUTS:
        raise ValueError(f"Unknown layout {layout!r}; valid are {', '.join(LAYOUTS)}.")
    smallest = smallest_image(layout)
    if image_size < smallest:
        raise ValueError(
            f"AlexNet cannot read images of {image_size} px; the smallest are {smallest} px."
        )
    if len(conv_widths) != NUM_CONVS or any(width % 2 for width in conv_widths):
        raise ValueError(
            f"conv_widths must be {NUM_CONVS} even numbers (three of the convolutions work in two "
            f"groups), not {tuple(conv_widths)}."
        )
