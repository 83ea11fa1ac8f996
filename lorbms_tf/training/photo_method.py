"""What methods that learn from photos have in common. TensorFlow loads with the functions."""

from typing import Any

from lorbms_tf.data.photos_config import PhotosConfig

SOURCE = "photos"  # their `Method.source`


def data(config: PhotosConfig) -> Any:
    """Their `Method.data`. UserError where there are no such photos."""
    from lorbms_tf.training.photo_data import PhotoData

    return PhotoData(config)
