"""The kernel of infinitely wide random networks, and the patch MMD under it.

A network of random ReLU layers compares two inputs, as its width grows, by the arc-cosine kernel of
their angle (Cho and Saul, 2009; the NNGP kernel). Pooled over windows it is the limit of Amir and
Weiss's S-CNN: "the infinite random S-CNN in closed form" (supplement).
"""

import math
from typing import Any, NamedTuple

from keras import ops

from lorbms_tf.distances import windows

_NEAR_ONE = 1.0 - 1e-7  # at exactly 1 the arc cosine has no gradient
_SMALLEST = 1e-6  # a patch shorter than this has no direction


class RandomNetwork(NamedTuple):
    """What the kernel's network is: the defaults are the paper's S-CNN.

    depth: ReLU layers; a 3x3 convolution and six 1x1 convolutions make 7.
    patch: pixels a side of what the first convolution reads.
    window: pixels a side of the windows that the maps are averaged over.
    stride: pixels from window to window.
    remove_dc: subtract from each patch its mean in each colour.
    """

    depth: int = 7
    patch: int = 3
    window: int = 32
    stride: int = 16
    remove_dc: bool = False


PAPER = RandomNetwork()


def arc_cosine(cosines: Any, depth: int) -> Any:
    """The normalised kernel of `depth` random ReLU layers of two inputs with these cosines.

    c <- (sin t + (pi - t) cos t) / pi with t = arccos c, `depth` times. 1 stays 1 (within 1e-6);
    0 becomes 0.3183, 0.4937, 0.6048. Any shape; raises ValueError for a negative depth.
    """
    if depth < 0:
        raise ValueError(f"A network has 0 or more layers, not {depth}.")
    for _ in range(depth):
        cosines = ops.clip(cosines, -_NEAR_ONE, _NEAR_ONE)
        angle = ops.arccos(cosines)
        sine = ops.sqrt((1.0 - cosines) * (1.0 + cosines))
        cosines = (sine + (math.pi - angle) * cosines) / math.pi
    return cosines


def nngp(first: Any, second: Any, depth: int) -> Any:
    """`arc_cosine` of all pairs of two sets of vectors: [..., n, D], [..., m, D] -> [..., n, m].

    Vectors count by their direction; one without any has the kernel 0 with all.
    """
    cosines = ops.matmul(_unit(first), ops.swapaxes(_unit(second), -1, -2))
    present = _present(first)[..., :, None] * _present(second)[..., None, :]
    return arc_cosine(cosines, depth) * present


def distance(images: Any, others: Any, network: RandomNetwork = PAPER) -> Any:
    """The mean over windows of the squared MMD under the kernel: [B], for pictures [B, H, W, 3].

    K(X, X) - 2 K(X, Y) + K(Y, Y), K the mean over all pairs of patches of two windows: what the
    random network's pooled maps differ by, squared, scaled so that a patch's maps have length 1.

    Raises ValueError where the pictures have different shapes or are smaller than a window.
    """
    windows.check_alike(images, others)
    windows.check(images, network.patch, network.window, network.stride)

    def of(pictures: Any) -> Any:
        vectors = windows.patches(pictures, network.patch, network.remove_dc)
        return windows.sets(vectors, network.window, network.stride)

    def kernel(first: Any, second: Any) -> Any:
        return nngp(first, second, network.depth)

    found = windows.mmd_of_sets(of(images), of(others), kernel)  # [B * N]
    return ops.mean(ops.reshape(found, (ops.shape(images)[0], -1)), axis=1)


def _unit(vectors: Any) -> Any:
    squared = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * ops.rsqrt(ops.maximum(squared, _SMALLEST**2))


def _present(vectors: Any) -> Any:
    squared = ops.sum(ops.square(vectors), axis=-1)
    return ops.cast(squared > _SMALLEST**2, vectors.dtype)
