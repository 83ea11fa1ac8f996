"""The classifier: which quadrants of a mixed image come from a candidate (thesis 3.3, fig. 3.5)."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks import alexnet, receptive_field


class Classifier(keras.Model):
    """Pairs of images to one logit a quadrant: "this quadrant of the mix is the candidate's".

    `mixes` and `candidates`, each `[B, H, W, 3]` in [-1, 1], are concatenated to six channels and
    read by AlexNet; the logits are `[B, 4]`, quadrants row-major, float32 under mixed precision.
    With more `others` these are given in place of candidates, as `[B, H, W, 3 * others]`.
    With the defaults 45,355,044 parameters (table 3.6). In training, batch norm uses the
    statistics of the whole call: the four pairs of a step go through in ONE call of 4B.

    Args:
        image_size: side of the images in pixels, at least 28.
        conv_widths: channels of the five convolutions, even numbers.
        dense_widths: of the two hidden dense layers.
        others: images beside the mix: 1, or 5 for the reference and all candidates (appendix D.3).
        outputs: number of logits.
        seed: of the initial weights; every layer has its own, derived from it.

    Raises:
        ValueError: as `alexnet.AlexNet`.
    """

    def __init__(
        self,
        image_size: int = 64,
        conv_widths: Sequence[int] = (96, 256, 384, 384, 256),
        dense_widths: Sequence[int] = (4096, 4096),
        others: int = 1,
        outputs: int = 4,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        sizes = {
            "image_size": image_size,
            "conv_widths": tuple(conv_widths),
            "dense_widths": tuple(dense_widths),
            "outputs": outputs,
            "seed": seed,
        }
        self.settings = {**sizes, "others": others}
        channels = 3 * (1 + others)
        self.alexnet = alexnet.AlexNet(channels=channels, dtype=self.dtype_policy, **sizes)
        shape = (None, image_size, image_size)
        self.build((*shape, 3), (*shape, 3 * others))

    def build(self, mixes_shape: tuple, candidates_shape: tuple) -> None:
        """Nothing is left to make: AlexNet made its weights in the constructor."""

    def call(self, mixes: Tensor, candidates: Tensor, training: bool | None = None) -> Tensor:
        """Logits `[B, 4]`; with `training`, batch norm uses the batch's own statistics."""
        images = ops.concatenate([mixes, candidates], axis=-1)  # [B, H, W, 6]
        return self.alexnet(images, training=training)  # [B, 4]

    @property
    def windows(self) -> list[receptive_field.Window]:
        """What sees what, from the image to the first dense layer (`receptive_field.side`)."""
        windows = []
        layout = alexnet.LAYOUTS[self.alexnet.settings["layout"]]
        for conv, pool in zip(self.alexnet.convs, layout.pools, strict=True):
            windows.append(receptive_field.of(conv))
            windows += [receptive_field.Window(*pool)] if pool else []
        side = alexnet.trunk_side(self.settings["image_size"])  # of the maps that it reads
        return [*windows, receptive_field.Window(side)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}
