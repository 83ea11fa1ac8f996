"""Transposed convolution: what the thesis compares resize convolutions with (figure 3.9)."""

from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks.spectral_norm import SpectralConv2D


class SpectralConv2DTranspose(SpectralConv2D):
    """Twice as large maps by a spectral-normalised kernel: `[B, H, W, C] -> [B, 2H, 2W, filters]`.

    The kernel is kept, and its sigma taken, as that of a convolution: `[k, k, C, filters]`.
    """

    def call(self, inputs: Tensor) -> Tensor:
        kernel = ops.cast(self.normalised_kernel(), self.compute_dtype)
        kernel = ops.transpose(kernel, (0, 1, 3, 2))  # [k, k, filters, C]
        outputs = ops.conv_transpose(inputs, kernel, strides=2, padding="same")
        return outputs if self.bias is None else outputs + self.bias

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        sides = (side if side is None else 2 * side for side in input_shape[1:-1])
        return (input_shape[0], *sides, self.filters)
