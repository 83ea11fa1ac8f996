"""Photos from disk to square RGB arrays, and the two ranges that pixels live in.

On disk and in records: uint8, 0 to 255, JPEG. In networks: float32 in [-1, 1], `x / 127.5 - 1`.
"""

import io
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from lorbms_tf.data import metadata, rgb
from lorbms_tf.data.picture_kinds import HEAD_BYTES, is_picture, kind_of, refusal, register
from lorbms_tf.data.rgb import UnknownPixels
from lorbms_tf.errors import UserError
from lorbms_tf.files import is_dir, walk

JPEG_QUALITY = 95
# Pillow's warnings are about metadata, which cost nothing here, and about large pictures.
warnings.filterwarnings("ignore", module=r"PIL\.")


class BadImage(Exception):
    """An image that cannot be used: `path` says which (may be empty), `reason` why."""

    def __init__(self, path, reason: str):
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = str(path)
        self.reason = reason

    @property
    def kind(self) -> str:
        """The reason without the details in brackets: one of a few."""
        return self.reason.partition(" (")[0]

    def __reduce__(self):  # both arguments, so that it travels between processes
        return BadImage, (self.path, self.reason)


def left_out(bad: Sequence[BadImage], total: int) -> str:
    """How many of `total` photos could not be used, with the reasons and an example of each.

    bad: of each such photo what was wrong; for none the text is "".
    """
    if not bad:
        return ""
    counts, examples = skipped(bad).values()
    reasons = "; ".join(f"{n} {kind} (as {examples[kind]})" for kind, n in counts.items())
    return f"{len(bad)} of {total} photos cannot be used and are left out: {reasons}"


def skipped(bad: Sequence[BadImage]) -> dict[str, dict]:
    """ "skipped": how often for which reason; "examples": by the reason, the first such path."""
    return {
        "skipped": dict(Counter(error.kind for error in bad)),
        "examples": {error.kind: error.path for error in reversed(bad)},
    }


def list_photos(
    folder: str | os.PathLike, on_error: Callable[[OSError], None] | None = None
) -> list[Path]:
    """As `photos_below`. UserError where the folder is missing, may not be read, or has none."""
    folder = Path(folder)
    if not is_dir(folder):
        raise UserError(f"image folder {folder} does not exist or is not a folder")
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise UserError(f"image folder {folder} cannot be read: {error.strerror}") from error
    photos = photos_below(folder, on_error)
    if not photos:
        raise UserError(f"no images in folder {folder}")
    return photos


def photos_below(folder: Path, on_error: Callable[[OSError], None] | None = None) -> list[Path]:
    """All pictures that `files.walk` finds below a folder, whole or not, sorted by path.

    A picture is what has a usual ending (`picture_kinds.ENDINGS`), and what begins like one.

    on_error: told of each folder that cannot be read; None prints a warning that names it.
    """
    return sorted(path for path in walk(folder, on_error or warn_of_folder) if is_picture(path))


def warn_of_folder(error: OSError) -> None:
    """Says (stderr) that a folder cannot be read, as `files.walk` tells it."""
    print(
        f"warning: folder {error.filename} cannot be read ({error.strerror}): "
        "what it holds is left out",
        file=sys.stderr,
    )


def _decode(source: Path | io.BytesIO, path) -> np.ndarray:
    try:
        return _pixels(source)
    except MemoryError:
        raise  # the machine's fault, not the file's
    except Exception as error:
        # What Pillow raises for broken bytes is of no fixed kind: beside OSError and ValueError
        # TypeError and AttributeError (EXIF), RuntimeError (AVIF), struct.error and others.
        if reason := _plain_reason(error):
            raise BadImage(path, reason) from error
        return _decode_again(source, path, error)


def _plain_reason(error: Exception) -> str:
    """Why a file is of no use, by an error that tells; "" where its metadata may be at fault."""
    if isinstance(error, FileNotFoundError):
        return "missing"
    if isinstance(error, Image.DecompressionBombError):
        return "too many pixels"
    if isinstance(error, UnknownPixels):
        return str(error)
    if isinstance(error, OSError) and error.errno:
        return f"cannot be opened ({error.strerror})"
    return ""


def _decode_again(source: Path | io.BytesIO, path, error: Exception) -> np.ndarray:
    """The pixels of a file that Pillow has refused by `error`: perhaps only its metadata is odd."""
    try:
        encoded = source.getvalue() if isinstance(source, io.BytesIO) else source.read_bytes()
    except OSError as unreadable:
        raise BadImage(path, _plain_reason(unreadable)) from unreadable
    kind = kind_of(encoded[:HEAD_BYTES])
    bare = metadata.without(encoded, kind)
    unknown = isinstance(error, UnidentifiedImageError)
    known_now = unknown and register(kind)
    if known_now or bare != encoded:
        try:
            return _pixels(io.BytesIO(bare))
        except MemoryError:
            raise
        except Exception as second:  # as above
            error = second
    reason = _plain_reason(error) or (refusal(kind) if unknown and not known_now else "")
    raise BadImage(path, reason or _broken(error, kind)) from error


def _broken(error: Exception, kind: str) -> str:
    if isinstance(error, UnidentifiedImageError):
        more = f"corrupt or truncated (or a {kind} that Pillow cannot read)"
        return more if kind else "not an image"
    said = " ".join(str(error).split()) or type(error).__name__
    return f"corrupt or truncated ({said})"


def _pixels(source: Path | io.BytesIO) -> np.ndarray:
    with Image.open(source) as image:
        upright = metadata.turned(rgb.read(source, image), metadata.orientation(image))
        return np.asarray(upright)


def read_photo(path: str | os.PathLike) -> np.ndarray:
    """Decodes an image file to uint8 RGB [H, W, 3].

    The orientation in its metadata is applied, and nothing else of them matters; grey, 16-bit,
    32-bit, palette, CMYK and transparent images are converted (transparency over white); of
    several pictures it is the first. Raises BadImage where the file is missing, empty, truncated,
    corrupt or no image, or where nobody can say how its pixels are to be shown.
    """
    path = Path(path)
    try:
        if path.stat().st_size == 0:
            raise BadImage(path, "empty file")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BadImage(path, "missing") from error
    except OSError as error:  # a locked folder, a name that is too long
        raise BadImage(path, f"cannot be opened ({error.strerror})") from error
    except ValueError as error:  # a zero byte in the name
        raise BadImage(path, "missing") from error
    return _decode(path, path)


def decode_jpeg(encoded: bytes, path="") -> np.ndarray:
    """JPEG bytes -> uint8 RGB [H, W, 3]. Raises BadImage, naming `path`, where they are broken."""
    return _decode(io.BytesIO(encoded), path)


def encode_jpeg(image: np.ndarray, quality: int = JPEG_QUALITY) -> bytes:
    """uint8 RGB [H, W, 3] -> JPEG bytes, full chroma resolution (the images are small)."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


def center_square(image: np.ndarray) -> np.ndarray:
    """The largest central square of an image [H, W, C] -> [S, S, C], S = min(H, W)."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def square_resize(image: np.ndarray, size: int) -> np.ndarray:
    """Square uint8 image [S, S, 3] -> [size, size, 3] by exact area averaging (lorbms: 64).

    Enlarging repeats pixels. Raises ValueError where the image is not square.
    """
    if image.shape[0] != image.shape[1]:
        raise ValueError(f"image of {image.shape[1]}x{image.shape[0]} pixels is not square")
    return squeeze(image, size)


def squeeze(image: np.ndarray, size: int) -> np.ndarray:
    """The whole of a uint8 image [H, W, 3], of any proportions -> [size, size, 3], as above."""
    if image.shape[:2] == (size, size):
        return image
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BOX))


def central(image: np.ndarray, size: int) -> np.ndarray:
    """The central square of uint8 [H, W, 3] -> [size, size, 3]."""
    return square_resize(center_square(image), size)


def to_float(image: np.ndarray) -> np.ndarray:
    """uint8 0..255 -> float32 in [-1, 1], any shape."""
    return np.asarray(image, np.float32) / 127.5 - 1.0


def to_uint8(image) -> np.ndarray:
    """float in [-1, 1] (clipped) -> uint8 0..255, any shape; the inverse of `to_float`."""
    scaled = (np.asarray(image, np.float32) + 1.0) * 127.5
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def read_square(path: str | os.PathLike, image_size: int) -> np.ndarray:
    """As `square`. UserError where it is no photo, or smaller than the model's images."""
    try:
        return square(path, image_size)
    except BadImage as error:
        raise UserError(f"cannot use the photo {path}: {error.reason}") from error


def square(path: str | os.PathLike, image_size: int) -> np.ndarray:
    """A photo's central square, brought to a model's size: float32 [S, S, 3] in [-1, 1].

    Raises BadImage where it is no photo, or smaller than the model's images.
    """
    photo = read_photo(path)
    height, width = photo.shape[:2]
    if min(height, width) < image_size:
        raise BadImage(
            path, f"too small ({width}x{height} pixels; the model needs {image_size} a side)"
        )
    return to_float(central(photo, image_size))


def tf_decode(encoded, image_size: int):
    """In a graph: scalar string tensor of a JPEG -> uint8 [image_size, image_size, 3].

    An image of another size is an InvalidArgumentError at run time, as is a broken JPEG.
    """
    import tensorflow as tf  # kept out of the tools that only need Pillow

    # The accurate DCT gives the values that Pillow gives.
    pixels = tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")
    return tf.ensure_shape(pixels, (image_size, image_size, 3))


def tf_to_float(pixels):
    """In a graph: uint8 pixels of any shape -> float32 in [-1, 1], the values of `to_float`."""
    import tensorflow as tf

    return tf.cast(pixels, tf.float32) / 127.5 - 1.0
