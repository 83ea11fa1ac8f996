"""How much of its input one place of a network's last maps sees: arithmetic on its windows.

As `compute_receptive_field_from_graph_def` of TensorFlow 1, which the thesis used (section 3.4):
what norms and attention see, which is everything, does not count.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import keras


class Window(NamedTuple):
    """One layer along the way from the input.

    size: pixels a side that it looks at.
    stride: pixels from place to place; 1/2 for maps that are made twice as large.
    """

    size: int
    stride: float = 1


POOL = Window(2, 2)  # a max pool that halves
REPEATED = Window(1, 0.5)  # the nearest neighbour, twice as large


def of(layer: keras.layers.Layer) -> Window:
    """The window of a convolution, of Keras or of `lorbms_tf.networks.layers`."""
    return Window(_side(layer.kernel_size), _side(getattr(layer, "strides", 1)))


def side(windows: Iterable[Window]) -> float:
    """The side of what the last layer sees, in pixels of the input.

    1 without any layer. Each adds its size less one, in steps as long as all strides before it make
    them.
    """
    field, step = 1.0, 1.0
    for window in windows:
        field += (window.size - 1) * step
        step *= window.stride
    return field


def _side(value: Any) -> int:
    return value[0] if isinstance(value, (tuple, list)) else value
