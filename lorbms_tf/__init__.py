"""Learning object representations by mixing scenes (LORBMS), in Keras 3 and TensorFlow.

Importing this package is light: TensorFlow and Keras load with the modules that need them. For
notebooks:

    lorbms_tf.load("pretrained:scenes64")         a trained model (`lorbms_tf.loaded`)
    lorbms_tf.evaluate(run_dir=..., records=...)  its scores, as `python -m lorbms_tf.evaluate`
"""

import importlib

__version__ = "0.1.0"
# Where the names for notebooks lie; "" stands for the module itself, which can be called.
_FRONT = {"load": ("lorbms_tf.loaded", "load"), "evaluate": ("lorbms_tf.evaluate", "")}


def __getattr__(name: str):
    if name not in _FRONT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _FRONT[name]
    loaded = importlib.import_module(module)
    return getattr(loaded, attribute) if attribute else loaded


def __dir__() -> list[str]:
    return sorted([*globals(), *_FRONT])
