"""What one has to know to use a network of `keras.applications` by its name."""

import inspect
from collections.abc import Callable

import keras

# Published for other images than those of 224 px.
_SIZES = {
    "Xception": 299,
    "InceptionV3": 299,
    "InceptionResNetV2": 299,
    "NASNetLarge": 331,
    "EfficientNetB1": 240,
    "EfficientNetB2": 260,
    "EfficientNetB3": 300,
    "EfficientNetB4": 380,
    "EfficientNetB5": 456,
    "EfficientNetB6": 528,
    "EfficientNetB7": 600,
    "EfficientNetV2B1": 240,
    "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300,
    "EfficientNetV2S": 384,
    "EfficientNetV2M": 480,
    "EfficientNetV2L": 480,
}


def names() -> list[str]:
    """The networks of keras.applications, such as "ResNet50"."""
    members = vars(keras.applications).items()
    return sorted(name for name, member in members if inspect.isfunction(member))


def published_size(name: str) -> int:
    """Side of the images that a network was published for, pixels."""
    return _SIZES.get(name, 224)


def constructor(name: str) -> Callable:
    """The function of keras.applications that makes the network."""
    return getattr(keras.applications, name)


def preprocessing(name: str) -> Callable:
    """What the network's family does to RGB pixels of 0 to 255 (some do it inside)."""
    return inspect.getmodule(constructor(name)).preprocess_input
