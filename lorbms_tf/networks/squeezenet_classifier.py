"""SqueezeNet in AlexNet's place as the classifier (thesis, appendix D.8)."""

from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks import receptive_field
from lorbms_tf.networks.squeezenet import SqueezeNet


class SqueezeNetClassifier(keras.Model):
    """Images to logits: `[B, H, W, 3]` and `[B, H, W, 3 * others]`, to `[B, outputs]`.

    SqueezeNet 1.0 on all images as channels. As published, the last convolution ends in a ReLU
    before its maps are averaged, so no logit is below 0 and no answer below 0.5: where most
    labels are 0 the loss pushes them all to 0, where the ReLU has no gradient. This is the collapse
    that the thesis saw. `last_relu=False` leaves that ReLU out.

    Args:
        image_size: side of the images in pixels; at least 17.
        others: images beside the mix.
        outputs: number of logits.
        last_relu: see above.
        seed: of the initial weights.

    Raises:
        ValueError: the images are too small.
    """

    def __init__(
        self,
        image_size: int = 64,
        others: int = 1,
        outputs: int = 4,
        last_relu: bool = True,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.settings = {
            "image_size": image_size,
            "others": others,
            "outputs": outputs,
            "last_relu": last_relu,
            "seed": seed,
        }
        if image_size < 17:
            raise ValueError(f"SqueezeNet cannot read images of {image_size} px; at least 17 px.")
        self.squeezenet = SqueezeNet(
            channels=3 * (1 + others),
            classes=outputs,
            last_relu=last_relu,
            seed=seed,
            dtype=self.dtype_policy,
        )
        self.build(None, None)

    def build(self, mixes_shape: tuple, others_shape: tuple) -> None:
        """Nothing is left to make: SqueezeNet made its weights in the constructor."""

    def call(self, mixes: Tensor, others: Tensor, training: bool | None = None) -> Tensor:
        """Logits `[B, outputs]`; `training` changes nothing."""
        logits = self.squeezenet(ops.concatenate([mixes, others], axis=-1))
        return ops.cast(logits, self.variable_dtype)

    @property
    def windows(self) -> list[receptive_field.Window]:
        """What sees what, from the images to the maps that are averaged."""
        return self.squeezenet.windows

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}
