"""What a trained model serves, as functions of one tensor: those of a run, or of a SavedModel."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.tensorflow_paths import without_signs
from lorbms_tf.training import run_directory


class Function(NamedTuple):
    """A served function of one tensor.

    input: the `tf.TensorSpec` of what it takes.
    call: the tensor -> tensors by name.
    outputs: () -> the specs of what it gives by name; of a run's function they are traced.
    """

    input: Any
    call: Callable[[Any], dict[str, Any]]
    outputs: Callable[[], dict[str, Any]]


def of_run(run_dir: str, checkpoint: str = "latest") -> dict[str, Function]:
    """Those of a run's signatures that take one tensor. UserError where there is no run."""
    model, _ = run_directory.load_model(run_dir, checkpoint)
    return {
        name: _traced(one.function, one.inputs[0])
        for name, one in model.signatures().items()
        if len(one.inputs) == 1
    }


def _traced(function: Callable, spec: Any) -> Function:
    graph = tf.function(function, input_signature=[spec], autograph=False)
    return Function(spec, graph, lambda: graph.get_concrete_function().structured_outputs)


def of_saved_model(folder: str, flag: str) -> dict[str, Function]:
    """Those of a SavedModel's signatures that take one tensor, by name.

    Args:
      folder: of the SavedModel.
      flag: how messages name it, such as "--saved_model=DIR".

    Raises UserError where it cannot be loaded.
    """
    loaded = opened(folder, flag)
    single = {}
    for name, signature in loaded.signatures.items():
        inputs = signature.structured_input_signature[1]
        if len(inputs) == 1:
            single[name] = _loaded(loaded, name, *inputs)
    return single


def opened(folder: str, flag: str) -> Any:
    """A SavedModel. UserError, naming the flag, where it cannot be loaded."""
    try:
        with without_signs(folder) as readable:
            return tf.saved_model.load(readable)
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise UserError(f"{flag} cannot be loaded: {error}") from error


def _loaded(loaded: Any, name: str, key: str) -> Function:
    signature = loaded.signatures[name]

    def call(values: Any) -> dict[str, Any]:
        # Through the loaded model, which holds the variables; the function alone does not.
        return loaded.signatures[name](**{key: values})

    spec = signature.structured_input_signature[1][key]
    return Function(spec, call, lambda: signature.structured_outputs)
