"""Equal forms of two parts of the networks that cost less than the tables' literal form.

Both take kernels and give maps, equal to the plain form within rounding, with equal gradients;
the variables stay those of the tables. When each is worth it was measured on CPU cores with
oneDNN: they save arithmetic or copies on large maps, and cost copies of kernels on small ones.
Shapes: B batch, H height, W width, C channels, NHWC.
"""

from collections.abc import Callable, Sequence

import keras
from keras import KerasTensor as Tensor
from keras import ops

# Sides in pixels from which the saved work outweighs the kernels that must be put together.
LEAST_UPSAMPLED_SIDE = 8
LEAST_SPLIT_SIDE = 16


def upsampled_conv(maps: Tensor, kernel: Tensor) -> Tensor:
    """Nearest neighbour x2, then a "same" 3x3 convolution: `[B, H, W, C] -> [B, 2H, 2W, filters]`.

    Among the 3x3 pixels under the kernel only 2x2 differ after the repetition. Kernel entries that
    fall on the same pixel are added up first; what remains is a transposed convolution of stride
    2 with a 4x4 kernel, 4/9 of the multiplications.

    Args:
        maps: `[B, H, W, C]`.
        kernel: `[3, 3, C, filters]`.
    """
    folded = _fold(_fold(kernel, axis=0), axis=1)  # [4, 4, C, filters]
    transposed = ops.transpose(folded, (0, 1, 3, 2))  # [4, 4, filters, C]
    return ops.conv_transpose(maps, ops.cast(transposed, maps.dtype), strides=2, padding="same")


def _fold(kernel: Tensor, axis: int) -> Tensor:
    """Length 3 to 4 along `axis`: what pixel i adds to pixels 2i - 1 to 2i + 2 of the result."""
    first, middle, last = ops.split(kernel, 3, axis=axis)
    return ops.concatenate([last, middle + last, first + middle, first], axis=axis)


def folds_upsampling(maps: Tensor) -> bool:
    """Whether `upsampled_conv` pays for these maps: large ones, in float32 (not with AMX)."""
    return _is_wide(maps, LEAST_UPSAMPLED_SIDE)


def splits_dense_block(maps: Tensor) -> bool:
    """Whether `dense_block` pays for these maps."""
    return _is_wide(maps, LEAST_SPLIT_SIDE)


def _is_wide(maps: Tensor, least: int) -> bool:
    if keras.backend.standardize_dtype(maps.dtype) != "float32":
        return False
    return all(side is not None and side >= least for side in maps.shape[1:3])


def dense_block(
    maps: Tensor,
    kernels: Sequence[Tensor],
    biases: Sequence[Tensor],
    activate: Callable[[Tensor], Tensor],
) -> list[Tensor]:
    """The new maps of a dense block, without the growing stack: a list of `[B, H, W, growth]`.

    Layer l convolves the concatenation of `maps` and `activate(new)` of all layers before it. A
    convolution of a concatenation is the sum of those of its parts, so the part of `maps`, which
    every layer reads, is computed for all layers by one wide convolution.

    Args:
        maps: `[B, H, W, C]`, activated already.
        kernels: of the layers, `[k, k, C + l * growth, growth]` each.
        biases: of the layers, `[growth]` each.
        activate: from new maps to what the later layers read.

    Returns:
        Two lists: the layers' outputs before `activate`, and after.
    """
    width = maps.shape[-1]
    shared = ops.concatenate([kernel[:, :, :width] for kernel in kernels], axis=-1)
    bias = ops.concatenate(biases, axis=-1)
    parts = ops.conv(maps, ops.cast(shared, maps.dtype), padding="same") + bias
    parts = ops.split(parts, len(kernels), axis=-1)  # layers x [B, H, W, growth]
    new, active = [], []
    for part, kernel in zip(parts, kernels, strict=True):
        if active:
            stack = active[0] if len(active) == 1 else ops.concatenate(active, axis=-1)
            own = ops.cast(kernel[:, :, width:], maps.dtype)
            part = part + ops.conv(stack, own, padding="same")
        new.append(part)
        active.append(activate(part))
    return new, active
