"""Spectral normalisation of convolutions (Miyato et al. 2018; thesis, table 3.4).

Written with `keras.ops`. Shapes: B batch, H height, W width, C channels.
"""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor as Tensor
from keras import ops

from lorbms_tf.networks.layers import check_positive, normal_initializer

# Power iterations when a spectral-normalised layer is made, so that its first sigma is near the
# largest singular value instead of far below it.
INITIAL_POWER_ITERATIONS = 5


class SpectralConv2D(keras.layers.Layer):
    """Convolution with a spectral-normalised kernel (Miyato et al. 2018; thesis, table 3.4).

    The variable is the raw kernel W, `[k, k, C, filters]`, which a call never changes. The
    convolution uses W / sigma with sigma = u^T W v, where W is read as a `[filters, k * k * C]`
    matrix and u, v are its leading singular vectors, constants for the gradient (which does
    flow through sigma). `advance` improves u and v by one power iteration; training calls it
    once a step. Both are non-trainable weights and are saved. Sigma and the division are
    computed in float32 under mixed precision. Padding is "same".
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        strides: int = 1,
        use_bias: bool = True,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_positive(filters=filters, kernel_size=kernel_size, strides=strides)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.use_bias = use_bias
        self.seed = seed

    def build(self, input_shape: tuple) -> None:
        shape = (self.kernel_size, self.kernel_size, input_shape[-1], self.filters)
        self.kernel = self.add_weight(
            name="kernel", shape=shape, initializer=normal_initializer(self.seed), autocast=False
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")
        # Another seed than the kernel's, or u would begin as a row of the kernel.
        start = keras.initializers.RandomNormal(stddev=1.0, seed=self.seed ^ 1)
        self.u = self._vector("u", self.filters, start)
        self.v = self._vector("v", int(np.prod(shape[:-1])), "zeros")
        for _ in range(INITIAL_POWER_ITERATIONS):
            self.advance()

    def call(self, inputs: Tensor) -> Tensor:
        kernel = ops.cast(self.normalised_kernel(), self.compute_dtype)
        outputs = ops.conv(inputs, kernel, strides=self.strides, padding="same")
        return outputs if self.bias is None else outputs + self.bias

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        sides = (s if s is None else -(-s // self.strides) for s in input_shape[1:-1])
        return (input_shape[0], *sides, self.filters)

    def sigma(self) -> Tensor:
        """u^T W v: the estimate of the kernel's largest singular value, a float32 scalar."""
        u = ops.stop_gradient(ops.convert_to_tensor(self.u))
        v = ops.stop_gradient(ops.convert_to_tensor(self.v))
        return ops.sum(ops.matmul(v, self._matrix()) * u)

    def normalised_kernel(self) -> Tensor:
        """W / sigma, the kernel that the convolution uses, `[k, k, C, filters]`."""
        sigma = self.sigma()
        # Only an all-zero kernel has sigma 0; it stays zero instead of becoming NaN.
        return self.kernel / ops.where(ops.equal(sigma, 0.0), ops.ones_like(sigma), sigma)

    def advance(self) -> None:
        """Improves u and v by one power iteration on the present kernel."""
        matrix = ops.stop_gradient(self._matrix())
        # As tensors: JAX takes no Keras variable where it is asked to choose between two values.
        former_u, former_v = (ops.convert_to_tensor(vector) for vector in (self.u, self.v))
        v = _unit(ops.matmul(matrix, former_u), otherwise=former_v)
        u = _unit(ops.matmul(v, matrix), otherwise=former_u)
        self.v.assign(v)
        self.u.assign(u)

    def get_config(self) -> dict[str, Any]:
        config = {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "use_bias": self.use_bias,
            "seed": self.seed,
        }
        return {**super().get_config(), **config}

    def _matrix(self) -> Tensor:
        return ops.reshape(self.kernel, (-1, self.filters))  # [k * k * C, filters] = W^T

    def _vector(self, name: str, size: int, initializer: Any) -> keras.Variable:
        # Every replica computes the same vector, so under a distribution strategy any one will do.
        return self.add_weight(
            name=name,
            shape=(size,),
            initializer=initializer,
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
        )


def _unit(vector: Tensor, otherwise: Tensor) -> Tensor:
    """`vector` at length 1; a zero vector has no direction, and leaves things as they were."""
    length = ops.sqrt(ops.sum(ops.square(vector)))
    is_zero = ops.equal(length, 0.0)
    return ops.where(is_zero, otherwise, vector / ops.where(is_zero, 1.0, length))


def advance_spectral_norms(network: keras.Model) -> None:
    """Advances every `SpectralConv2D` within `network` by one power iteration.

    Training calls this once per step and network, not once per call: several calls in a step
    then use one and the same kernel.
    """
    for layer in network._flatten_layers():  # Keras names no public way to the nested layers
        if isinstance(layer, SpectralConv2D):
            layer.advance()
