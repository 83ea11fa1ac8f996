"""Headers of pictures, looked at before anybody decodes them: a small file may be huge inside."""

import io
import warnings

from PIL import Image

from lorbms_tf.serving.rest.tensors import BadRequest


def check(name: str, number: int, data: bytes, max_pixels: int) -> None:
    """Raises BadRequest for bytes that are no picture, or one of more than `max_pixels` pixels,
    all frames of a GIF together.

    Args:
      name: the input that they stand in.
      number: their place in it.
    """
    where = f"the input {name!r}, picture {number}"
    if not data:
        raise BadRequest(f"{where}: no bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                width, height = image.size
                # TensorFlow decodes every frame of a GIF to give the first.
                frames = image.n_frames if image.format == "GIF" else 1
    except Image.DecompressionBombError as error:
        raise BadRequest(f"{where}: too many pixels", 413) from error
    except Exception as error:  # Pillow raises errors of many kinds for broken bytes
        raise BadRequest(f"{where}: no picture") from error
    if width * height * frames > max_pixels:
        times = f" in each of {frames} frames" if frames > 1 else ""
        raise BadRequest(
            f"{where}: {width}x{height} pixels{times} are more than the {max_pixels} that are "
            "allowed",
            413,
        )
