"""What decoders are made of: convolutions with and without spectral norm (thesis, table 3.4)."""

from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks.spectral_norm import SpectralConv2D
from lorbms_tf.networks.transposed import SpectralConv2DTranspose


def conv(
    filters: int,
    kernel_size: int,
    seed: int,
    dtype: Any,
    spectral_norm: bool = True,
    use_bias: bool = True,
) -> keras.layers.Layer:
    """A convolution of stride 1, spectral-normalised (thesis, table 3.4) or with He's weights."""
    if spectral_norm:
        return SpectralConv2D(filters, kernel_size, use_bias=use_bias, seed=seed, dtype=dtype)
    # No norm brings the maps to size, so the initial weights must: He's keep it through ReLUs.
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=keras.initializers.HeNormal(seed=seed),
        dtype=dtype,
    )


def transposed(
    filters: int, kernel_size: int, seed: int, dtype: Any, spectral_norm: bool, use_bias: bool
) -> keras.layers.Layer:
    """As `conv`, of stride 1/2."""
    if spectral_norm:
        return SpectralConv2DTranspose(
            filters, kernel_size, use_bias=use_bias, seed=seed, dtype=dtype
        )
    return keras.layers.Conv2DTranspose(
        filters,
        kernel_size,
        strides=2,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=keras.initializers.HeNormal(seed=seed),
        dtype=dtype,
    )


def kernel(layer: keras.layers.Layer) -> Tensor:
    """The kernel that a convolution uses: spectral-normalised where it is."""
    normalised = isinstance(layer, SpectralConv2D)
    return layer.normalised_kernel() if normalised else ops.convert_to_tensor(layer.kernel)
