"""`--features=saved_model:DIR`: features by any TensorFlow SavedModel that takes one image.

Options follow the folder: `saved_model:DIR,signature=encode,output=codes,range=0:1`.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.files import is_file, sha256_file
from lorbms_tf.tensorflow_paths import without_signs

RANGES = {"-1:1": (-1.0, 1.0), "0:1": (0.0, 1.0), "0:255": (0.0, 255.0)}
OPTIONS = ("signature", "output", "range")


@dataclass(frozen=True)
class Source:
    """What the text after "saved_model:" says."""

    folder: Path
    signature: str = ""  # "": the one that takes an image
    output: str = ""  # "": the only one
    range: str = ""  # "": by the type of the input, 0:255 for integers, -1:1 for floats


def parse(name: str) -> Source:
    """Reads "saved_model:DIR,option=value,...". Raises UserError for an unknown option or value.

    Commas belong to DIR as far as there is such a folder.
    """
    folder, *words = name.partition(":")[2].split(",")
    for end in range(len(words), 0, -1):
        longer = ",".join([folder, *words[:end]])
        if Path(longer).is_dir():
            folder, words = longer, words[end:]
            break
    options = {}
    for word in words:
        option, equals, value = word.partition("=")
        if option not in OPTIONS or not equals or not value:
            raise UserError(
                f"--features={name}: {word!r} is no option; valid: "
                + ", ".join(f"{option}=..." for option in OPTIONS)
            )
        options[option] = value
    if options.get("range", "-1:1") not in RANGES:
        raise UserError(
            f"--features={name}: range={options['range']} is not valid; valid values: "
            + ", ".join(RANGES)
        )
    return Source(Path(folder), **options)


def check(name: str) -> None:
    """Raises UserError where the text is malformed or there is no SavedModel."""
    folder = parse(name).folder
    if not any(is_file(folder / file) for file in ("saved_model.pb", "saved_model.pbtxt")):
        raise UserError(f"--features={name}: {folder} holds no SavedModel (saved_model.pb)")


class ImageSignature:
    """A function from images [B, S, S, 3] in [-1, 1] to features float32 [B, D], flattened.

    The signature takes one tensor, images [B, H, W, 3] with any B, as integers of 0 to 255 or as
    floats of -1 to 1; `range` names another range of floats. `serving_default` is taken if it is
    such a one, else the only one that is.

    Attributes:
      side: the S that it takes; None for any.
      weights_hash: SHA-256 over all files of the model.

    Raises UserError where that leaves none or several, or it is not said which of several outputs
    to take.
    """

    def __init__(self, name: str, batch: int = 0):
        """`name`: as above; `batch`: a fixed B that will do as well as any."""
        check(name)
        source = parse(name)
        try:
            with without_signs(source.folder) as readable:
                self._loaded = tf.saved_model.load(readable)
        except (OSError, ValueError, tf.errors.OpError) as error:
            raise UserError(f"--features={name}: cannot be loaded: {error}") from error
        self._name = name
        self._signature, self._keyword, spec = _signature(name, source, self._loaded, batch)
        self._output = _output(name, source, self._loaded.signatures[self._signature])
        self._range = RANGES[source.range or ("0:255" if spec.dtype.is_integer else "-1:1")]
        self._type = spec.dtype
        self.side = spec.shape[1]
        self.weights_hash = _hash(source.folder)

    def __call__(self, images):
        low, high = self._range
        pixels = (images + 1.0) / 2.0 * (high - low) + low  # [B, S, S, 3]
        pixels = tf.round(pixels) if self._type.is_integer else pixels
        # Through the loaded model, which holds the variables; the function alone does not.
        run = self._loaded.signatures[self._signature]
        made = run(**{self._keyword: tf.cast(pixels, self._type)})[self._output]
        return tf.reshape(tf.cast(made, tf.float32), (tf.shape(images)[0], -1))  # [B, D]

    def dimension(self, size: int, batch: int = 1) -> int:
        """D for images of `size` pixels. UserError where the model cannot read such ones."""
        try:
            return self(tf.zeros((batch, size, size, 3))).shape[1]
        except (ValueError, tf.errors.OpError) as error:
            reason = str(error).strip().splitlines()[0]
            raise UserError(
                f"--features={self._name}: cannot compute features of {batch} images of {size} "
                f"px: {reason}"
            ) from error


def _signature(name: str, source: Source, loaded, batch: int):
    """The signature to call: (its name, name of its input, TensorSpec of that)."""
    found = {}
    for signature, function in loaded.signatures.items():
        inputs = function.structured_input_signature[1]
        if len(inputs) == 1 and _takes_images(next(iter(inputs.values())), batch):
            keyword, spec = next(iter(inputs.items()))
            found[signature] = (signature, keyword, spec)
    if source.signature:
        if source.signature in found:
            return found[source.signature]
    elif "serving_default" in found:
        return found["serving_default"]
    elif len(found) == 1:
        return next(iter(found.values()))
    wanted = f"signature {source.signature!r}" if source.signature else "one signature"
    valid = ", ".join(f"signature={signature}" for signature in sorted(found)) or "none"
    raise UserError(
        f"--features={name}: there is not {wanted} that takes one image [B, H, W, 3], any B; "
        f"valid: {valid}"
    )


def _takes_images(spec: tf.TensorSpec, fixed: int) -> bool:
    if spec.shape.rank != 4:
        return False
    batch, height, width, channels = spec.shape
    number = spec.dtype.is_floating or spec.dtype.is_integer
    return number and channels in (3, None) and batch in (None, fixed) and height == width


def _output(name: str, source: Source, function) -> str:
    outputs = sorted(function.structured_outputs)
    if source.output in outputs:
        return source.output
    if not source.output and len(outputs) == 1:
        return outputs[0]
    valid = ", ".join(f"output={output}" for output in outputs)
    raise UserError(f"--features={name}: name one output of the model; valid: {valid}")


def _hash(folder: Path) -> str:
    """SHA-256 over the names and contents of all files of the model."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        line = f"{path.relative_to(folder).as_posix()} {sha256_file(path)}\n"
        digest.update(line.encode())
    return digest.hexdigest()
