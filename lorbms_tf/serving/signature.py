"""What a model is served with: a function of named tensors, and an example of its use."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple


class Signature(NamedTuple):
    """One function of a served model, of any batch size.

    function: (tensors in the order of `inputs`) -> tensors [B, ...] by name.
    inputs: its `tf.TensorSpec`s, each with a name and None for the batch size.
    networks: those that it runs; their variables are written.
    examples: (a `numpy.random.Generator`, batch size B) -> arrays or tensors [B, ...] by the names
      of `inputs`, on which the written model is compared with this one.
    example_title: what the command does that `lorbms_tf.export` prints, on zeros: "Decode a code of
      zeros"; "": one that names the signature.
    """

    function: Callable[..., Mapping[str, Any]]
    inputs: Sequence[Any]
    networks: Sequence[Any]
    examples: Callable[[Any, int], Mapping[str, Any]]
    example_title: str = ""
